"""A profile as a table: plain text, rich, and HTML."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from kernelmodel.models.summary_text import memory_text
from kernelmodel.notebook.svg import escape
from kernelmodel.utils.profiling.rows import ProfileRow

if TYPE_CHECKING:
    from kernelmodel.utils.profiling.result import Profile

NOTHING = "-"


def milliseconds(seconds: float) -> str:
    """Three decimals, fewer for long times.

    Examples:
        >>> milliseconds(0.0000123), milliseconds(0.0123), milliseconds(1.23), milliseconds(0.0)
        ('0.012', '12.30', '1230.0', '-')
    """
    value = 1e3 * seconds
    if not value:
        return NOTHING
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 1000 else f"{value:.1f}"


def name_of(row: ProfileRow) -> str:
    """What a row is called in a table, without the layers it is in."""
    return f"{row.path.rsplit('/', 1)[-1]} ({row.class_name})" if row.class_name else row.path


def headers(profile: Profile) -> tuple[str, ...]:
    """The columns; calls are counted where a layer is called more than once."""
    several = ("Calls",) if any(row.calls > 1 for row in profile.rows) else ()
    return ("Layer", *several, "Forward", "Backward", "Share", "Output", "Kept", "Peak")


def cells(row: ProfileRow, profile: Profile) -> tuple[str, ...]:
    """A row in the order of `headers`."""
    calls = (str(row.calls) if row.class_name else "",) if "Calls" in headers(profile) else ()
    return (
        "  " * row.depth + name_of(row),
        *calls,
        milliseconds(row.forward),
        milliseconds(row.backward),
        f"{row.seconds / profile.seconds:.1%}",
        *(memory_text(size) if size else NOTHING for size in (row.output, row.kept, row.peak)),
    )


def table_rows(profile: Profile) -> list[tuple[ProfileRow, tuple[str, ...]]]:
    """All rows with their cells: layers, parts, and the step as their sum."""
    top = [row for row in [*profile.rows, *profile.parts] if not row.depth]
    forward, backward = sum(r.forward for r in top), sum(r.backward for r in top)
    outputs = sum(row.output for row in profile.rows if not row.depth)
    kept = sum(row.kept for row in top)
    whole = ProfileRow(
        "a step",
        "",
        0,
        1,
        forward,
        backward,
        forward,
        backward,
        outputs,
        kept,
        profile.peak,
        kept,
    )
    rows = [*profile.rows, *profile.parts, whole]
    return [(row, cells(row, profile)) for row in rows]


def title(profile: Profile) -> str:
    """The line above the table."""
    return f"Profile of {profile.model!r}: a training step of {profile.batch_size} samples, in ms"


def remarks(profile: Profile) -> list[str]:
    """The lines below it."""
    measured, plain = milliseconds(profile.seconds), milliseconds(profile.fit_seconds)
    return [
        f"A step takes {plain} ms in fit, {measured} ms while it is measured "
        f"({profile.overhead:+.0%}); {profile.steps} steps.",
        "Kept: allocated forward and held for the backward pass. Peak: needed at once, beyond what "
        "was there.",
        *profile.notes,
    ]


def rich_table(profile: Profile) -> Any:
    """The table for rich, with its title and what is below."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SQUARE_DOUBLE_HEAD)
    for header in headers(profile):
        table.add_column(
            header, justify="left" if header == "Layer" else "right", overflow="fold",
            style={"Layer": "bold", "Share": "green"}.get(header, ""), no_wrap=header != "Layer",
        )  # fmt: skip
    sections = {len(profile.rows) - 1, len(profile.rows) + len(profile.parts) - 1}
    for place, (_, texts) in enumerate(table_rows(profile)):
        table.add_row(*map(Text, texts), end_section=place in sections)
    return Group(Text(title(profile)), table, *map(Text, remarks(profile)))


def text_table(profile: Profile, color: bool = False) -> str:
    """The table as lines of text."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, width=120, force_terminal=color, force_jupyter=False, legacy_windows=False,
        color_system="standard" if color else None,
    )  # fmt: skip
    console.print(rich_table(profile))
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))


# Colours that can be read on light and on dark pages, whatever theme the notebook has.
STYLE = """
.km-profile{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:4px 0}
.km-profile caption{caption-side:top;text-align:left;font-weight:600;padding:4px 8px;color:inherit}
.km-profile th,.km-profile td{padding:2px 7px!important;text-align:right!important;
white-space:nowrap;background:none!important;border:0!important}
.km-profile th:first-child,.km-profile td:first-child{text-align:left!important}
.km-profile thead th{border-bottom:1px solid rgba(128,128,128,.6)!important}
.km-profile .km-rule td{border-top:1px solid rgba(128,128,128,.6)!important}
.km-profile .km-class{opacity:.65}
.km-profile .km-bar{display:inline-block;width:60px;height:9px;margin-left:6px;
background:rgba(128,128,128,.18);text-align:left;line-height:0}
.km-profile .km-bar i{display:inline-block;height:9px;background:#0072b2}
.km-profile .km-bar i+i{background:#d55e00}
.km-profile-note{opacity:.75;font-size:90%;padding:0 8px}
.km-profile-key i{display:inline-block;width:9px;height:9px;margin:0 4px 0 10px}
"""


def html_table(profile: Profile) -> str:
    """The table for a notebook, with a bar for each row's share of the step."""
    heads = "".join(f"<th scope='col'>{header}</th>" for header in headers(profile))
    starts = {len(profile.rows), len(profile.rows) + len(profile.parts)}
    body = "".join(
        f"<tr{' class=km-rule' if place in starts else ''}>{_html_cells(profile, row, texts)}</tr>"
        for place, (row, texts) in enumerate(table_rows(profile))
    )
    notes = "".join(
        f"<div class='km-profile-note'>{escape(line)}</div>" for line in remarks(profile)
    )
    key = (
        " <span class='km-profile-key km-profile-note'><i style='background:#0072b2'></i>forward "
        "<i style='background:#d55e00'></i>backward</span>"
    )
    return (
        f"<style>{STYLE}</style><table class='km-profile'><caption>{escape(title(profile))}{key}"
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{notes}"
    )


def _html_cells(profile: Profile, row: ProfileRow, texts: tuple[str, ...]) -> str:
    name = escape(row.path.rsplit("/", 1)[-1])
    if row.class_name:
        name += f" <span class='km-class'>{escape(row.class_name)}</span>"
    first = (
        f"<td style='padding-left:{7 + 14 * row.depth}px!important' title='{escape(row.path)}'>"
        f"{name}</td>"
    )
    bars = "".join(
        f"<i style='width:{60 * part / profile.seconds:.1f}px'></i>"
        for part in (row.forward, row.backward)
    )
    others = [
        f"<td>{text}<span class='km-bar'>{bars}</span></td>"
        if header == "Share"
        else f"<td>{text}</td>"
        for header, text in zip(headers(profile)[1:], texts[1:])
    ]
    return first + "".join(others)
