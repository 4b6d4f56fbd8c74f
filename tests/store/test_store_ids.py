"""Identifiers: the layout of RFC 9562, and an order that no clock can break."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.store import ids

milliseconds = st.integers(min_value=0, max_value=(1 << 48) - 1)


@given(milliseconds)
def test_is_a_uuid_of_version_7_with_its_time(at_ms: int) -> None:
    identifier = ids.next_id(at_ms, None)
    read = uuid.UUID(bytes=identifier)
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == at_ms == ids.time_of(identifier)
    assert ids.to_text(identifier) == str(read)
    assert ids.from_text(str(read)) == identifier
    assert ids.is_valid(identifier)


def test_layout_of_the_example_in_the_rfc() -> None:
    """RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F, of 2022-02-22T14:22:22-05:00."""
    identifier = ids.from_text("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert ids.time_of(identifier) == 0x017F22E279B0 == 1_645_557_742_000
    assert ids.counter_of(identifier) == 0xCC3


@given(st.lists(milliseconds, min_size=2, max_size=50))
def test_each_id_is_greater_than_the_last_whatever_the_clock_does(clock: list[int]) -> None:
    last = None
    for at_ms in clock:
        following = ids.next_id(at_ms % (1 << 47), last)
        assert ids.is_valid(following)
        assert last is None or following > last
        last = following


def test_a_full_counter_goes_on_in_the_next_millisecond() -> None:
    full = ids.from_text("017f22e2-79b0-7fff-98c4-dc0c0c07398f")
    following = ids.next_id(0, full)
    assert following > full
    assert ids.time_of(following) == ids.time_of(full) + 1


def test_a_fresh_counter_leaves_room_to_count() -> None:
    assert ids.counter_of(ids.next_id(5, None, random=lambda size: b"\xff" * size)) == 0x7FF


@pytest.mark.parametrize(
    "text", ["", "nonsense", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "017f22e279b07cc398c4dc0c0c07398f"]
)
def test_what_is_no_uuid_of_version_7_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        ids.from_text(text)
