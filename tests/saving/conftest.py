"""Modules beside the tests that they import; they hold no doctests of their own."""

collect_ignore = ["families.py", "layer_models.py", "onnx_runs.py"]
