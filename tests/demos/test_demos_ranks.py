"""Ranks: results in order, failures named, nobody left behind, and the way over host memory gives the same sums."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the ranks need torch, of the extra `demos`")

from kb.demos import ranks  # noqa: E402
from kb.errors import DemoError  # noqa: E402

pytestmark = pytest.mark.slow


def _who(place: ranks.Rank, word: str) -> tuple[int, int, str]:
    return place.rank, place.size, word


def _collect(place: ranks.Rank, staged: bool) -> dict[str, Any]:
    place = dataclasses.replace(place, staged=staged)
    whole = torch.arange(4.0 * place.size) + place.rank
    part = torch.empty(4)
    ranks.reduce_scatter(part, whole, place)
    gathered = torch.empty(4 * place.size)
    ranks.all_gather(gathered, part, place)
    summed = torch.full((3,), float(place.rank))
    ranks.Pending(summed, place).wait()
    sent = torch.full((2,), float(place.rank))
    ranks.broadcast(sent, place)
    names = ranks.gather(place.rank, place.size)
    return {"gathered": gathered.tolist(), "summed": summed.tolist(), "sent": sent.tolist(), "names": names}


def _fails_on_one(place: ranks.Rank) -> None:
    if place.rank == 1:
        raise ValueError("on purpose")
    torch.distributed.barrier()


def _dies_on_one(place: ranks.Rank) -> None:
    if place.rank == 1:
        os._exit(7)
    torch.distributed.barrier()


def test_results_come_in_the_order_of_the_ranks() -> None:
    assert ranks.launch(_who, 3, "cpu", "hello") == [(0, 3, "hello"), (1, 3, "hello"), (2, 3, "hello")]


@pytest.mark.parametrize("staged", [False, True], ids=["directly", "by host memory"])
def test_collectives_add_up(staged: bool) -> None:
    size = 3
    results = ranks.launch(_collect, size, "cpu", staged)
    expected = [size * value + sum(range(size)) for value in range(4 * size)]
    for result in results:
        assert result["gathered"] == expected
        assert result["summed"] == [3.0] * 3 and result["sent"] == [0.0, 0.0] and result["names"] == [0, 1, 2]


def test_a_rank_that_fails_is_named_and_the_others_are_ended() -> None:
    with pytest.raises(DemoError, match=r"rank 1 failed: ValueError: on purpose \(test_demos_ranks.py:\d+\)"):
        ranks.launch(_fails_on_one, 2, "cpu")
    assert not _children()


def test_a_rank_that_dies_is_named() -> None:
    with pytest.raises(DemoError, match=r"rank 1 failed: it ended without a result \(exit code 7\)"):
        ranks.launch(_dies_on_one, 2, "cpu")
    assert not _children()


def _children() -> list[Any]:
    import multiprocessing

    return [child for child in multiprocessing.active_children() if child.is_alive()]
