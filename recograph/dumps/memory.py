"""Which allocators hold the memory that reading takes, and for how long: by measure, not by need.

A dump is read in blocks of a few megabytes, each of which is dropped soon. The C library gives such blocks back to the
system at once, and the first touch of new ones took a fifth to a third of all processor time.
"""

import ctypes
import os
from contextlib import suppress
from functools import cache

import pyarrow as pa

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""How malloc.h of the GNU C library names its settings."""
_LARGEST_BLOCK, _MOST_KEPT = 32 << 20, 64 << 20


@cache
def keep_memory() -> None:
    """Let this process use dropped memory again, where neither the user nor the system decides it otherwise."""
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        # Threads that make and drop thousands of arrays hold a third less with jemalloc. Not every Arrow has it.
        with suppress(NotImplementedError):
            pa.set_memory_pool(pa.jemalloc_memory_pool())
    if not any(name.startswith("MALLOC_") for name in os.environ):
        # Other C libraries have no such function, and keep memory in their own ways.
        with suppress(AttributeError, OSError, TypeError):
            library = ctypes.CDLL(None)
            library.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
            library.mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
