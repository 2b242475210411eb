"""Doctests import every module; this one needs what may not be installed."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["raw_torch.py"]
