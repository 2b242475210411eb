"""What the parameters mean that many ops share; ops whose docstring says nothing else get it."""

from __future__ import annotations

from collections.abc import Iterable

ARRAY = "Array of any shape, or what becomes one: a number, nested lists, a symbolic tensor."
SHARED = {
    "x": ARRAY,
    "x1": ARRAY.replace("Array", "First array", 1),
    "x2": "Second array, likewise.",
    "y": "Another array, likewise.",
    "xs": "A list or tuple of arrays.",
    "shape": "Length of each axis: an integer or a tuple.",
    "axis": "Axis; negative ones count from the last. Where several make sense, also a tuple.",
    "keepdims": "Whether the reduced axes stay, with length one.",
    "dtype": "Dtype of the result; None for the usual one.",
}
SECTIONS = ("Returns:", "Raises:", "Examples:", "Source:")


def with_parameters(doc: str, names: Iterable[str]) -> str:
    """A docstring with the section `Args:`, if it has none and all names are shared ones.

    Examples:
        >>> print(with_parameters("The sine.", ["dtype"]))
        The sine.
        <BLANKLINE>
            Args:
                dtype: Dtype of the result; None for the usual one.
    """
    names = list(names)
    if "Args:" in doc or not names or not SHARED.keys() >= set(names):
        return doc
    text = "\n\n    Args:" + "".join(f"\n        {name}: {SHARED[name]}" for name in names)
    cuts = [cut for section in SECTIONS if (cut := doc.find(f"\n\n    {section}")) >= 0]
    cut = min(cuts, default=len(doc.rstrip()))
    return doc[:cut] + text + doc[cut:]
