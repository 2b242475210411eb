"""A profile as bars: time forward and backward, and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelmodel.explain.figure import new_figure, styled
from kernelmodel.utils.profiling.rows import ProfileRow

if TYPE_CHECKING:
    from kernelmodel.utils.profiling.result import Profile

MOST_BARS = 40
LEAST_SHARE = 0.005  # of the step, for a layer with layers in it to have a bar of its own
FORWARD, BACKWARD, PART, KEPT, PEAK = "#0072b2", "#d55e00", "#8c8c8c", "#44aa99", "#c8e6e1"
MEGABYTE = 2**20


def draw(profile: Profile) -> Any:
    """A figure with a bar for each layer's own time, and beside it one for its memory."""
    rows = chosen(profile)
    text = f"profile of {profile.model}, {len(rows)} layers and parts"
    figure = new_figure(text, 9.0, 0.22 * len(rows) + 1.4)
    places = range(len(rows))
    with styled():
        times, sizes = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        forward = [1e3 * row.own_forward for row in rows]
        backward = [1e3 * row.own_backward for row in rows]
        layers = {row.path for row in profile.rows} | {"between layers", "loss"}
        colours = [FORWARD if row.path in layers else PART for row in rows]
        times.barh(places, forward, color=colours, height=0.72)
        times.barh(places, backward, left=forward, color=BACKWARD, height=0.72)
        # The peak of a layer with layers in it is theirs, too.
        peaks = [0 if row.path in holders(profile) else row.peak / MEGABYTE for row in rows]
        sizes.barh(places, peaks, color=PEAK, height=0.72)
        sizes.barh(places, [row.own_kept / MEGABYTE for row in rows], color=KEPT, height=0.4)
        times.set_yticks(places, [row.path for row in rows])
        times.set_ylim(len(rows) - 0.4, -0.6)
        times.set(xlabel="ms a step")
        sizes.set(xlabel="MB")
        for axes in (times, sizes):
            axes.grid(axis="x")
            axes.set_axisbelow(True)
            axes.tick_params(left=False)
        key(times, {"forward": FORWARD, "backward": BACKWARD, "other parts": PART})
        key(sizes, {"kept for backward": KEPT, "peak": PEAK})
        figure.suptitle(
            f"{profile.model}, a step of {profile.batch_size} samples",
            fontsize=10,
            x=0.01,
            ha="left",
        )
    return figure


def key(axes: Any, colours: dict[str, str]) -> None:
    """What the colours mean, above the bars."""
    from matplotlib.patches import Patch

    patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
    axes.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(patches),
        borderaxespad=0.2, borderpad=0.2, handlelength=0.8, handleheight=0.8, columnspacing=1.2,
    )  # fmt: skip


def holders(profile: Profile) -> set[str]:
    """Paths of the layers that have layers in them."""
    return {row.path.rpartition("/")[0] for row in profile.rows if row.depth}


def chosen(profile: Profile) -> list[ProfileRow]:
    """The rows that get a bar: those that take the most time, and no layer that only holds others.

    Of a layer with layers in it the bar is what it does itself.
    """
    inner = holders(profile)

    def own(row: ProfileRow) -> float:
        return row.own_forward + row.own_backward

    rows = [
        row
        for row in [*profile.rows, *profile.parts]
        if row.path not in inner or own(row) > LEAST_SHARE * profile.seconds
    ]
    kept = {id(row) for row in sorted(rows, key=own, reverse=True)[:MOST_BARS]}
    return [row for row in rows if id(row) in kept]
