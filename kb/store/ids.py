"""Identifiers of events: UUIDs of version 7 (RFC 9562, section 5.7) that also serve as a logical clock.

    unix_ts_ms (48 bits) | ver = 7 (4) | counter (12) | var = 0b10 (2) | random (62)

Each new one is greater than every one that is in the log already, whatever the clock on the wall does (RFC 9562,
section 6.2, method 1: a counter of fixed length). So the order of ids is the order in which things happened: on one
device always, and across devices whenever one had seen the other's events. That is a hybrid logical clock (Kulkarni et
al. 2014, "Logical Physical Clocks").
"""

from __future__ import annotations

import os
from collections.abc import Callable

SIZE = 16
_COUNTER_BITS = 12
_COUNTER_LIMIT = 1 << _COUNTER_BITS
_RANDOM_BITS = 62
_TIME_LIMIT = 1 << 48


def next_id(at_ms: int, last: bytes | None, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """The 16 bytes of a new id at UTC millisecond ``at_ms``, greater than ``last``.

    The time in the id is ``at_ms`` unless ``last`` is as late or later: then the counter goes on from ``last``, and
    when it is full, the millisecond. A fresh counter begins in its lower half, which leaves room to count.
    """
    noise = int.from_bytes(random(10), "big")
    milliseconds = min(max(at_ms, 0), _TIME_LIMIT - 1)
    counter = (noise >> _RANDOM_BITS) % (_COUNTER_LIMIT // 2)
    if last is not None and milliseconds <= time_of(last):
        milliseconds, counter = time_of(last), counter_of(last) + 1
        if counter == _COUNTER_LIMIT:
            milliseconds, counter = milliseconds + 1, 0
    value = milliseconds << 80 | 7 << 76 | counter << 64 | 0b10 << 62 | noise % (1 << _RANDOM_BITS)
    return value.to_bytes(SIZE, "big")


def time_of(identifier: bytes) -> int:
    """The UTC millisecond in an id."""
    return int.from_bytes(identifier[:6], "big")


def counter_of(identifier: bytes) -> int:
    """The counter in an id: of several in one millisecond, the later has the higher."""
    return int.from_bytes(identifier[6:8], "big") % _COUNTER_LIMIT


def is_valid(identifier: bytes) -> bool:
    """Whether the bytes are a UUID of version 7."""
    return len(identifier) == SIZE and identifier[6] >> 4 == 7 and identifier[8] >> 6 == 0b10


def to_text(identifier: bytes) -> str:
    """The id as it is written: ``0193569e-8a5b-7c31-9d3e-0f1a2b3c4d5e``."""
    h = identifier.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def to_bytes(text: str) -> bytes:
    """The bytes of a written id that is known to be one."""
    return bytes.fromhex(text.replace("-", ""))


def from_text(text: str) -> bytes:
    """The bytes of a written id; ValueError if it is not a UUID of version 7."""
    identifier = to_bytes(text)
    if not is_valid(identifier) or to_text(identifier) != text.lower():
        raise ValueError(f"not a UUID of version 7: {text!r}")
    return identifier
