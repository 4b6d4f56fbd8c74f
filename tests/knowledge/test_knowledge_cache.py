"""The cache can be thrown away, damaged, forbidden or shared, and nothing is ever hurt or out of date."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from knowledge_samples import SOUND, sound

from kb.errors import ContentError
from kb.knowledge import index
from kb.knowledge.library import Library
from kb.knowledge.loader import read_topic
from kb.registry import Registry
from kb.terminal.glance import index_path

Open = Callable[[], Library]
Write = Callable[..., Path]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the topic files that are parsed from here on."""
    seen: list[str] = []

    def noting(path: str, kinds: Any) -> Any:
        seen.append(os.path.basename(path))
        return read_topic(path, kinds)

    monkeypatch.setattr("kb.knowledge.loader.read_topic", noting)
    return seen


def settle() -> None:
    """Let a clock's tick pass, so that files written before are old enough to be trusted."""
    time.sleep(0.03)


def cache_file() -> Path:
    return Path(index.cache_file(os.environ))


def test_a_file_is_parsed_once_and_again_when_it_changes(write: Write, library: Open, reads: list[str]) -> None:
    write("a")
    path = write("b")
    settle()
    assert library().names() == ["a", "b"]
    assert sorted(reads) == ["a.yaml", "b.yaml"]
    reads.clear()
    assert library().get("b").title == "A sound topic"
    assert reads == []
    path.write_text(SOUND.replace("A sound topic", "A grand topic"), encoding="utf-8")
    settle()
    assert library().get("b").title == "A grand topic"
    assert reads == ["b.yaml"]
    path.unlink()
    assert library().names() == ["a"]
    assert reads == ["b.yaml"]


