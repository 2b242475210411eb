"""A history in one line of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def history_text(
    history: Mapping[str, Sequence[float]], epochs: int | None = None, note: str = ""
) -> str:
    """Return a history in one line, with few digits so that it stays the same from run to run.

    Args:
        history: metric name -> values, of which the first and the last are told.
        epochs: how many epochs it spans, when `history` holds fewer values.
        note: how the training ended, when that is worth saying.

    >>> history_text({"loss": [0.42111, 0.2, 0.10123], "val_loss": [0.5, 0.3, 0.2]})
    '<History: 3 epochs; loss 0.421 -> 0.101; val_loss 0.5 -> 0.2>'
    """
    count = max((len(v) for v in history.values()), default=0) if epochs is None else epochs
    parts = [f"{count} epoch" if count == 1 else f"{count} epochs"]
    for name, values in history.items():
        if len(values) == 1:
            parts.append(f"{name} {short_number(values[0])}")
        elif len(values) > 1:
            first, last = short_number(values[0]), short_number(values[-1])
            parts.append(f"{name} {first} -> {last}")
    if note:
        parts.append(note)
    return f"<History: {'; '.join(parts)}>"


def short_number(value: float) -> str:
    """Return a value in 3 significant digits (4 from 100 on), as the live panel writes it.

    >>> short_number(0.10123), short_number(5000), short_number(1e-05)
    ('0.101', '5000', '1e-5')
    """
    size = abs(value)
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else f"{value:g}"
    if 1e-3 <= size < 1e5:
        return f"{float(f'{value:.{4 if size >= 100 else 3}g}'):.10g}"
    digits, power = f"{value:.2e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
