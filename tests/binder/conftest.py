"""The browser that the tests of the widgets use."""

from ui.conftest import (  # noqa: F401 - fixtures are found by their names
    browser_context_args,
    browser_type_launch_args,
)
