"""Nodes carry data and nothing else; results are compared by stated rules; a hostile node is no value."""

from __future__ import annotations

import collections
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.questions.compare import Closeness, Raised, difference, read, show
from kb.questions.nodes import Unsendable, decode, encode
from kb.questions.number import Tolerance

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary()
keys = st.integers() | st.text() | st.booleans()
data = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)
EXACT = Closeness(Tolerance())


def told(expected: Any, got: Any, closeness: Closeness = EXACT) -> str | None:
    return difference(read(encode(expected)), read(encode(got)), closeness)


@given(data)
def test_data_survives_the_way_there(value: Any) -> None:
    assert repr(decode(encode(value))) == repr(value)


@given(data)
def test_a_value_agrees_with_itself(value: Any) -> None:
    assert told(value, value) is None
    show(read(encode(value)))


@given(data, data)
def test_agreement_goes_both_ways(one: Any, other: Any) -> None:
    assert (told(one, other) is None) is (told(other, one) is None)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool", "complex64", "complex128"]
)
def test_arrays_survive_the_way_there(dtype: str) -> None:
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(dtype)
    for value in (array, array[:, ::2].T, array[:0], array[0, 0, 0]):
        back = decode(encode(value))
        assert back.dtype == value.dtype and back.shape == value.shape
        np.testing.assert_array_equal(back, value)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int32", "bool", "complex64"])
def test_tensors_survive_the_way_there(dtype: str) -> None:
    tensor = (torch.arange(24).reshape(2, 3, 4) - 5).to(getattr(torch, dtype))
    for value in (tensor, tensor.transpose(0, 2), tensor[:0], tensor[0, 0, 0]):
        back = decode(encode(value))
        assert back.dtype == value.dtype and back.shape == value.shape and torch.equal(back, value)
    wanting = torch.ones(2, requires_grad=True) * 2
    assert decode(encode(wanting)).tolist() == [2.0, 2.0]
    assert decode(encode(torch.eye(2).to_sparse())).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@given(st.sets(st.integers() | st.text()))
def test_sets_survive_the_way_there(value: set[Any]) -> None:
    assert decode(encode(value)) == value
    assert encode(value) == encode(set(sorted(value, key=repr)))


def test_iterators_are_taken_and_dtypes_named() -> None:
    assert decode(encode(iter("ab"))) == ["a", "b"]
    assert decode(encode(range(3))) == [0, 1, 2]
    assert decode(encode({1: 2}.values())) == [2]
    assert decode(encode(torch.float32)) is torch.float32
    assert decode(encode(np.float32)) == np.dtype("float32")
    point = collections.namedtuple("point", "x y")
    assert decode(encode(point(1, 2))) == (1, 2)


class Liar(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Impostor(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize("value", [print, object(), Liar(3), Impostor(), int, math, {1: print}, [object()], Ellipsis])
def test_what_is_no_data_is_not_sent(value: object) -> None:
    with pytest.raises(Unsendable):
        encode(value)


def test_endless_and_circular_values_are_not_sent() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (iter(int, 1), circle, np.zeros(2_000_000)):
        with pytest.raises(Unsendable):
            encode(value)


def test_a_given_function_goes_by_its_name() -> None:
    def square(x: float) -> float:
        return x * x

    given_names = {"square": square}
    assert encode(square, given_names) == ["g", "square"]
    assert decode(["g", "square"], given_names) is square


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("nbifcsyltdSaDgox0.1- ", max_size=8),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


@given(json_values)
def test_a_hostile_node_is_a_value_or_a_value_error(node: Any) -> None:
    try:
        value = read(node)
    except ValueError:
        return
    show(value)
    difference([1.0], value, EXACT)


@pytest.mark.parametrize(
    "node",
    [
        ["a", "os", "system", [], [1]],
        ["a", "torch", "save", [], [1]],
        ["a", "numpy", "float64", [2], [1]],
        ["a", "numpy", "float64", [-1], []],
        ["D", "os", "float32"],
        ["D", "torch", "load"],
        ["i", "z"],
        ["f", "0x1p99999"],
        ["y", "?"],
        ["l", 3],
        ["d", [["n"]]],
        ["x", "E", "m", "1"],
        [[[]]],
        [],
        None,
        "n",
        ["?"],
    ],
)
def test_nodes_that_nobody_sends_are_refused(node: Any) -> None:
    with pytest.raises(ValueError):
        read(node)


def deep(levels: int) -> Any:
    node: Any = ["n"]
    for _ in range(levels):
        node = ["l", [node]]
    return node


def test_a_node_without_end_is_refused() -> None:
    with pytest.raises(ValueError):
        read(deep(500))


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("expected", "got", "agree"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (True, 1, False),
        (NAN, NAN, True),
        (NAN, 1.0, False),
        (1.0, NAN, False),
        (INF, INF, True),
        (INF, -INF, False),
        (INF, 1e308, False),
        (10**400, 10**400, True),
        (10**400, 1.0, False),
        (2**53, 2**53 + 1, False),
        (None, 0, False),
        (None, None, True),
        ("a", "a", True),
        ("a", "A", False),
        ("1", 1, False),
        (b"a", "a", False),
        ([1, 2], (1, 2), True),
        ([1, 2], [1, 2, 3], False),
        ([1, 2], {1, 2}, False),
        ({1, 2}, {2, 1}, True),
        ({1, 2}, {1, 3}, False),
        ({1, 2}, {1}, False),
        ([[1.0, 2.0]], np.array([[1, 2]]), True),
        (np.array([1.0, 2.0]), [1, 2], True),
        (np.array([1.0, 2.0]), torch.tensor([1.0, 2.0]), True),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]]), False),
        (np.array([1.0, 2.0]), [[1.0], [2.0]], False),
        (np.array([1.0, 2.0]), [1.0, "2"], False),
        (np.array([1.0, 2.0]), None, False),
        (np.array([True, False]), [True, False], True),
        (np.array([True, False]), [1, 0], False),
        (np.array([1, 0]), np.array([True, False]), False),
        (np.array([NAN]), [NAN], True),
        (np.array(3.0), 3, True),
        (3.0, torch.tensor(3.0), True),
        (3.0, torch.tensor([3.0]), False),
        (np.float32(0.5), 0.5, True),
        ([], np.zeros(0), True),
        (np.zeros((0, 3)), np.zeros((0, 2)), False),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, [("a", 1)], False),
        ({1: 2}, {"1": 2}, False),
        (1 + 2j, 1 + 2j, True),
        (1 + 2j, 1 + 3j, False),
        (1.0, 1 + 0j, True),
    ],
)
def test_the_rules(expected: Any, got: Any, agree: bool) -> None:
    assert (told(expected, got) is None) is agree


