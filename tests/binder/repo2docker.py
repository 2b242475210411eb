"""What repo2docker makes of a repository, without Docker.

It reads the same files in the same order (jupyterhub/repo2docker, `app.py` and `buildpacks/`), and
makes a virtual environment, a home with a copy of the repository, and nothing else. What a file
would do that can't be followed here is an error, so that the two can't differ without a word.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

# The first that finds its files builds the image, whatever else lies there.
BUILDPACKS = {
    "Docker": ["Dockerfile"],
    "Julia": ["JuliaProject.toml", "Project.toml", "REQUIRE"],
    "Nix": ["default.nix"],
    "R": ["install.R", "DESCRIPTION"],
    "conda": ["environment.yml"],
    "pipenv": ["Pipfile", "Pipfile.lock"],
    "pyproject": ["pyproject.toml"],
    "Python": ["runtime.txt", "requirements.txt"],
}
# What every image has before the repository's own requirements (environment.py-3.*.yml).
BASE = [
    "ipywidgets==8.*",
    "jupyter-offlinenotebook==0.3.*",
    "jupyter-resource-usage==1.*",
    "jupyter_server==2.*",
    "jupyterhub==5.*",
    "jupyterlab==4.*",
    "notebook==7.*",
]
DEFAULT_PYTHON = "3.10"
# Of this machine's settings, only how to reach the registry, the language and the threads.
KEPT = re.compile(r"PIP_|SSL_|LANG|LC_|.*_proxy$|.*_PROXY$|OPENBLAS_|OMP_")


@dataclass(frozen=True)
class Plan:
    """How an image is made.

    Attributes:
        python: Major and minor version.
        requirements: What pip installs, relative to the repository.
        after_copy: Whether pip needs the repository to be there.
        post_build: A script that runs last, relative to the repository.
    """

    python: str
    requirements: Path | None
    after_copy: bool
    post_build: Path | None


def folder_of(repository: Path) -> Path:
    """The one folder whose files count; those at the top are then ignored."""
    found = [repository / name for name in ("binder", ".binder") if (repository / name).is_dir()]
    if len(found) > 1:
        raise ValueError("There are the folders binder and .binder: repo2docker takes only one.")
    return found[0] if found else repository


def is_local(line: str) -> bool:
    """Whether a line of a requirements file refers to files of the repository."""
    line = line.partition("#")[0].strip()
    if line.startswith(("-r", "-c", "--requirement", "--constraint")):
        return True
    if line.startswith(("-e", "--editable")):
        line = re.sub(r"^(-e|--editable)[ =]*", "", line)
    elif line.startswith("-"):
        return False
    return "file://" in line or line.rpartition("://")[2].startswith(".")


def plan(repository: Path) -> Plan:
    """Read a repository's configuration as repo2docker does."""
    folder = folder_of(repository)
    buildpack = next(
        (pack for pack, names in BUILDPACKS.items() if any((folder / n).exists() for n in names)),
        "Python",
    )
    runtime = folder / "runtime.txt"
    wanted = runtime.read_text().strip() if runtime.exists() else ""
    if wanted.startswith("r-"):
        buildpack = "R"
    if buildpack != "Python":
        raise NotImplementedError(f"repo2docker would use its {buildpack} buildpack.")
    for name in ("apt.txt", "start"):
        if (folder / name).exists():
            raise NotImplementedError(f"repo2docker would use {folder.name}/{name}.")
    if wanted and not re.fullmatch(r"python-3\.\d+", wanted):
        raise ValueError(f"runtime.txt says {wanted!r}, not python-3.N.")
    requirements, post_build = folder / "requirements.txt", folder / "postBuild"
    lines = requirements.read_text().splitlines() if requirements.exists() else []
    return Plan(
        wanted.removeprefix("python-") or DEFAULT_PYTHON,
        requirements.relative_to(repository) if requirements.exists() else None,
        any(map(is_local, lines)),
        post_build.relative_to(repository) if post_build.exists() else None,
    )


def interpreter(version: str) -> str:
    """Python of that version, or with a warning the running one."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    if found := shutil.which(f"python{version}"):
        return found
    warnings.warn(f"No python{version} as on Binder: built with {sys.version}.", stacklevel=2)
    return sys.executable


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


class Image:
    """An environment and a home, made from a repository.

    Args:
        root: An empty folder that stands for the container's root.

    Attributes:
        base: Bytes of what every image has.
        installed: Bytes that the repository's own requirements and `postBuild` add; what the
            former bring stays in the image, even if the latter removes it.
        said: What `postBuild` printed.
    """

    def __init__(self, root: Path) -> None:
        self.home = root / "home" / "jovyan"  # also where the repository is
        self.prefix = root / "srv" / "conda" / "envs" / "notebook"
        self.base = self.installed = 0
        self.said = ""

    def environment(self) -> dict[str, str]:
        """All variables that a process in the image sees."""
        kept = {name: value for name, value in os.environ.items() if KEPT.match(name)}
        path = f"{self.prefix / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return {**kept, "USER": "jovyan", "HOME": str(self.home), "PATH": path}

    def run(self, *command: str | Path) -> str:
        """Run a command in the home and return what it prints."""
        done = subprocess.run(
            list(map(str, command)), cwd=self.home, env=self.environment(), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")
        return done.stdout

    def build(self, repository: Path) -> Image:
        """Do what repo2docker does, in its order."""
        steps = plan(repository)
        pip = (self.prefix / "bin" / "pip", "install", "--quiet", "--no-cache-dir")
        self.home.mkdir(parents=True)
        subprocess.run([interpreter(steps.python), "-m", "venv", str(self.prefix)], check=True)
        self.run(*pip, *BASE)
        self.base = size(self.prefix)
        if steps.requirements and not steps.after_copy:
            with_it = self.home / steps.requirements
            with_it.parent.mkdir(exist_ok=True)
            shutil.copy(repository / steps.requirements, with_it)
            self.run(*pip, "-r", steps.requirements)
        self.copy(repository)
        if steps.requirements and steps.after_copy:
            self.run(*pip, "-r", steps.requirements)
        required = size(self.prefix)
        if steps.post_build:
            (self.home / steps.post_build).chmod(0o755)
            self.said = self.run(self.home / steps.post_build)
        self.installed = max(required, size(self.prefix)) - self.base
        return self

    def copy(self, repository: Path) -> None:
        """Copy what a clone would have: all that git doesn't ignore."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=repository, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (source := repository / name).exists():
                (target := self.home / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
