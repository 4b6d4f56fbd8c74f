"""``--save``: real pictures under safe names, and everything as JSON and Markdown."""

from __future__ import annotations

import json
import os
import re

import pytest

from kb.demos.save import file_names

pytest.importorskip("matplotlib")


def pictures(folder):
    """Width and height of each PNG, read from its header."""
    sizes = {}
    for path in folder.glob("*.png"):
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND"
        sizes[path.name] = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return sizes


@pytest.mark.slow
def test_every_figure_is_a_picture_and_names_are_safe(run_kb, lab, tmp_path):
    folder = tmp_path / "out" / "deeper"
    result = run_kb("demo", "figures", "--save", str(folder), "--json")
    assert result.returncode == 0, result.stderr
    sizes = pictures(folder)
    assert sorted(sizes) == ["etc-passwd.png", "figure.png", "nothing-to-see.png", "same-2.png", "same.png"]
    assert all(width >= 900 and height >= 500 for width, height in sizes.values())
    assert sorted(result.stderr.splitlines()) == sorted(
        f"saved {folder / name}" for name in [*sizes, "report.json", "report.md"]
    )
    assert json.loads(result.stdout)["demo"] == "figures", "stdout is still the one document"


@pytest.mark.slow
def test_the_json_has_all_the_numbers(run_kb, lab, tmp_path):
    run_kb("demo", "figures", "--save", str(tmp_path / "out"))
    text = (tmp_path / "out/report.json").read_text(encoding="utf-8")
    shown = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert [figure["kind"] for figure in shown["figures"]] == ["curve", "curve", "bars", "bars", "image"]
    assert shown["figures"][0]["series"] == [[1.0, "NaN", 3.0], ["Infinity", -1.0, 2.0]]
    assert shown["tables"][0]["rows"] == [["x|y", "NaN"], ["", "Infinity"]]
    assert {"demo", "at", "notes", "summary", "versions", "checks", "metrics"} <= set(shown)


@pytest.mark.slow
def test_the_markdown_refers_to_the_pictures_that_are_there(run_kb, lab, tmp_path):
    folder = tmp_path / "out"
    run_kb("demo", "figures", "--save", str(folder))
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert set(re.findall(r"!\[.*?\]\((.+?)\)", text)) == set(pictures(folder))
    assert "| x\\|y | NaN |" in text
    run_kb("demo", "lab", "--save", str(folder))
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "| ✓ | rate-halves | 0.5 | ≈ | 0.5 ± 0.005 |" in text and "- Said in a note." in text


def test_a_folder_that_cannot_be_written_is_told_before_the_demo_runs(run_kb, lab, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = run_kb("demo", "loud", "--save", str(tmp_path / "file" / "out"))
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("kb: cannot make the folder") and len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_full_disk_is_a_line_and_the_result_was_shown(run_kb, lab, tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "report.json").symlink_to("/dev/full")
    result = run_kb("demo", "lab", "--save", str(folder))
    assert result.returncode == 1 and "2 checks held" in result.stdout
    assert (
        result.stderr.splitlines()[-1]
        == f"kb: the report could not be saved in {str(folder)!r}: No space left on device"
    )


def test_without_matplotlib_it_is_told_before_the_demo_runs(run_kb, lab, without, tmp_path):
    result = run_kb("demo", "loud", "--save", str(tmp_path / "out"), env=without("matplotlib"))
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == 'kb: matplotlib is not installed; install it with: pip install "kb-scribbles[demos]"\n'


def test_file_names_differ_even_where_case_does_not_count():
    names = file_names(["A", "a", "a-2", "", "日本", "con", "report", "../x", "x" * 200, "Größe in ψ"])
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,64}\.png", name) and not name.startswith("-") for name in names)
    assert "con.png" not in names and "report.png" not in names
