"""The table of layers by name."""

from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.lookup import Registry

REGISTRY = Registry("layer", "keras.layers")
REGISTRY.register()(InputLayer)
