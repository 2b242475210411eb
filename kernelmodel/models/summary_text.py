"""A model's summary as text: its lines, and numbers for people."""

from __future__ import annotations

import io
from typing import Any

from kernelmodel.core.hooks import hooks
from kernelmodel.models.costs import Cost
from kernelmodel.models.summary import Summary


def size_text(count: int) -> str:
    """A number of bytes for people."""
    size = float(count)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def count_text(count: int) -> str:
    """A number of operations for people: three digits and a unit.

    Examples:
        >>> count_text(0), count_text(950), count_text(1234567), count_text(7_760_160_808)
        ('0', '950', '1.23 M', '7.76 G')
    """
    if count < 1000:
        return str(count)
    size = float(count)
    for unit in ("k", "M", "G", "T", "P"):
        size /= 1000
        if size < 999.5 or unit == "P":
            break
    return f"{size:.3g} {unit}" if size >= 10 else f"{size:.2f} {unit}"


def flops_text(cost: Cost) -> str:
    """The operations for one sample; "unknown", and ">= ..." where a part is unknown.

    Examples:
        >>> flops_text(Cost(1500, True)), flops_text(Cost(1500, False)), flops_text(Cost())
        ('1.50 k', '>= 1.50 k', 'unknown')
    """
    if cost.flops is None:
        return "unknown"
    return f"{'' if cost.whole else '>= '}{count_text(cost.flops)}"


def memory_text(size: int | None) -> str:
    """A number of bytes; "unknown" for None.

    Examples:
        >>> memory_text(0), memory_text(2048), memory_text(None)
        ('0 B', '2.00 KB', 'unknown')
    """
    return "unknown" if size is None else f"{size} B" if size < 1024 else size_text(size)


def totals(summary: Summary) -> list[str]:
    """The lines below the table."""
    lines = [
        f" Total params: {summary.total_params:,} ({size_text(summary.bytes)})",
        f" Trainable params: {summary.trainable_params:,}",
        f" Non-trainable params: {summary.non_trainable_params:,}",
    ]
    if summary.optimizer_params:
        lines.append(f" Optimizer params: {summary.optimizer_params:,}")
    lines.append(f" Activations for one sample: {memory_text(summary.cost.bytes)}")
    lines.append(f" FLOPs for one sample: {flops_text(summary.cost)}")
    return lines


def table_lines(
    summary: Summary,
    line_length: int | None = None,
    positions: Any = None,
    show_trainable: bool = False,
    color: bool = False,
    costs: bool = False,
) -> list[str]:
    """The table as lines of text.

    Args:
        summary: What to show.
        line_length: Width in characters; None for what the rows need, at most 120.
        positions: Where columns end, as shares of the width or in characters.
        show_trainable: Add a column.
        color: Use terminal colours.
        costs: Add columns of memory and operations.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    headers = ["Layer (type)", "Output Shape", "Param #"]
    if costs:
        headers += ["Weights", "Activations", "FLOPs"]
    if not summary.linear:
        headers.append("Connected to")
    if show_trainable:
        headers.append("Trainable")
    widths = _widths(positions, line_length, len(headers))
    table = Table(box=box.SQUARE_DOUBLE_HEAD, width=line_length if widths is None else None,
                  show_lines=False)  # fmt: skip
    styles = {"Layer (type)": "bold", "Output Shape": "cyan", "Param #": "green"}
    numbers = ("Param #", "Weights", "Activations", "FLOPs")
    for i, header in enumerate(headers):
        table.add_column(
            header,
            width=None if widths is None else widths[i],
            justify="right" if header in numbers else "left",
            style=styles.get(header, "") if color else "",
            overflow="fold",
        )
    from rich.text import Text

    for row in summary.rows:
        cells = [
            "  " * row.depth + f"{row.name} ({row.class_name})", row.output_shape,
            f"{row.params:,}",
        ]  # fmt: skip
        if costs:
            cells += [
                memory_text(row.bytes), memory_text(row.cost.bytes), flops_text(row.cost)
            ]  # fmt: skip
        if not summary.linear:
            cells.append(", ".join(row.connected_to) or "-")
        if show_trainable:
            cells.append("Y" if row.trainable else "N")
        table.add_row(*map(Text, cells))
    out = io.StringIO()
    console = Console(
        file=out,
        width=line_length or 120,
        force_terminal=color,
        force_jupyter=False,
        legacy_windows=False,
        color_system="standard" if color else None,
    )
    console.print(table)
    lines = [f'Model: "{summary.name}"', *out.getvalue().rstrip("\n").split("\n")]
    return [line.rstrip() for line in [*lines, *totals(summary)]]


def _widths(positions: Any, line_length: int | None, columns: int) -> list[int] | None:
    if positions is None:
        return None
    total = line_length or 98
    ends = [int(p * total) if p <= 1 else int(p) for p in positions]
    if len(ends) < columns or any(b <= a for a, b in zip([0, *ends], ends)):
        raise ValueError(
            f"`positions` must hold {columns} growing ends of columns, got {positions!r}."
        )
    return [max(1, end - start - 3) for start, end in zip([0, *ends], ends[:columns])]


def show_summary(
    summary: Summary, line_length: Any, positions: Any, print_fn: Any, show_trainable: bool
) -> None:
    """Show a summary where the user is: a notebook, a terminal, or line by line."""
    plain = print_fn is None and line_length is None and positions is None
    show = hooks.show_summary
    if plain and show is not None and show(summary, show_trainable):
        return
    from sys import stdout

    color = print_fn is None and stdout.isatty()
    for line in table_lines(summary, line_length, positions, show_trainable, color, plain):
        (print_fn or hooks.note)(line)