@pytest.mark.parametrize(
    ("tolerance", "expected", "got", "agree"),
    [
        ("0.1", 100.0, 109.0, True),
        ("0.1", 100.0, 111.0, False),
        ("0.1", 0.0, 0.09, True),
        ("1%", 0.0, 0.001, False),
        ("1%", 100.0, 100.9, True),
        ("1e-9", 5, 6, False),
        ("0.5", 5, 6, False),
        (None, 1.0, 1.0 + 1e-8, True),
        (None, 1.0, 1.0 + 1e-6, False),
        (None, np.ones(2, "float32"), np.ones(2) + 5e-6, True),
        (None, np.ones(2, "float32"), np.ones(2) + 5e-5, False),
        (None, torch.ones(2, dtype=torch.bfloat16), torch.ones(2) + 5e-3, True),
    ],
)
def test_tolerances(tolerance: str | None, expected: Any, got: Any, agree: bool) -> None:
    assert (told(expected, got, Closeness(Tolerance.of(tolerance))) is None) is agree


def test_dtypes_count_where_they_are_asked_for() -> None:
    strict = Closeness(Tolerance(), dtype=True)
    assert told(np.ones(2, "float32"), np.ones(2, "float32"), strict) is None
    assert "float64 where float32" in str(told(np.ones(2, "float32"), np.ones(2), strict))
    assert "of Python where float32" in str(told(np.ones(2, "float32"), [1.0, 1.0], strict))


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (1.0, 1.5, "off by 0.5"),
        (1.0, NAN, "nan where 1 is expected"),
        ([1.0, [2.0]], [1.0, [2.5]], "at [1][0], off by 0.5"),
        (np.zeros((2, 2)), [[0.0, 1.0], [3.0, 0.0]], "2 of 4 values differ, most at [1, 0]: off by 3"),
        (np.zeros((2, 2)), [[0.0, 1.0], [0.0, 0.0]], "one value differs, at [0, 1]: off by 1"),
        (np.zeros((2, 2)), np.zeros(4), "shape (4,) where (2, 2) is expected"),
        ([1, 2], [1], "1 items where 2 are expected"),
        ({"a": 1}, {}, "the key 'a' is missing"),
        ({"a": [1]}, {"a": [2]}, "at ['a'][0], off by 1"),
        ("a", 1, "a whole number where a text is expected"),
        (None, [1], "a list where None is expected"),
        ("abc", "abd", "not the same text"),
        (True, 1, "a whole number where a bool is expected"),
    ],
)
def test_a_difference_is_told_in_a_line(expected: Any, got: Any, says: str) -> None:
    assert told(expected, got) == says


def test_exceptions_and_things_that_are_no_data() -> None:
    assert difference(1, read(["x", "ValueError", "no", 3]), EXACT) == "ValueError: no (line 3)"
    assert "a value of type E is no number" in str(difference(1, read(["o", "a value of type E"]), EXACT))
    assert read(["x", "E", "", None]) == Raised("E", "", None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.arange(3), "array([0, 1, 2])"),
        (torch.tensor([[0.5, 1.0]]), "tensor([[0.5, 1]], float32)"),
        (np.float32(2.5), "array(2.5, float32)"),
        ((1,), "(1,)"),
        ({"a": [1.5, None]}, "{'a': [1.5, None]}"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]"),
        ("text", "'text'"),
        (torch.float16, "torch.float16"),
        ({3}, "{3}"),
        (set(), "set()"),
    ],
)
def test_values_are_shown_as_python_writes_them(value: Any, shown: str) -> None:
    assert show(read(encode(value))) == shown


def test_what_is_long_is_cut() -> None:
    assert len(show(["x" * 10_000])) <= 402
    assert len(show(2**10_000)) < 60
