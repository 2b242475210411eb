"""What goes wrong with a file that is read is one kind of error: a ValueError.

It names the file and the place in it. A missing file, missing rights and missing packages stay the
errors that they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A model's configuration is text: one beyond this many bytes is not a model's.
MAX_CONFIG = 256 * 2**20
# How notes begin that `deserialize_keras_object` leaves on errors: in which object they happened.
IN = "in the config of "


@contextmanager
def reading(title: str, part: str = "") -> Iterator[None]:
    """Make every error inside a `with` block one ValueError that names the file and the place.

    The place is put together of the notes that begin with `IN`.

    Args:
        title: The file's name.
        part: What of it is read.
    """
    try:
        yield
    except (ImportError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # whatever a damaged config makes a layer do
        notes = getattr(error, "__notes__", [])
        places = [note.removeprefix(IN) for note in reversed(notes) if note.startswith(IN)]
        named = str(error).startswith(title)
        if isinstance(error, ValueError) and named and not places:
            raise
        told = str(error).removeprefix(f"{title}: ") if named else str(error)
        if not isinstance(error, ValueError):
            told = f"the file is damaged, or of another kind ({type(error).__name__}: {told})"
        told = " ".join([told, *(note for note in notes if not note.startswith(IN))])
        where = ": ".join(filter(None, (title, part, " > ".join(places))))
        raise ValueError(f"{where}: {told}") from error


def parse_json(text: bytes | str, title: str, part: str) -> Any:
    """JSON of a file.

    Raises:
        ValueError: It is too large, too deeply nested, or not JSON.
    """
    if len(text) > MAX_CONFIG:
        raise ValueError(f"{title}: {part} has {len(text):,} bytes, which no model needs.")
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError(f"{title}: {part} is nested more deeply than any model.") from None
    except ValueError as error:
        raise ValueError(f"{title}: {part} is damaged, or not JSON ({error}).") from error
