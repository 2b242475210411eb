"""Data into batches: one class for each kind of source, chosen in `choose`."""
