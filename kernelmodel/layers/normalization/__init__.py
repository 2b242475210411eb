"""Normalization: of batches, of samples, of weights."""
