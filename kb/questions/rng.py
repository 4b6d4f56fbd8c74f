"""The random numbers that the tests of a code question draw. Runs inside the sandbox: nothing of kb is imported."""

from __future__ import annotations

import random
import sys
from typing import Any


class Rng(random.Random):
    """The ``rng`` of ``cases`` and ``check``: Python's ``random.Random``, and what NumPy's Generator has besides.

    ``rng.randint(1, 6)`` and ``rng.choice("ab")`` are Python's, ``rng.integers(1, 7, size=3)``, ``rng.normal(size=4)``
    and ``rng.uniform(0, 1, size=4)`` NumPy's.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._seed = seed
        self._generator: Any = None

    @property
    def numpy(self) -> Any:
        """The NumPy Generator behind."""
        if self._generator is None:
            import numpy  # only tests that draw arrays need it

            self._generator = numpy.random.default_rng(self._seed % 2**63)
        return self._generator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.numpy, name)

    def random(self, size: Any = None, **more: Any) -> Any:
        return super().random() if size is None and not more else self.numpy.random(size, **more)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return super().uniform(low, high) if size is None else self.numpy.uniform(low, high, size)

    def choice(self, items: Any, size: Any = None, **more: Any) -> Any:  # type: ignore[override]
        if size is None and not more and hasattr(items, "__getitem__") and not hasattr(items, "dtype"):
            return super().choice(items)
        return self.numpy.choice(items, size, **more)

    def shuffle(self, items: Any, **more: Any) -> None:  # type: ignore[override]
        if isinstance(items, list):
            super().shuffle(items)
        else:
            self.numpy.shuffle(items, **more)


def seed_all(seed: int) -> None:
    """Seed the generators that code uses when it is handed none."""
    random.seed(seed)
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    if torch is not None:
        torch.manual_seed(seed % 2**63)
