"""The live summary: a model's layers as a table that watches them learn."""
