"""Names made up for objects that got none: `dense`, `dense_1`, ..."""

from __future__ import annotations

import re
from collections import Counter

_counts: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """`"MaxPooling2D"` as `"max_pooling2d"`.

    Examples:
        >>> snake_case("LSTM"), snake_case("BatchNormalization")
        ('lstm', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """The prefix, with `_1`, `_2`, ... after its first use."""
    count = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def class_name(name: str) -> str:
    """A name for an object of a class: `unique_name` of its snake case."""
    return unique_name(snake_case(name))


def reset_names() -> None:
    """Start all counts anew."""
    _counts.clear()
