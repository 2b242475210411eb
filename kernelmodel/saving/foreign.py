"""Files and folders of other formats: what to do with them."""

from __future__ import annotations

from pathlib import Path

IN_TENSORFLOW = (
    "Convert it where TensorFlow is installed:\n"
    "    import tf_keras  # pip install tf_keras tensorflow-cpu\n"
    "    tf_keras.models.load_model({path!r}).save('model.h5')\n"
    "and load 'model.h5'. If it was written by export(), it holds no layers: make the model in "
    "Python, and copy the weights:\n"
    "    import tensorflow as tf\n"
    "    variables = tf.saved_model.load({path!r}).variables\n"
    "    model.set_weights([v.numpy() for v in variables])  # in the model's order"
)
IN_TORCH = (
    "Make the model in Python, and copy the weights where PyTorch is installed: "
    "state = torch.load({path!r}, weights_only=True), then model.set_weights([...]) with arrays "
    "state[name].numpy(). Kernels of Dense layers are transposed (.T); those of Conv2D are "
    ".transpose(2, 3, 1, 0)."
)
PICKLED = (
    "A pickle can run any code, so it isn't opened. Where it was made, save the model with "
    "model.save('model.keras')."
)
SERVED = (
    "It holds computations for serving, not layers. Load the '.keras' or '.h5' file that it was "
    "exported from."
)
# What files of other formats are, and what to do.
FOREIGN = {
    ".pb": ("a SavedModel of TensorFlow", IN_TENSORFLOW),
    ".pt": ("a file of PyTorch", IN_TORCH),
    ".pth": ("a file of PyTorch", IN_TORCH),
    ".pkl": ("a pickle", PICKLED),
    ".pickle": ("a pickle", PICKLED),
    ".joblib": ("a pickle", PICKLED),
    ".onnx": ("an ONNX file", SERVED),
    ".tflite": ("a file of TensorFlow Lite", SERVED),
    ".ckpt": ("a checkpoint of TensorFlow", IN_TENSORFLOW),
    ".index": ("a checkpoint of TensorFlow", IN_TENSORFLOW),
}


def check_ending(path: Path) -> None:
    """Refuse what is no file of Keras.

    Args:
        path: What shall be loaded.

    Raises:
        ValueError: A folder or a file of another format; the message says how to convert it.
    """
    if path.is_dir():
        if (path / "saved_model.pb").exists() or (path / "keras_metadata.pb").exists():
            raise ValueError(f"{path} is a SavedModel of TensorFlow, which isn't read here. "
                             + IN_TENSORFLOW.format(path=str(path)))  # fmt: skip
        raise ValueError(
            f"{path} is a folder, and no SavedModel of TensorFlow: it holds no 'saved_model.pb', "
            f"but {sorted(p.name for p in path.iterdir())[:5]}. Give the path of a '.keras' or "
            "'.h5' file."
        )
    if path.suffix in FOREIGN:
        kind, fix = FOREIGN[path.suffix]
        folder = path.parent if path.suffix == ".pb" else path
        raise ValueError(f"{path} is {kind}, which isn't read here. {fix.format(path=str(folder))}")
