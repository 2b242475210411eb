"""Pooling: one value for each window of positions, for each part of the input, or for all."""
