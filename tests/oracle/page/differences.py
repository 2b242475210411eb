"""Where kernelmodel differs from tf.keras on purpose: the reason, and what it gives."""

from __future__ import annotations

from typing import Any

DIFFERENCES: dict[str, tuple[str, Any]] = {
    "classes_weighted_with_sample_weights": (
        "Both together multiply; the graph of tf.keras fails on batches of unknown size.",
        False,
    ),
    "states_need_whole_batches": (
        "The page promises a ValueError for a stateful model; tf.keras gives numbers all the same.",
        "raises",
    ),
}
