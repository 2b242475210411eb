"""Names of Keras' public API that kernelmodel leaves out, and why. Everything else is there."""

from __future__ import annotations

FRAMEWORK = "wraps a layer or a file of another framework"
QUANTIZED = "quantization of large models, for accelerators"
PRETRAINED = "pretrained weights come over the network; files that Keras saved open here"
DEVICES = "places arrays on accelerators; training in several processes is km.distribute"
BACKENDS = "switches between Keras' backends or tracing modes"
INTERNAL = "a module of Keras' own, not part of its documented interface"

# Whole modules.
MODULES = {
    "applications": PRETRAINED,
    "backend": BACKENDS,
    "device": DEVICES,
    "distillation": "training of one large model by another",
    "distribution": DEVICES,
    "legacy": INTERNAL,
    "quantizers": QUANTIZED,
    "src": INTERNAL,
    "version": INTERNAL,
}

# Names in modules.
NAMES = {
    "Quantizer": QUANTIZED,
    "StatelessScope": BACKENDS,
    "SymbolicScope": BACKENDS,
    "layers.FlaxLayer": FRAMEWORK,
    "layers.JaxLayer": FRAMEWORK,
    "layers.TFSMLayer": FRAMEWORK,
    "layers.TorchModuleWrapper": FRAMEWORK,
    "callbacks.OrbaxCheckpoint": "writes checkpoints of JAX's sharded arrays",
    "optimizers.legacy": INTERNAL,
    "utils.legacy": INTERNAL,
    "config.backend": BACKENDS,
    "config.set_backend": BACKENDS,
    "config.is_nnx_enabled": BACKENDS,
    "dtype_policies.AWQDTypePolicy": QUANTIZED,
    "dtype_policies.GPTQDTypePolicy": QUANTIZED,
    "dtype_policies.Int4DTypePolicy": QUANTIZED,
    "dtype_policies.QuantizedDTypePolicy": QUANTIZED,
    "dtype_policies.QuantizedFloat8DTypePolicy": QUANTIZED,
}
