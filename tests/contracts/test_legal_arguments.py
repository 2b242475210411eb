"""What Keras takes for an argument, constructors take, too, and NumPy's numbers and arrays."""

import pathlib

import numpy as np
import pytest

import kernelmodel as km

LEGAL = [
    ("layers.Dense", {"units": np.int64(3), "use_bias": np.bool_(True)}),
    ("layers.Dense", {"units": 3, "use_bias": 1}),
    ("layers.Dropout", {"rate": np.float32(0.5)}),
    ("layers.Embedding", {"input_dim": np.int64(5), "output_dim": np.int64(2), "mask_zero": 0}),
    ("layers.BatchNormalization", {"axis": -1, "momentum": np.float32(0.9), "epsilon": 0}),
    ("layers.LayerNormalization", {"axis": (1, 2)}),
    ("layers.GroupNormalization", {"groups": -1}),
    ("layers.UnitNormalization", {"axis": [1]}),
    ("layers.Conv2D", {"filters": np.int64(3), "kernel_size": np.array([3, 3])}),
    ("layers.Conv2D", {"filters": 3, "kernel_size": [np.int64(3), 3], "strides": (1, 1)}),
    (
        "layers.LSTM",
        {
            "units": np.int64(3),
            "dropout": 0,
            "recurrent_dropout": np.float32(0.1),
            "return_sequences": 1,
        },
    ),
    (
        "layers.MultiHeadAttention",
        {"num_heads": np.int64(2), "key_dim": 3, "output_shape": (3, 4), "attention_axes": (1,)},
    ),
    (
        "layers.MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3, "value_dim": None, "output_shape": 7, "seed": None},
    ),
    ("layers.Normalization", {"axis": None, "mean": 0, "variance": np.float32(1)}),
    ("layers.Normalization", {"mean": np.zeros(3), "variance": [1.0, 2, 3]}),
    ("layers.Discretization", {"bin_boundaries": np.array([0.0, 1])}),
    ("layers.Resizing", {"height": np.int64(3), "width": 4}),
    ("layers.StringLookup", {"vocabulary": np.array(["a", "b"])}),
    ("layers.IntegerLookup", {"vocabulary": np.array([1, 2])}),
    (
        "layers.TextVectorization",
        {"max_tokens": np.int64(10), "output_sequence_length": np.int64(5)},
    ),
    ("layers.TextVectorization", {"ngrams": (1, 2)}),
    ("layers.Reshape", {"target_shape": [2, 3]}),
    ("layers.Reshape", {"target_shape": np.array([2, 3])}),
    ("layers.Permute", {"dims": [2, 1]}),
    ("layers.RepeatVector", {"n": 3}),
    ("layers.LeakyReLU", {"negative_slope": np.float32(0.1)}),
    ("layers.ReLU", {"max_value": 6}),
    ("layers.Softmax", {"axis": [1, 2]}),
    ("layers.ELU", {"alpha": 2}),
    ("layers.Rescaling", {"scale": 1 / 255, "offset": [1.0, 2]}),
    ("layers.Rescaling", {"scale": np.ones(3)}),
    ("layers.GaussianNoise", {"stddev": np.float32(0.1), "seed": np.int64(3)}),
    ("layers.RandomFlip", {"mode": "horizontal", "seed": 3}),
    ("layers.RandomRotation", {"factor": (-0.1, 0.2)}),
    ("layers.RandomRotation", {"factor": np.float32(0.2)}),
    ("layers.CategoryEncoding", {"num_tokens": np.int64(4)}),
    ("layers.Hashing", {"num_bins": np.int64(4), "salt": (1, 2)}),
    ("layers.Dot", {"axes": (1, 2), "normalize": 1}),
    ("layers.Concatenate", {"axis": np.int64(1)}),
    ("layers.ZeroPadding2D", {"padding": ((1, 0), (0, 1))}),
    ("layers.UpSampling2D", {"size": np.int64(2)}),
    ("layers.Masking", {"mask_value": np.float32(0)}),
    ("layers.Lambda", {"function": abs, "output_shape": (3,)}),
    ("layers.ActivityRegularization", {"l1": np.float32(0.1), "l2": 0}),
    ("layers.PReLU", {"shared_axes": [1]}),
    (
        "optimizers.Adam",
        {
            "learning_rate": np.float32(1e-3),
            "weight_decay": 0,
            "amsgrad": 1,
            "clipnorm": np.float32(1),
        },
    ),
    ("optimizers.Adam", {"learning_rate": 0, "beta_1": 0, "beta_2": 0, "epsilon": 0}),
    (
        "optimizers.Adam",
        {
            "learning_rate": 1,
            "use_ema": True,
            "ema_momentum": 1,
            "ema_overwrite_frequency": np.int64(3),
        },
    ),
    ("optimizers.SGD", {"learning_rate": 0.1, "momentum": np.float32(0.9), "nesterov": 1}),
    ("optimizers.SGD", {"learning_rate": np.array(0.1)}),
    ("optimizers.RMSprop", {"rho": 0, "momentum": 0}),
    ("optimizers.Adagrad", {"initial_accumulator_value": 0}),
    ("optimizers.Lamb", {"beta_1": 0}),
    ("optimizers.Ftrl", {"learning_rate_power": 0}),
    ("optimizers.Adam", {"gradient_accumulation_steps": np.int64(2), "loss_scale_factor": 128}),
    ("optimizers.Adam", {"clipvalue": 0}),
    (
        "optimizers.schedules.ExponentialDecay",
        {
            "initial_learning_rate": np.float32(0.1),
            "decay_steps": 1e4,
            "decay_rate": np.float32(0.9),
        },
    ),
    (
        "optimizers.schedules.CosineDecay",
        {"initial_learning_rate": 0, "decay_steps": 10.0, "warmup_target": 0.1, "warmup_steps": 5},
    ),
    (
        "optimizers.schedules.PiecewiseConstantDecay",
        {"boundaries": np.array([5, 7]), "values": np.array([0.1, 0.2, 0.3])},
    ),
    (
        "optimizers.schedules.PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 5, "power": np.float32(0.5), "cycle": 1},
    ),
    ("losses.Huber", {"delta": np.float32(1)}),
    (
        "losses.BinaryCrossentropy",
        {"from_logits": 1, "label_smoothing": np.float32(0.1), "axis": np.int64(-1)},
    ),
    ("losses.CategoricalFocalCrossentropy", {"alpha": [0.25, 0.5], "gamma": 0}),
    ("losses.Tversky", {"alpha": 1, "beta": 0, "axis": (1, 2)}),
    ("losses.Dice", {"axis": [1]}),
    ("losses.SparseCategoricalCrossentropy", {"ignore_class": -1}),
    ("losses.SparseCategoricalCrossentropy", {"ignore_class": np.int64(3)}),
    ("losses.CosineSimilarity", {"axis": (1, 2)}),
    ("metrics.MeanIoU", {"num_classes": np.int64(2)}),
    ("metrics.IoU", {"num_classes": 2, "target_class_ids": range(2)}),
    ("metrics.IoU", {"num_classes": 2, "target_class_ids": np.array([0])}),
    ("metrics.BinaryIoU", {"threshold": -1}),
    ("metrics.Precision", {"thresholds": [0, 0.5, 1], "top_k": None, "class_id": np.int64(1)}),
    ("metrics.Precision", {"thresholds": np.float32(0.5)}),
    ("metrics.AUC", {"num_thresholds": np.int64(5), "multi_label": 1}),
    ("metrics.AUC", {"thresholds": np.array([0.2, 0.5])}),
    ("metrics.F1Score", {"threshold": None}),
    ("metrics.FBetaScore", {"beta": np.float32(2), "threshold": 0.5}),
    ("metrics.R2Score", {"num_regressors": np.int64(1)}),
    ("metrics.TopKCategoricalAccuracy", {"k": np.int64(3)}),
    ("metrics.SparseTopKCategoricalAccuracy", {"k": 1, "from_sorted_ids": 1}),
    ("metrics.BinaryAccuracy", {"threshold": np.float32(0.3)}),
    ("metrics.SensitivityAtSpecificity", {"specificity": 1}),
    ("metrics.CosineSimilarity", {"axis": 0}),
    ("metrics.BinaryIoU", {"target_class_ids": [1]}),
    ("initializers.RandomNormal", {"mean": np.int64(1), "stddev": 0}),
    ("initializers.VarianceScaling", {"scale": np.int64(2)}),
    ("initializers.RandomUniform", {"minval": 0, "maxval": np.float32(1), "seed": np.int64(1)}),
    ("initializers.Orthogonal", {"gain": -1}),
    ("initializers.Constant", {"value": [1, 2]}),
    ("initializers.Identity", {"gain": np.float32(2)}),
    ("regularizers.L1", {"l1": 0}),
    ("regularizers.L1L2", {"l1": np.float32(0.1), "l2": np.int64(1)}),
    ("regularizers.OrthogonalRegularizer", {"factor": np.float32(0.1), "mode": "columns"}),
    ("constraints.MaxNorm", {"max_value": np.int64(2), "axis": [0, 1]}),
    ("constraints.MinMaxNorm", {"min_value": 0, "max_value": 1, "rate": 1}),
    ("constraints.UnitNorm", {"axis": (0, 1)}),
    (
        "callbacks.EarlyStopping",
        {
            "patience": np.int64(3),
            "min_delta": 0,
            "verbose": True,
            "baseline": np.float32(1),
            "restore_best_weights": 1,
        },
    ),
    (
        "callbacks.ReduceLROnPlateau",
        {"factor": np.float32(0.5), "min_delta": 0, "min_lr": 0, "cooldown": np.int64(1)},
    ),
    (
        "callbacks.ModelCheckpoint",
        {"filepath": pathlib.Path("a.keras"), "save_freq": 5, "verbose": True},
    ),
    (
        "callbacks.ModelCheckpoint",
        {"filepath": "a.keras", "initial_value_threshold": np.float32(1)},
    ),
    ("callbacks.LearningRateScheduler", {"schedule": lambda e: 0.1, "verbose": True}),
    ("callbacks.CSVLogger", {"filename": "x.csv", "separator": ";", "append": 1}),
    ("callbacks.ReduceLROnPlateau", {"factor": 0}),
    ("callbacks.EarlyStopping", {"min_delta": -0.1}),
]


def named(library, path):
    for part in path.split("."):
        library = getattr(library, part)
    return library


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("path", "given"), LEGAL, ids=[f"{i}-{path}" for i, (path, _) in enumerate(LEGAL)]
)
def test_it_is_taken(path, given):
    named(km, path)(**given)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_keras_takes_most_of_it(keras):
    """Else the list has nothing to say; the rest are numbers of NumPy, which Keras refuses."""
    taken = []
    for path, given in LEGAL:
        try:
            named(keras, path)(**given)
        except (TypeError, ValueError, ImportError):
            continue
        taken.append(path)
    assert len(taken) > 0.7 * len(LEGAL)
