"""The package's structure: imports point one way, names are exported on purpose."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import kernelmodel as km

ROOT = Path(km.__file__).parent

# A package may import from itself and from what stands before it.
ORDER = [
    {"engine"},
    {"ops"},
    {"core"},
    {"initializers", "regularizers", "constraints", "activations"},
    {"random"},
    {"layers"},
    {"losses", "optimizers", "callbacks"},
    {"metrics"},
    {"training"},
    {"models"},
    {"saving"},
    {"distribute"},
    {"explain"},
    {"notebook"},
    {"utils"},
    {"datasets", "preprocessing", "visualization", "wrappers"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT)

HEAVY = [
    "anywidget",
    "h5py",
    "ipywidgets",
    "jax",
    "matplotlib",
    "ml_dtypes",
    "multiprocessing",
    "numba",
    "numpy.testing",
    "pandas",
    "plotly",
    "polars",
    "pyarrow",
    "rich",
    "PIL",
    "scipy",
    "sklearn",
    "tarfile",
    "urllib.request",
    "wave",
]


def imports(tree: ast.AST) -> list[tuple[ast.stmt, str]]:
    """Every import of our own package below a node, with the imported module."""
    found: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "kernelmodel":
                found += [(node, f"kernelmodel.{alias.name}") for alias in node.names]
            else:
                found.append((node, node.module))
    return [(node, name) for node, name in found if name.split(".")[0] == "kernelmodel"]


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_up(path):
    own = LEVEL[package_of(path)]
    for node, name in imports(ast.parse(path.read_text())):
        parts = name.split(".")
        assert len(parts) > 1, f"line {node.lineno}: import the module, not the whole package"
        level = LEVEL[parts[1]]
        same = parts[1] == package_of(path)
        assert level < own or same or (level == own == 3), f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_of_our_own_inside_a_function(path):
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert [node.lineno for node, _ in imports(function)] == []


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("name", [None, *sorted(km.__all__)])
def test_exports_are_explicit(name):
    module = km if name is None else getattr(km, name)
    if not hasattr(module, "__path__") and name is not None:
        return
    assert sorted(module.__all__) == sorted(set(module.__all__)), "a name twice"
    for export in module.__all__:
        assert hasattr(module, export), export


def test_nothing_else_is_public():
    extra = {n for n in vars(km) if not n.startswith("_")} - set(km.__all__)
    assert extra <= {"core", "engine", "training"}


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_loads_nothing_heavy(heavy):
    code = f"import sys, kernelmodel; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_module_imports_on_its_own():
    for path in MODULES:
        importlib.import_module(
            ".".join(["kernelmodel", *path.relative_to(ROOT).with_suffix("").parts])
        )


@pytest.mark.parametrize("path", sorted((ROOT / "ops").glob("*.py")), ids=lambda p: p.name)
def test_every_op_is_exported(path):
    module = importlib.import_module(f"kernelmodel.ops.{path.stem}")
    ops = {
        name
        for name, value in vars(module).items()
        if getattr(value, "__op__", False)
        and not name.startswith("_")
        and value.__module__ == module.__name__
    }
    internal = {"keep_mask"}
    assert ops - internal <= set(getattr(module, "__all__", []))
