"""Recurrent layers: they go through a sequence step by step and keep a state."""
