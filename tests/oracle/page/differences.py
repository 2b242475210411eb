"""Where kernelmodel differs from tf.keras on purpose: the reason, and what it gives."""

from __future__ import annotations

from typing import Any

DIFFERENCES: dict[str, tuple[str, Any]] = {
    "classes_weighted_with_sample_weights": (
        "Both together multiply; the graph of tf.keras fails on batches of unknown size.",
        False,
    ),
    "errors_of_a_share_above_one": (
        "The page: a float between 0 and 1. tf.keras trains on some samples and drops others.",
        "raises",
    ),
    "errors_of_named_tuples": (
        "The page promises a ValueError; tf.keras gives one for its own datasets only.",
        "raises",
    ),
    "errors_of_validation_data_without_targets": (
        "A loss that needs targets and gets none is an error; tf.keras reports a loss of 0.",
        "raises",
    ),
    "errors_of_classes_without_a_weight": (
        "A class that `class_weight` doesn't list counts once, as in Keras 3; tf.keras refuses.",
        1,
    ),
    "layer_by_name_and_index": (
        "The page: if both are given, the index takes precedence. tf.keras refuses both.",
        "two",
    ),
    "weight_paths_in_a_stack": (
        "Layers of a Sequential go by their names, like those of a Functional model; in tf.keras "
        "by a number among the layers with weights.",
        ["sub.in_sub.bias", "sub.in_sub.kernel", "top.bias", "top.kernel"],
    ),
    "reduction_to_nothing_and_a_smaller_last_batch": (
        "The logged loss is the mean over samples whatever the reduction; tf.keras weighs a batch "
        "by its size squared.",
        True,
    ),
    "states_need_whole_batches": (
        "The page promises a ValueError for a stateful model; tf.keras gives numbers all the same.",
        "raises",
    ),
}
