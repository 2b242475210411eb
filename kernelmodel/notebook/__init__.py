"""The Python half of each widget, still pictures, and the hooks that show them."""

__all__: list[str] = []
