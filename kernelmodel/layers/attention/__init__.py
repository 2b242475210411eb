"""Attention: for each position of a query a mean of values, weighted by how well their keys fit."""
