"""Arrays that stand in for NumPy's while a step is compiled or written down."""

from __future__ import annotations

from numpy.lib.mixins import NDArrayOperatorsMixin


class StandIn(NDArrayOperatorsMixin):
    """Base of arrays that NumPy's functions accept by its protocols, though they aren't NumPy's.

    Code that only wants something with a shape, a dtype and NumPy's functions takes them as they
    are; `numpy.asarray` of one would ask for values, which it may not have.
    """

    __slots__ = ()
    __hash__ = object.__hash__
