"""How much memory a server and its kernels take together, as a container counts it."""

import threading

import psutil


def used(process: psutil.Process) -> int:
    """Bytes of a process and all below it; what several of them share counts once."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            found = one.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it ended meanwhile
        total += getattr(found, "pss", found.uss)
    return total


class Peak(threading.Thread):
    """Watches a process and all below it within a `with` block.

    Args:
        pid: The process.
        interval: Seconds between two looks.

    Attributes:
        bytes: The largest total seen.
    """

    def __init__(self, pid: int, interval: float = 0.1) -> None:
        super().__init__(daemon=True)
        self.process, self.interval, self.bytes = psutil.Process(pid), interval, 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look until the block ends."""
        while not self.ended.wait(self.interval):
            self.bytes = max(self.bytes, used(self.process))

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.join()
