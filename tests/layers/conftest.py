"""`cases.py` is imported by tests, and must not be imported once more to look for doctests."""

collect_ignore = ["cases.py"]
