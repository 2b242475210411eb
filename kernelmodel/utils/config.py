"""Config: named values, such as the settings of a training."""

from __future__ import annotations

import difflib
import json
from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import Any


class Config(MutableMapping[str, Any]):
    """A dict whose values are also attributes, and which can be frozen.

    A name that one of its methods has ("items", "update", …) is reached by `config["items"]` alone.

    Args:
        **kwargs: Its first values by name.

    Raises:
        AttributeError: There is no value of that name, or it is that of a method.
        ValueError: A change while it is frozen.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.utils.Config(learning_rate=0.1)
        >>> config.epochs = 3
        >>> config["epochs"], config.learning_rate, "seed" in config
        (3, 0.1, False)
        >>> config.to_json()
        '{"learning_rate": 0.1, "epochs": 3}'
        >>> config.freeze()
        >>> config.epochs = 4
        Traceback (most recent call last):
            ...
        ValueError: Config: 'epochs' can't be changed while it is frozen; unfreeze() allows changes.
    """

    _frozen: bool
    _values: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_values", kwargs)
        object.__setattr__(self, "_frozen", False)

    # ---- freezing ----

    @property
    def frozen(self) -> bool:
        """Whether values can't be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Forbid changes; containers among the values stay as they are."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def _check_open(self, name: str) -> None:
        if self._frozen:
            raise ValueError(
                f"Config: {name!r} can't be changed while it is frozen; unfreeze() allows changes."
            )

    # ---- as something else ----

    def as_dict(self) -> dict[str, Any]:
        """A dict of the values, which are not copied."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON; configs among them become objects, too."""
        return json.dumps(self._values, default=_plain)

    # ---- as a dict ----

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_open(key)
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        self._check_open(key)
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> KeysView[str]:
        """The names, in the order in which they came."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """The values, in the same order."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Names with their values, in the same order."""
        return self._values.items()

    def pop(self, key: str, *default: Any) -> Any:
        """Take a value out.

        Args:
            key: Its name.
            *default: What to return if there is none; else that is a KeyError.
        """
        self._check_open(key)
        return self._values.pop(key, *default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take values over.

        Args:
            *args: A mapping, or pairs of names and values.
            **kwargs: More of them.
        """
        new = dict(*args, **kwargs)
        for name in new:
            self._check_open(name)
        self._values.update(new)

    # ---- as an object ----

    def __getattr__(self, name: str) -> Any:
        values = object.__getattribute__(self, "_values")
        if name in values:
            return values[name]
        close = difflib.get_close_matches(name, map(str, values), n=1, cutoff=0.7)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"Config has no value {name!r}.{hint}", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        self[self._of_value(name)] = value

    def __delattr__(self, name: str) -> None:
        name = self._of_value(name)
        if name not in self._values:
            raise AttributeError(f"Config has no value {name!r}.", name=name, obj=self)
        del self[name]

    def _of_value(self, name: str) -> str:
        if hasattr(type(self), name) or name in self.__dict__:
            raise AttributeError(
                f"Config: {name!r} is its own attribute. Use config[{name!r}] for the value."
            )
        return name

    def __getstate__(self) -> dict[str, Any]:  # a copy has its own dict
        return {"_values": self.as_dict(), "_frozen": self._frozen}

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *map(str, self._values)})

    def __repr__(self) -> str:
        return f"<Config {self._values}>"


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.as_dict()
    raise TypeError(f"Config.to_json: {type(value).__name__} can't be written as JSON.")
