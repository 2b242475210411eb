"""How the wires between boxes run: where they leave and arrive, how they bend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kernelmodel.notebook.graph.layout import Layout, Point
from kernelmodel.notebook.graph.parts import Link
from kernelmodel.notebook.svg import number

TIP, TIP_HALF, PORT_GAP = 7.0, 4.0, 16.0


@dataclass
class Path:
    """Lines and cubic curves from point to point: [("M", [p]), ("L", [p]), ("C", [a, b, p])...]."""

    steps: list[tuple[str, list[Point]]] = field(default_factory=list)

    def moved(self, dx: float, dy: float) -> Path:
        """The same path elsewhere."""
        return Path([(kind, [(x + dx, y + dy) for x, y in points]) for kind, points in self.steps])

    def __str__(self) -> str:
        return "".join(
            kind + " ".join(f"{number(x)} {number(y)}" for x, y in points)
            for kind, points in self.steps
        )


@dataclass
class Drawn:
    """A wire: its path, the three corners of its tip, and where its label begins."""

    path: Path
    tip: list[Point]
    label_at: Point


class WireMaker:
    """Draws the links of one layout.

    Args:
        layout: a downward layout of the boxes.
        sizes: the boxes' (width, height) in the picture.
        rankdir: where the data flows.
        turn: maps a point of the downward layout to one of the picture.
    """

    def __init__(
        self,
        layout: Layout,
        sizes: dict[str, tuple[float, float]],
        rankdir: str,
        turn: Callable[[Point], Point],
    ) -> None:
        self.layout, self.turn, self.rankdir = layout, turn, rankdir
        across = 1 if rankdir in ("LR", "RL") else 0
        self.room = {key: size[across] for key, size in sizes.items()}
        self.along = {key: size[1 - across] for key, size in sizes.items()}

    def wires(self, links: Sequence[Link], stems: Sequence[float]) -> list[Drawn]:
        """Return how each link is drawn; `stems` tell how far each goes straight at first."""
        routes = [list(route) for route in self.layout.routes]
        self._spread(links, routes, 0)
        self._spread(links, routes, -1)
        return [
            self._loop(link) if link.source == link.target else self._draw(route, stem)
            for link, route, stem in zip(links, routes, stems)
        ]

    def _spread(self, links: Sequence[Link], routes: list[list[Point]], end: int) -> None:
        """Let what meets at one side of a box arrive side by side, in the order it comes from.

        Links that carry the same tensor leave a box together.
        """
        sides: dict[tuple[str, Point], dict[int, list[int]]] = {}
        for i, link in enumerate(links):
            if link.source != link.target:
                box = link.target if end else link.source
                ports = sides.setdefault((box, routes[i][end]), {})
                ports.setdefault(i if end else link.tensor, []).append(i)
        for (box, (u, v)), ports in sides.items():
            if len(ports) < 2:
                continue
            near = -2 if end else 1
            order = sorted(ports.values(), key=lambda group: routes[group[0]][near][0])
            gap = min(PORT_GAP, self.room[box] * 0.7 / (len(order) - 1))
            for rank, group in enumerate(order):
                for i in group:
                    routes[i][end] = (u + (rank - (len(order) - 1) / 2) * gap, v)

    def _draw(self, route: list[Point], stem: float) -> Drawn:
        (u0, v0), (u1, v1) = route[0], route[-1]
        down = 1 if v1 >= v0 else -1
        path = Path([("M", [self.turn((u0, v0))])])
        straight = [(u0, v0 + stem * down)] if stem else []
        via = [(u0, v0), *straight, *route[1:-1], (u1, v1 - (TIP - 1) * down)]
        for (au, av), (bu, bv) in pairwise(via):
            if abs(au - bu) < 0.5:
                path.steps.append(("L", [self.turn((bu, bv))]))
            else:
                bend = (av + bv) / 2
                corners = [(au, bend), (bu, bend), (bu, bv)]
                path.steps.append(("C", [self.turn(point) for point in corners]))
        base = v1 - TIP * down
        corners = [(u1, v1), (u1 - TIP_HALF, base), (u1 + TIP_HALF, base)]
        return Drawn(path, [self.turn(point) for point in corners], self._label_at(u0, v0))

    def _label_at(self, u: float, v: float) -> Point:
        x, y = self.turn((u, v))
        return {
            "TB": (x + 6, y + 14),
            "BT": (x + 6, y - 7),
            "LR": (x + 6, y - 5),
            "RL": (x - 6, y - 5),
        }[self.rankdir]

    def _loop(self, link: Link) -> Drawn:
        """A wire from a layer to itself: it is called on its own output."""
        u, v = self.layout.centres[link.source]
        u, half = u + self.room[link.source] / 2, self.along[link.source] / 4
        start, stop, far = v + half, v - half, u + 22
        steps = [("M", [(u, start)]), ("C", [(far, start), (far, stop), (u + TIP - 1, stop)])]
        path = Path([(kind, [self.turn(p) for p in points]) for kind, points in steps])
        tip = [(u, stop), (u + TIP, stop - TIP_HALF), (u + TIP, stop + TIP_HALF)]
        return Drawn(path, [self.turn(p) for p in tip], self.turn((u + 22, v)))