def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(write: Write, library: Open) -> None:
    path = write("a")
    settle()
    library()
    before = path.stat()
    path.write_text(SOUND.replace("A sound topic", "A fresh topic"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert library().get("a").title == "A fresh topic"


def test_changes_faster_than_the_clock_are_seen(write: Write, library: Open) -> None:
    for number in range(40):
        write("a", SOUND.replace("A sound topic", f"Version {number:6}"))
        assert library().get("a").title == f"Version {number:6}"


@pytest.mark.parametrize(("age_ms", "parsed"), [(5, 2), (500, 1)])
def test_a_file_as_young_as_a_tick_of_the_clock_is_not_trusted_yet(
    age_ms: int, parsed: int, write: Write, library: Open, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = write("a").stat()
    if changed.st_mtime_ns % 1_000_000_000 == 0:
        pytest.skip("this file system knows no fractions of a second")
    now = max(changed.st_mtime_ns, changed.st_ctime_ns) + age_ms * 1_000_000
    monkeypatch.setattr("kb.knowledge.library.time.time_ns", lambda: now)
    library()
    library()
    assert reads == ["a.yaml"] * parsed


def test_a_parsed_topic_comes_back_the_same(write: Write, library: Open) -> None:
    write("a", sound(notes=[[1, 2]], tags=["x"], body="text\n", questions=[
        {"id": "n", "kind": "numeric", "draw": {"n": [8, 1.5e9]}, "ask": "{n}?", "answer": "n * 2", "why": "so"},
    ]))  # fmt: skip
    settle()
    cold = library().get("a")
    warm = library().get("a")
    assert warm == cold
    assert warm is not cold


@pytest.mark.parametrize("where", ["beginning", "anywhere", "cut", "empty", "text", "folder"])
def test_a_damaged_cache_is_made_anew(where: str, write: Write, library: Open) -> None:
    for number in range(20):
        write(f"t{number}")
    settle()
    library().search("scaled")
    file = cache_file()
    data = bytearray(file.read_bytes())
    shuffle = random.Random(7)
    for _ in range(20 if where == "anywhere" else 1):
        damaged = bytearray(data)
        if where == "beginning":
            damaged[:100] = bytes(100)
        elif where == "anywhere":
            start = shuffle.randrange(100, len(data) - 2000)
            damaged[start : start + 2000] = shuffle.randbytes(2000)
        elif where == "cut":
            del damaged[len(data) // 2 :]
        elif where == "empty":
            damaged.clear()
        else:
            damaged[:] = b"not a database at all " * 100
        file.unlink(missing_ok=True)
        if where == "folder":
            file.mkdir()
        else:
            file.write_bytes(damaged)
        for _ in range(2):
            found = library()
            assert found.names() == sorted(f"t{number}" for number in range(20))
            assert found.get("t7").title == "A sound topic"
            assert found.search("scaled", limit=100)
            assert len(list(found.all())) == 20
            with sqlite3.connect(index_path(os.environ)) as db:
                assert db.execute("SELECT count(*) FROM question").fetchone() == (20,)
        assert (library().index_path == str(file)) == (where != "folder")


def test_no_cache_at_all_is_no_hindrance(write: Write, library: Open, home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be")
    write("a")
    for _ in range(2):
        found = library()
        assert found.names() == ["a"]
        assert found.search("scaled")
        assert sqlite3.connect(found.index_path).execute("SELECT name FROM question").fetchall() == [("a/why",)]


def test_a_cache_that_cannot_be_written_is_no_hindrance(
    write: Write, library: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    settle()
    library()
    write("b")
    holder = sqlite3.connect(cache_file(), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")  # somebody else writes, and for long
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *more, **named: connect(*more, **{**named, "timeout": 0.05}))
    found = library()
    assert found.names() == ["a", "b"]
    assert found.index_path != str(cache_file())
    assert found.search("scaled")
    holder.execute("ROLLBACK")


def test_environments_and_versions_do_not_write_over_each_other(
    write: Write, library: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    settle()
    library()
    first = cache_file()
    monkeypatch.setenv("KB_PATH", str(tmp_path))
    assert library().names() == []
    assert cache_file() != first
    monkeypatch.setattr(index, "__version__", "0.0.0")
    assert not cache_file().exists()
    assert library().names() == []
    assert len(list(first.parent.glob("topics-*.db"))) == 3


def test_the_caches_of_long_ago_are_removed(write: Write, library: Open) -> None:
    write("a")
    library()
    old, young = cache_file().parent / "topics-00000000.db", cache_file().parent / "topics-00000001.db"
    other = cache_file().parent / "other.db"
    for path in (old, young, other):
        path.write_bytes(b"")
    for path in (old, other):
        os.utime(path, (0, 0))
    write("b")
    library()
    assert not old.exists()
    assert young.exists() and other.exists()


def test_the_tables_for_counting_tell_what_the_library_tells(write: Write, library: Open) -> None:
    write("basis", sound(aliases=["ground"]))
    write("goal", sound(requires=["ground"], questions=[]))
    write("parent", sound(includes=["goal", "nobody"], questions=[]))
    write("broken", "title: [")
    library()
    db = sqlite3.connect(index_path(os.environ))
    assert db.execute("SELECT name FROM topic ORDER BY name").fetchall() == [("basis",), ("goal",), ("parent",)]
    assert db.execute("SELECT * FROM question").fetchall() == [("basis/why", "basis", 0)]
    assert db.execute("SELECT * FROM alias").fetchall() == [("ground", "basis")]
    assert db.execute("SELECT * FROM requires").fetchall() == [("goal", "basis")]
    assert db.execute("SELECT * FROM includes").fetchall() == [("parent", "goal")]


def test_the_index_is_fresh_after_every_change(write: Write, library: Open) -> None:
    path = write("a")
    settle()
    assert not index.is_fresh(str(cache_file()), os.environ)
    file = index_path(os.environ)
    assert index.is_fresh(file, os.environ)
    path.write_text(SOUND + "tags: [x]\n", encoding="utf-8")
    assert not index.is_fresh(file, os.environ)
    settle()
    index_path(os.environ)
    write("b")
    assert not index.is_fresh(file, os.environ)
    settle()
    index_path(os.environ)
    path.rename(path.with_name("c.yaml"))
    assert not index.is_fresh(file, os.environ)
    db = sqlite3.connect(index_path(os.environ))
    assert db.execute("SELECT name FROM topic ORDER BY name").fetchall() == [("b",), ("c",)]
    index.discard(os.environ)
    assert not index.is_fresh(file, os.environ)


def run_python(source: str) -> str:
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


IMPORTS = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules} & set(%r)))"


def test_the_fast_lane_imports_next_to_nothing(write: Write) -> None:
    write("a")
    settle()
    source = "import os; from kb.terminal import glance; path = glance.index_path(os.environ); "
    run_python(source)
    heavy = ("yaml", "msgspec", "click", "dataclasses", "pluggy", "json", "tempfile", "platformdirs", "inspect")
    assert run_python(source + IMPORTS % (heavy,)) == ""
    assert run_python(source + "import sys; print('importlib.metadata' in sys.modules)") == "False"


def test_a_warm_library_parses_no_yaml_and_loads_no_plugin(root: Path, write: Write) -> None:
    write("a")
    plugin = root / "plugins" / "loud" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("")
    settle()
    source = (
        "import os; from kb.knowledge.library import Library; from kb.registry import Registry; "
        "library = Library.open(os.environ, Registry.load(os.environ)); library.get('a'); library.expand(['a']); "
    )
    run_python(source)
    assert run_python(source + IMPORTS % (("yaml", "torch", "numpy", "rich"),)) == ""
    assert run_python(source + "import sys; print('kb.plugins.loud' in sys.modules)") == "False"


def test_a_faulty_file_is_read_once_and_again_when_it_or_a_plugin_changes(
    root: Path, write: Write, library: Open, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KB_LOAD_PLUGINS")
    write("a")
    faulty = write("b", SOUND.replace("kind: recall", "kind: shout"))
    settle()
    faults = library().faults()
    assert [fault.rule for fault in faults] == ["kind"]
    reads.clear()
    assert library().faults() == faults
    assert reads == []
    plugin = root / "plugins" / "shouting" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from kb import hookimpl\nfrom kb.questions.recall import Recall\n\n"
        "class Shout(Recall):\n    kind = 'shout'\n\n"
        "@hookimpl\ndef register_question_kinds(register):\n    register(Shout)\n"
    )
    settle()
    assert library().names() == ["a", "b"]
    assert reads == ["b.yaml"]
    shutil.rmtree(plugin.parent)
    with pytest.raises(ContentError, match="shout"):
        library().get("b")
    faulty.write_text(SOUND.replace("kind: recall", "kind: cry"), encoding="utf-8")
    settle()
    assert library().names() == ["a"]
    faulty.write_text(SOUND, encoding="utf-8")
    assert library().names() == ["a", "b"]


@pytest.mark.slow
def test_many_processes_may_share_one_cache(write: Write) -> None:
    for number in range(30):
        write(f"t{number}", SOUND.replace("A sound topic", f"Topic {number}"))
    source = (
        "import os, sys; from pathlib import Path; from kb.knowledge.library import Library; "
        "from kb.registry import Registry\n"
        "mine = Path(sys.argv[1])\n"
        "for number in range(15):\n"
        "    other = mine.with_suffix('.new')\n"
        "    other.write_text(mine.read_text() + '# more\\n')\n"
        "    other.replace(mine)\n"
        "    library = Library.open(os.environ, Registry.load(os.environ, packs=False))\n"
        "    titles = {topic.title for topic in library.all()}\n"
        "    assert {f'Topic {n}' for n in range(30)} <= titles, titles\n"
        "    assert library.search('scaled', 100)\n"
    )
    topics = Path(os.environ["KB_PATH"]) / "topics"
    running = [
        subprocess.Popen([sys.executable, "-c", source, str(topics / f"t{n}.yaml")], stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors


@pytest.mark.slow
def test_a_process_killed_while_it_writes_leaves_a_cache_that_works(write: Write, tmp_path: Path) -> None:
    for number in range(60):
        write(f"t{number}")
    settle()
    source = "import os; from kb.terminal import glance; glance.index_path(os.environ)"
    reached = False
    for wait in (0.05, 0.2, 0.25, 0.3, 0.35, 0.4):
        index.discard(os.environ)
        process = subprocess.Popen([sys.executable, "-c", source])
        time.sleep(wait)
        reached |= cache_file().exists()
        process.kill()
        process.wait()
        found = Library.open(os.environ, Registry.load(os.environ, packs=False))
        assert {f"t{number}" for number in range(60)} <= {*found.names()}
        assert index.is_fresh(found.index_path, os.environ)
    assert reached


def test_a_pack_that_comes_or_goes_is_seen(write: Write, library: Open, tmp_path: Path, monkeypatch: Any) -> None:
    write("a")
    settle()
    monkeypatch.delenv("KB_LOAD_PLUGINS")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    pack = tmp_path / "site" / "kb_demo_pack"
    topics = pack / "topics"
    topics.mkdir(parents=True)

    def open_with_packs() -> Library:
        return Library.open(os.environ, Registry.load(os.environ))

    assert "packed" not in open_with_packs().names()
    (pack / "__init__.py").write_text(
        "from kb import hookimpl\n@hookimpl\ndef register_roots(register): register('.')\n"
    )
    (topics / "packed.yaml").write_text(SOUND)
    metadata = tmp_path / "site" / "kb_demo_pack-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: kb-demo-pack\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[kb]\ndemo = kb_demo_pack\n")
    assert not index.is_fresh(index.cache_file(os.environ), os.environ)
    assert "packed" in open_with_packs().names()
    settle()
    path = index_path(os.environ)
    assert index.is_fresh(path, os.environ)
    (topics / "more.yaml").write_text(SOUND)
    assert not index.is_fresh(path, os.environ)
    assert "more" in open_with_packs().names()
    settle()
    index_path(os.environ)
    (pack / "__init__.py").write_text("")  # an editable pack changes without pip
    assert not index.is_fresh(path, os.environ)
    assert Registry(os.environ, packs=False)  # the environment itself is sound
