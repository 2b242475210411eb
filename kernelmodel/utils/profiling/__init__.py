"""Where the time and the memory of a training step go: `km.utils.profile`."""

from kernelmodel.utils.profiling.measure import profile
from kernelmodel.utils.profiling.result import Profile
from kernelmodel.utils.profiling.rows import ProfileRow

__all__ = ["Profile", "ProfileRow", "profile"]
