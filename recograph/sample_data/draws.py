"""Random numbers as a pure function of seed, purpose and index.

Nothing has to be remembered from one table, chunk or day to the next: asking again for the same index gives the same
number. That is what lets dumps of any size stream, and days of the same world agree with each other.

These numbers are only added, subtracted, multiplied, divided and put under square roots, which IEEE 754 defines to the
last bit. Powers and logarithms differ between processors, so the same seed would not give the same dump everywhere.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@cache
def _key(*parts: object) -> np.uint64:
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


class Draws:
    """Independent streams of random numbers, one stream per purpose; an index gives a number of a stream."""

    def __init__(self, *seed: object) -> None:
        self._seed = seed

    def bits(self, purpose: str, index: Ints) -> npt.NDArray[np.uint64]:
        """64 random bits per index (the finalizer of splitmix64)."""
        x = index.astype(np.uint64) * _GOLDEN + _key(*self._seed, purpose)
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
        return x

    def uniform(self, purpose: str, index: Ints) -> Floats:
        """Numbers in [0, 1)."""
        return (self.bits(purpose, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def early(self, purpose: str, index: Ints) -> Floats:
        """Numbers in [0, 1), half of them below a quarter."""
        uniform = self.uniform(purpose, index)
        return uniform * uniform

    def integers(self, purpose: str, index: Ints, below: int) -> Ints:
        """Whole numbers in [0, below)."""
        return ((self.bits(purpose, index) >> np.uint64(32)) % np.uint64(below)).astype(np.int64)

    def chance(self, purpose: str, index: Ints, probability: float) -> Bools:
        """True with the given probability."""
        return self.uniform(purpose, index) < probability

    def pick(self, purpose: str, index: Ints, options: Sequence[T]) -> list[T]:
        """One of the options, each as likely as the others."""
        return [options[i] for i in self.integers(purpose, index, len(options)).tolist()]

    def order(self, purpose: str, count: int) -> Ints:
        """A random rank for each of `count` things: a permutation of 0..count-1."""
        rank = np.empty(count, np.int64)
        rank[np.argsort(self.bits(purpose, np.arange(count)), kind="stable")] = np.arange(count)
        return rank

    def characters(self, purpose: str, index: Ints, alphabet: str, length: int) -> list[str]:
        """Random text of a fixed length over an alphabet."""
        words = -(-length // 8)
        bits = self.bits(purpose, (index[:, None] * 64 + np.arange(words)).ravel())
        letters = np.frombuffer(alphabet.encode("ascii"), np.uint8)
        chosen = letters[bits.view(np.uint8).reshape(len(index), words * 8)[:, :length] % len(letters)]
        return np.ascontiguousarray(chosen).view(f"S{length}").ravel().astype(str).tolist()
