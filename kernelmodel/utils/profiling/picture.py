"""A profile as bars: time forward and backward, and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelmodel.explain.figure import new_figure, styled
from kernelmodel.utils.profiling.rows import ProfileRow

if TYPE_CHECKING:
    from kernelmodel.utils.profiling.result import Profile

MOST_BARS = 40
FORWARD, BACKWARD, KEPT, PEAK = "#0072b2", "#d55e00", "#44aa99", "#c8e6e1"
MEGABYTE = 2**20


def draw(profile: Profile) -> Any:
    """A figure with a bar for each layer's own time, and beside it one for its memory."""
    rows = chosen(profile)
    text = f"profile of {profile.model}, {len(rows)} layers and parts"
    figure = new_figure(text, 9.0, 0.22 * len(rows) + 1.1)
    places = range(len(rows))
    with styled():
        times, sizes = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        forward = [1e3 * row.own_forward for row in rows]
        backward = [1e3 * row.own_backward for row in rows]
        times.barh(places, forward, color=FORWARD, height=0.72, label="forward")
        times.barh(places, backward, left=forward, color=BACKWARD, height=0.72, label="backward")
        peaks = [row.peak / MEGABYTE for row in rows]
        sizes.barh(places, peaks, color=PEAK, height=0.72, label="peak")
        kept = [row.kept / MEGABYTE for row in rows]
        sizes.barh(places, kept, color=KEPT, height=0.4, label="kept")
        times.set_yticks(places, [row.path for row in rows])
        times.invert_yaxis()
        times.set(xlabel="ms a step")
        sizes.set(xlabel="MB")
        for axes in (times, sizes):
            axes.grid(axis="x")
            axes.set_axisbelow(True)
            axes.tick_params(left=False)
        for axes, columns in ((times, 2), (sizes, 2)):
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, borderpad=0)
        times.set_title(f"{profile.model}, {profile.batch_size} samples a step", loc="left")
    return figure


def chosen(profile: Profile) -> list[ProfileRow]:
    """The rows that get a bar: of more than `MOST_BARS` those that take the most time."""
    rows = [*profile.rows, *profile.parts]
    longest = sorted(rows, key=lambda row: row.own_forward + row.own_backward, reverse=True)
    kept = {row.path for row in longest[:MOST_BARS]}
    return [row for row in rows if row.path in kept]
