"""The Keras Model API on NumPy and autograd, built for notebooks."""
