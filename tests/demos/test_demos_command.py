"""``kb demo`` as scripts and people use it: options from registration alone, one line for every mistake, clean JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("lab")


def strict(text: str):
    """``text`` as JSON that every parser takes: no NaN, no Infinity."""

    def refuse(word: str):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("kb: "), result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


# --- listing


def test_the_list_has_every_demo_with_its_parameters(run_kb):
    listed = {demo["name"]: demo for demo in strict(run_kb("demo", "--json").stdout)}
    assert listed["lab"] == {
        "name": "lab",
        "topic": "lab",
        "summary": "Shows ψ and “all” that is there.",
        "devices": ["cpu", "cuda"],
        "parameters": [
            {"name": "steps", "default": 5, "choices": [], "help": "how many steps"},
            {"name": "rate", "default": 0.5, "choices": [], "help": ""},
            {"name": "kv_heads", "default": 2, "choices": [1, 2, 4], "help": ""},
            {"name": "mode", "default": "plain", "choices": ["plain", "fancy"], "help": ""},
            {"name": "shuffle", "default": True, "choices": [], "help": "shuffle first"},
        ],
    }
    assert list(listed) == sorted(listed)
    assert listed["called"]["devices"] == []


def test_people_get_name_summary_topic_and_devices(run_kb):
    result = run_kb("demo")
    assert result.returncode == 0
    assert "lab " in result.stdout and "Shows ψ and “all” that is there. [lab: cpu, cuda]" in " ".join(
        result.stdout.split()
    )


def test_listing_and_help_import_nothing_of_the_demos(run_kb, without):
    for arguments in (["demo"], ["demo", "--json"], ["demo", "unimportable", "--help"], ["demo", "no-torch", "--help"]):
        result = run_kb(*arguments, env=without("torch"))
        assert result.returncode == 0, result.stderr
    code = "import sys; from kb.terminal.main import main; main(['demo', 'lab', '--help']); print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "numpy", "matplotlib", "plotille", "rich"):
        assert f"'{heavy}'" not in modules
    assert "kb.plugins.lab.main" not in modules


def test_help_shows_types_choices_limits_and_defaults(run_kb):
    text = run_kb("demo", "lab", "--help").stdout
    for part in ("--steps INTEGER", "how many steps  [from 1 to 500]  [default: 5]", "--kv-heads [1|2|4]",
                 "--mode [plain|fancy]", "--shuffle / --no-shuffle", "--device [cpu|cuda[:N]]", "Shows ψ"):  # fmt: skip
        assert part in text


# --- parameters


def test_parameters_reach_the_demo(run_kb):
    result = run_kb("demo", "lab", "--steps", "7", "--rate=0.501", "--kv_heads", "4", "--no-shuffle", "--json")
    assert result.returncode == 0, result.stderr
    shown = strict(result.stdout)
    assert shown["parameters"] == {"steps": 7, "rate": 0.501, "kv_heads": 4, "mode": "plain", "shuffle": False}
    assert shown["metrics"][0] == {"name": "steps-taken", "value": 7, "unit": ""}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lab", "--steps", "0"], "'steps' must be from 1 to 500, not '0'"),
        (["lab", "--steps", "2.5"], "'steps' takes a whole number, not '2.5'"),
        (["lab", "--steps", "many"], "'steps' takes a whole number, not 'many'"),
        (["lab", "--rate", "nan"], "'rate' must be at least 0.0, not 'nan'"),
        (["lab", "--kv-heads", "3"], "'kv_heads' is one of 1, 2, 4; '3' is not"),
        (["lab", "--mode", "Fancy"], "'mode' is one of plain, fancy; 'Fancy' is not"),
        (["lab", "--step", "3"], "did you mean steps?"),
        (["lab", "--stepz=3"], "did you mean steps?"),
        (["lab", "--xyzzy"], "see: kb demo lab --help"),
        (["lab", "--shuffle=no"], "does not take a value"),
        (["lab", "extra"], "extra"),
        (["labb"], "did you mean lab?"),
        (["xyzzy"], "see: kb demo"),
        (["lab", "--device", "gpu"], "no device is called 'gpu'"),
        (["lab", "--device", "cuda:x"], "no device is called 'cuda:x'"),
        (["lab", "--device", "cpu:1"], "no device is called 'cpu:1'"),
        (["lab", "--device", ""], "no device is called ''"),
        (["lab", "--device", "mps"], "demo 'lab' does not run on mps; it runs on: cpu, cuda"),
        (["empty", "--device", "cuda"], "demo 'empty' does not run on cuda; it runs on: cpu"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_2(run_kb, arguments, said):
    result = run_kb("demo", *arguments)
    assert result.returncode == 2
    assert said in one_line(result)
    assert result.stdout == ""


def test_with_json_the_error_is_a_document_too(run_kb):
    result = run_kb("demo", "lab", "--steps", "0", "--json")
    assert result.returncode == 2
    error = strict(result.stdout)["error"]
    assert set(error) == {"message", "file", "line", "column", "cure"} and "from 1 to 500" in error["message"]


@pytest.mark.slow
def test_a_device_that_the_machine_lacks_is_exit_2_and_nothing_runs(run_kb):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    for name in ("cuda", "cuda:3"):
        result = run_kb("demo", "lab", "--device", name, "--json")
        assert result.returncode == 2
        assert "there is no CUDA device here" in one_line(result)
        assert set(strict(result.stdout)) == {"error"}


def test_a_demo_without_devices_takes_the_cpu_and_gets_no_argument(run_kb):
    result = run_kb("demo", "empty", "--device", "cpu", "--json")
    assert result.returncode == 0 and strict(result.stdout)["device"] == "cpu"


# --- results


def test_json_has_the_agreed_shape(run_kb):
    result = run_kb("demo", "lab", "--json", env={"KB_NOW": "2026-11-23T10:00+01:00"})
    assert result.returncode == 0 and result.stderr == ""
    shown = strict(result.stdout)
    assert set(shown) == {"demo", "device", "parameters", "metrics", "checks", "seconds", "versions"}
    assert shown["demo"] == "lab" and shown["device"] == "cpu" and shown["seconds"] >= 0
    assert shown["metrics"][1] == {"name": "peak-memory", "value": 123456789, "unit": "B"}
    assert shown["metrics"][2]["value"] == "cpu"
    assert shown["checks"] == [
        {"name": "steps-positive", "measured": 5, "expected": 1, "relation": ">=", "holds": True},
        {"name": "rate-halves", "measured": 0.5, "expected": 0.5, "relation": "≈", "holds": True},
    ]
    assert {"kb", "python", "platform", "cpu"} <= set(shown["versions"])
    assert "torch" not in shown["versions"], "nobody loaded it"


def test_a_failed_check_is_exit_1_in_both_renderings(run_kb):
    as_json = run_kb("demo", "failing", "--json")
    assert as_json.returncode == 1
    assert [check["holds"] for check in strict(as_json.stdout)["checks"]] == [True, False]
    text = run_kb("demo", "failing")
    assert text.returncode == 1 and text.stderr == ""
    assert "✓ holds      1 = 1" in text.stdout
    assert "✗ too-large  2.5 ≤ 1 does not hold" in text.stdout
    assert "1 of 2 checks did not hold" in text.stdout


def test_what_is_not_finite_becomes_a_string(run_kb):
    shown = strict(run_kb("demo", "numbers", "--json").stdout)
    assert [metric["value"] for metric in shown["metrics"]] == ["NaN", "Infinity", "-Infinity"]
    assert shown["checks"][0] == {
        "name": "nan-never-holds",
        "measured": "NaN",
        "expected": 1.0,
        "relation": "<=",
        "holds": False,
    }


def test_numpy_scalars_become_plain_numbers(run_kb):
    pytest.importorskip("numpy")
    result = run_kb("demo", "scalars", "--json")
    values = [metric["value"] for metric in strict(result.stdout)["metrics"]]
    assert values == [0.5, 0.25, 7, True, 3, 1]
    assert [type(value) for value in values] == [float, float, int, bool, int, int]
    assert "numpy" in strict(result.stdout)["versions"]


def test_stray_prints_go_to_stderr(run_kb):
    result = run_kb("demo", "loud", "--json")
    assert result.returncode == 0 and strict(result.stdout)["demo"] == "loud"
    assert result.stderr.splitlines() == ["a stray line", "a stray line of a child"]


def test_a_demo_that_reports_nothing_is_fine(run_kb):
    assert strict(run_kb("demo", "empty", "--json").stdout)["checks"] == []
    assert run_kb("demo", "empty").returncode == 0


def test_a_callable_runs(run_kb):
    assert strict(run_kb("demo", "called", "--json").stdout)["metrics"] == [{"name": "answer", "value": 42, "unit": ""}]


def test_the_title_is_there_before_the_demo_is_loaded(run_kb):
    result = run_kb("demo", "unimportable")
    assert result.returncode == 1
    assert result.stdout.splitlines()[:2] == ["unimportable", "Its module cannot be imported."]
    assert "broken.py:2: demo 'unimportable' raised RuntimeError: broken at import" in one_line(result)


# --- what goes wrong


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raising", "main.py:{line}: demo 'raising' raised ValueError: no way"),
        ("leaving", "demo 'leaving' tried to end kb by exit(0)"),
        ("vanishing", "demo 'vanishing' ended its process with code 0 before it had reported"),
        ("crashing", "demo 'crashing' crashed: its process died of SIGSEGV"),
        ("twice", "the demo reports two metrics called 'same'"),
        ("typo", "the module has no function 'no_such'"),
        ("missing-name", "needs the module 'no_such_module_at_all', which is not installed"),
        ("reading", "demo 'reading' raised EOFError"),
    ],
)
@pytest.mark.slow
def test_a_demo_that_goes_wrong_is_one_line_and_exit_1(run_kb, lab, name, said):
    source = (lab / "plugins/lab/main.py").read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(source, 1) if "# the line of the fault" in text)
    for arguments in (["demo", name], ["demo", name, "--json"]):
        result = run_kb(*arguments, input="")
        assert result.returncode == 1
        assert said.format(line=line) in one_line(result)
    assert set(strict(result.stdout)) == {"error"}
    if name in ("raising", "leaving", "twice", "missing-name", "crashing"):
        assert strict(result.stdout)["error"]["file"] == str(lab / "plugins/lab/main.py")


@pytest.mark.parametrize(("name", "library"), [("no-torch", "torch"), ("lazy", "torch"), ("scalars", "numpy")])
def test_a_missing_library_names_the_extra(run_kb, without, name, library):
    result = run_kb("demo", name, env=without(library))
    assert result.returncode == 1
    assert one_line(result) == f'kb: {library} is not installed; install it with: pip install "kb-scribbles[demos]"'


def test_asking_for_cuda_without_torch_names_the_extra(run_kb, without):
    result = run_kb("demo", "lab", "--device", "cuda", env=without("torch"))
    assert result.returncode == 1 and "kb-scribbles[demos]" in one_line(result)


def test_debug_runs_here_and_shows_the_whole_traceback(run_kb):
    result = run_kb("demo", "raising", "--debug")
    assert result.returncode == 1
    assert "Traceback" in result.stderr and 'raise ValueError("no' in result.stderr
    assert result.stderr.splitlines()[-1].startswith("kb: ")


def test_processes_can_be_spawned_from_a_folder_plugin(run_kb):
    result = run_kb("demo", "spawning", "--json")
    assert result.returncode == 0, result.stderr
    assert strict(result.stdout)["checks"][0]["measured"] == 4


def test_temporary_files_of_a_demo_are_gone(run_kb):
    folder = strict(run_kb("demo", "finite", "--json").stdout)["metrics"][0]["value"]
    assert "kb-demo-" in folder and not os.path.exists(folder)


def test_a_demo_of_a_plugin_that_did_not_load_is_answered_with_its_fault(run_kb, lab):
    folder = lab / "plugins" / "broken_one"
    folder.mkdir()
    (folder / "__init__.py").write_text("1 / 0\n")
    result = run_kb("demo", "broken-one")
    assert result.returncode == 1
    assert "the plugin broken_one did not load" in one_line(result) and "ZeroDivisionError" in result.stderr
    assert run_kb("demo", "lab").returncode == 0


# --- evidence


def marks(home: Path) -> list[tuple[str, int]]:
    import sqlite3

    with sqlite3.connect(home / "kb.db") as db:
        rows = db.execute("SELECT name, holds FROM proof ORDER BY evidence, name").fetchall()
    db.close()
    return rows


def test_every_run_is_evidence_also_where_a_check_fails(run_kb, home):
    run_kb("demo", "failing")
    assert marks(home) == [("failing/holds", 1), ("failing/too-large", 0)]


def test_a_run_with_other_parameters_is_kept_but_proves_no_claim(run_kb, home):
    run_kb("demo", "lab", "--steps", "6")
    assert marks(home) == []
    run_kb("demo", "lab", "--steps", "5")
    assert marks(home) == [("lab/rate-halves", 1), ("lab/steps-positive", 1)]


def test_no_record_leaves_the_store_alone(run_kb, home):
    assert run_kb("demo", "lab", "--no-record").returncode == 0
    assert not (home / "kb.db").exists()


def test_evidence_that_cannot_be_stored_is_a_line_and_no_failure(run_kb, home):
    (home / "kb.db").write_bytes(b"this is no database" * 100)
    result = run_kb("demo", "lab", "--json")
    assert result.returncode == 0 and strict(result.stdout)["demo"] == "lab"
    assert one_line(result).startswith("kb: the result was not recorded: ")


# --- several processes


def test_ranks_other_than_0_say_and_record_nothing(run_kb, home):
    result = run_kb("demo", "ranked", "--json", env={"RANK": "1", "WORLD_SIZE": "2"})
    assert (result.returncode, result.stdout) == (0, "")
    assert not (home / "kb.db").exists()
    first = run_kb("demo", "ranked", "--json", env={"RANK": "0", "WORLD_SIZE": "2"})
    assert strict(first.stdout)["metrics"][0]["value"] == 0
