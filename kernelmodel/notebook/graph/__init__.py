"""A model's graph: from the model to its parts, a scene, and pictures or a live view of it."""
