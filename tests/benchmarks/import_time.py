"""How long `import kernelmodel` takes, as a ratio to `import autograd.numpy`.

Run with `python -m tests.benchmarks.import_time`. Both are imported in fresh processes, in turn.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

# Installed packages have compiled bytecode; some environments keep Python from writing it.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds(module: str) -> float:
    """Time of a fresh process that imports a module, less that of one that imports nothing."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
        return time.perf_counter() - start

    return run(f"import {module}") - run("pass")


def main(rounds: int = 15) -> float:
    """Print the medians and their ratio; returns the ratio."""
    pairs = [(seconds("kernelmodel"), seconds("autograd.numpy")) for _ in range(rounds + 1)][1:]
    ours, base = (statistics.median(column) for column in zip(*pairs))
    ratios = sorted(a / b for a, b in pairs)
    print(f"import kernelmodel     {ours * 1e3:6.0f} ms")
    print(f"import autograd.numpy  {base * 1e3:6.0f} ms")
    print(
        f"ratio                  {statistics.median(ratios):6.2f}"
        f"   ({ratios[0]:.2f} to {ratios[-1]:.2f}, {rounds} rounds)"
    )
    return statistics.median(ratios)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    main(parser.parse_args().rounds)
