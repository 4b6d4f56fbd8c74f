"""Keys and the line editor: whatever the terminal sends, in whatever pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.terminal.keys import KeyReader, LineEditor, Paste

SEQUENCES = {
    b"a": ["a"],
    b"\r": ["enter"],
    b" ": [" "],
    b"\x7f": ["backspace"],
    b"\x1b[A": ["up"],
    b"\x1bOB": ["down"],
    b"\x1b[3~": ["delete"],
    b"\x1b[6~": ["pgdn"],
    b"\x1b[1;5C": ["alt+f"],
    b"\x1bh": ["alt+h"],
    b"\x01": ["ctrl+a"],
    "é日".encode(): ["é", "日"],
    b"\x1b[200~a\x1b[Ab\r\x1b[201~": ["a\x1b[Ab\r"],
    b"\x1b[99;99;99X": [],
    b"abc": ["a", "b", "c"],
}


@pytest.mark.parametrize(("data", "keys"), SEQUENCES.items(), ids=repr)
def test_keys(data: bytes, keys: list[str]) -> None:
    assert KeyReader().feed(data) == keys


@given(st.lists(st.sampled_from(list(SEQUENCES)), max_size=6), st.data())
def test_the_pieces_in_which_bytes_arrive_do_not_matter(sent: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(sent)
    reader, keys = KeyReader(), []
    at = 0
    while at < len(whole):
        size = data.draw(st.integers(1, 5))
        keys += reader.feed(whole[at : at + size])
        at += size
    assert keys == [key for one in sent for key in SEQUENCES[one]]


def test_an_esc_alone_waits_for_what_may_follow() -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b") == [] and reader.waiting
    assert reader.flush() == ["esc"] and not reader.waiting
    assert reader.feed(b"\x1b\x1b[A") == ["esc", "up"]


@given(st.binary(max_size=200))
def test_no_bytes_crash_it_and_no_control_character_becomes_a_letter(data: bytes) -> None:
    reader = KeyReader()
    for key in [*reader.feed(data), *reader.flush()]:
        if not isinstance(key, Paste) and len(key) == 1:
            assert key.isprintable() or not key.isascii()


KEYS = ["a", "b", " ", "é", "left", "right", "home", "end", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k"]


@given(st.lists(st.sampled_from([*KEYS, "alt+b", "alt+f", "ctrl+a", "ctrl+e"]), max_size=40), st.integers(8, 30))
def test_the_cursor_stays_in_the_text_and_in_view(keys: list[str], columns: int) -> None:
    from kb.terminal.text import width

    editor = LineEditor()
    for key in keys:
        assert editor.press(key)
        assert 0 <= editor.cursor <= len(editor.text)
        shown, column = editor.view(columns)
        assert 0 <= column < columns and width(shown) <= columns and shown in editor.text


def test_editing_as_in_a_shell() -> None:
    editor = LineEditor()
    for key in ["o", "n", "e", " ", "t", "w", "o", "alt+b", "x", "ctrl+a", "alt+f", "!", "end", "ctrl+w"]:
        editor.press(key)
    assert (editor.text, editor.cursor) == ("one! ", 5)
    editor.press("ctrl+u")
    assert editor.text == ""


def test_a_paste_is_one_line_without_controls_and_not_endless() -> None:
    editor = LineEditor()
    editor.press(Paste("a\nb\x1b[2J" + "x" * 1_000_000))
    assert editor.text.startswith("a b␛[2J") and len(editor.text) <= 100_000


def test_what_ends_a_line_is_not_for_the_editor() -> None:
    editor = LineEditor("x")
    assert not any(editor.press(key) for key in ("enter", "esc", "tab", "up", "down", "alt+h", "pgup"))
