"""What is opened, what is refused, and that a refusal touches nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.config import Settings
from kb.errors import NotStored, StoreDamaged, StoreTooNew
from kb.memory.days import Moment
from kb.store import backups, connection, doctor, faults, schema, stats
from kb.store.store import Store

SETTINGS = Settings(backups=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def once_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made")
    with Store.open(str(home), SETTINGS) as store:
        for n in range(200):
            at = Moment(1_790_000_400_000 + n * 60_000, 60)
            store.record(f"zero/q{n % 40}", 1 + n % 4, at, answer="x" * 50)
    assert sorted(contents(home)) == ["device", "kb.db"]
    return home


@pytest.fixture
def made(home: Path, once_made: Path) -> Path:
    """A home whose database has some answers in it."""
    shutil.copytree(once_made, home, dirs_exist_ok=True)
    return home


def read_everything(store: Store, moment: Moment) -> None:
    store.state("zero/a")
    store.states(["zero/a"])
    store.due(moment)
    store.due(moment, ["zero/a"])
    store.learning(moment)
    store.seen("zero")
    store.held(moment)
    store.day_counts(20_717)
    store.load(0, 100)
    list(store.events())
    store.undoable()
    store.undone()
    store.preview("zero/a", moment)
    store.evidence_for(["zero/x"])
    store.evidence_of("zero")


def test_reading_makes_nothing(tmp_path: Path, noon: Moment) -> None:
    home = tmp_path / "not" / "yet"
    with Store.open(str(home), SETTINGS) as store:
        read_everything(store, noon)
        assert store.due(noon) == [] and store.seen() == set() and store.undoable() is None
    assert not (tmp_path / "not").exists()


def test_the_first_answer_makes_the_folder(tmp_path: Path, noon: Moment) -> None:
    home = tmp_path / "not" / "yet"
    with Store.open(str(home), SETTINGS) as store:
        store.record("zero/a", 3, noon, answer=1)
        assert store.seen() == {"zero/a"}
    assert (home / "kb.db").exists()


def test_a_reader_sees_the_database_that_another_made_meanwhile(home: Path, noon: Moment) -> None:
    with Store.open(str(home), SETTINGS) as reader, Store.open(str(home), SETTINGS) as writer:
        assert reader.seen() == set()
        writer.record("zero/a", 3, noon, answer=1)
        assert reader.seen() == {"zero/a"}
        writer.record("zero/b", 3, noon, answer=1)
        assert reader.seen() == {"zero/a", "zero/b"}


def test_an_empty_file_is_a_new_database(home: Path, noon: Moment) -> None:
    (home / "kb.db").touch()
    with Store.open(str(home), SETTINGS) as store:
        assert store.seen() == set()
        assert (home / "kb.db").read_bytes() == b""
        store.record("zero/a", 3, noon, answer=1)
        assert store.seen() == {"zero/a"}


def test_a_process_killed_while_making_the_database_does_no_harm(home: Path, noon: Moment) -> None:
    db = sqlite3.connect(home / "kb.db")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    assert (home / "kb.db").stat().st_size > 0
    with Store.open(str(home), SETTINGS) as store:
        assert store.seen() == set()
        store.record("zero/a", 3, noon, answer=1)


@pytest.mark.parametrize(
    "change",
    [
        f"PRAGMA user_version = {schema.VERSION + 1}; DROP TABLE state",
        f"INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kb', 'v{schema.VERSION + 1}', '')",
    ],
    ids=["version", "migration"],
)
def test_a_database_of_a_newer_kb_is_not_touched(made: Path, noon: Moment, change: str) -> None:
    db = sqlite3.connect(made / "kb.db")
    db.executescript(change)
    db.close()
    before = contents(made)
    assert sorted(before) == ["device", "kb.db"]
    with pytest.raises(StoreTooNew, match="newer kb") as caught:
        Store.open(str(made), SETTINGS)
    assert caught.value.cure == "update kb"
    store = Store(str(made), SETTINGS)
    with pytest.raises(NotStored, match=r"zero/a was NOT stored.*newer kb"):
        store.record("zero/a", 3, noon, answer=1)
    assert contents(made) == before


@pytest.mark.parametrize("table", ["state", "load", "event"])
def test_a_database_that_lacks_a_table_is_refused_in_a_line(made: Path, table: str) -> None:
    db = sqlite3.connect(made / "kb.db")
    db.execute(f"DROP TABLE {table}")
    db.close()
    before = contents(made)
    with pytest.raises(StoreDamaged, match=f"the table {table} is missing") as caught:
        Store.open(str(made), SETTINGS)
    assert "kb restore" in (caught.value.cure or "")
    assert contents(made) == before


def test_a_newer_version_that_is_still_in_the_write_ahead_log_is_seen(made: Path, noon: Moment) -> None:
    """As after a crash of the newer kb: the main file does not know of it yet."""
    copy = made.parent / "copy"
    copy.mkdir()
    db = sqlite3.connect(made / "kb.db")
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    for name in ("kb.db", "kb.db-wal"):
        (copy / name).write_bytes((made / name).read_bytes())
    db.close()
    before = contents(copy)
    assert int.from_bytes(before["kb.db"][60:64], "big") == schema.VERSION
    with pytest.raises(StoreTooNew):
        Store.open(str(copy), SETTINGS)
    with pytest.raises(NotStored, match="newer kb"):
        Store(str(copy), SETTINGS).record("zero/a", 3, noon, answer=1)
    after = contents(copy)
    assert {name: after[name] for name in before} == before


def garbage(size: int) -> bytes:
    return bytes((n * 7919 + 13) % 251 for n in range(size))


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "a few bytes": lambda data: data[:50],
    "not a database": lambda data: b"This is not a database.\n" * 100,
    "random bytes": lambda data: garbage(len(data)),
    "first page": lambda data: data[:100] + garbage(3996) + data[4096:],
    "one page": lambda data: data[:8192] + garbage(4096) + data[12288:],
    "last page": lambda data: data[:-4096] + garbage(4096),
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_not_touched(made: Path, noon: Moment, damage: str) -> None:
    path = made / "kb.db"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    before = contents(made)
    with pytest.raises(StoreDamaged, match="nothing was changed") as caught, Store.open(str(made), SETTINGS) as store:
        read_everything(store, noon)
    assert "kb restore" in str(caught.value)
    with pytest.raises(NotStored, match=r"zero/a was NOT stored: .*damaged"), Store(str(made), SETTINGS) as store:
        store.record("zero/a", 3, noon, answer=1)
    assert contents(made) == before


def test_another_program_s_database_is_not_touched(home: Path, noon: Moment) -> None:
    db = sqlite3.connect(home / "kb.db")
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    before = contents(home)
    with pytest.raises(StoreDamaged, match="not a database of kb"):
        Store.open(str(home), SETTINGS)
    with pytest.raises(NotStored):
        Store(str(home), SETTINGS).record("zero/a", 3, noon, answer=1)
    assert contents(home) == before


# --- disks and folders that do not take it ----------------------------------------------------------------------------

_ANSWER = """
import resource, sys
from kb.config import Settings
from kb.errors import KbError
from kb.memory.days import Moment
from kb.store.store import Store
store = Store.open(sys.argv[1], Settings(backups=len(sys.argv) > 3))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
for n in range(100_000):
    try:
        event = store.record("zero/a", 3, Moment(1_790_000_400_000 + n, 60), answer="x" * 500)
        print("stored", event.id, flush=True)
    except KbError as error:
        print(type(error).__name__, error)
        break
"""


@pytest.mark.parametrize("backups", [[], ["with backups"]])
def test_a_full_disk_loses_only_the_answer_that_it_names(made: Path, noon: Moment, backups: list[str]) -> None:
    """A limit on the size of files stands for the full disk: a write past it fails as on one."""
    known = {event.id for event in Store.open(str(made), SETTINGS).events()}
    limit = str(made.joinpath("kb.db").stat().st_size + 200_000)
    command = [sys.executable, "-c", _ANSWER, str(made), limit, *backups]
    *stored, failed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert failed.startswith("NotStored") and "the answer to zero/a was NOT stored: " in failed
    assert "the disk" in failed
    acknowledged = {line.split()[1] for line in stored}
    assert acknowledged
    with Store.open(str(made), SETTINGS) as store:
        assert {event.id for event in store.events()} == known | acknowledged
        store.record("zero/b", 3, Moment(noon.at_ms + 10**9, 60), answer="there is room again")
    assert not list(made.rglob("*.partial"))


def test_a_disk_without_room_for_a_page_can_still_be_read(made: Path) -> None:
    """Not even SQLite's own files beside the database fit."""
    code = _ANSWER.replace("store = Store", "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); store = Store")
    code += "print(len(store.seen()), len(list(store.events())))"
    before = contents(made)
    done = subprocess.run([sys.executable, "-c", code, str(made), "4096"], capture_output=True, text=True, check=True)
    failed, read = done.stdout.splitlines()
    assert failed.startswith("NotStored") and "the answer to zero/a was NOT stored: the disk" in failed
    assert read == "40 200"
    assert {name: contents(made)[name] for name in before} == before


def test_a_full_database_says_that_the_disk_is_full(store: Store, noon: Moment) -> None:
    """SQLite's own code for a full disk, by a limit on the number of pages."""
    store.record("zero/a", 3, noon, answer=1)
    db = store._db
    assert db is not None
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    before = list(store.events())
    with pytest.raises(NotStored, match="NOT stored: the disk is full") as caught:
        store.record("zero/a", 3, noon, answer="x" * 100_000)
    assert caught.value.cure == "make room on the disk"
    assert list(store.events()) == before
    store.record("zero/a", 3, noon, answer=1)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody who may not write"
)


def as_nobody(action: Callable[[], str]) -> str:
    """What ``action`` returns in a child process of a user who owns nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            said = action()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@needs_root
def test_a_read_only_folder_can_be_read_but_stores_nothing(public_folder: Path, noon: Moment) -> None:
    home = public_folder / "home"
    with Store.open(str(home), SETTINGS) as store:
        store.record("zero/old", 3, noon, answer=1)
    for path, mode in ((home, 0o755), (home / "kb.db", 0o644), (home / "device", 0o644)):
        path.chmod(mode)
    before = contents(home)

    def action() -> str:
        with Store.open(str(home), SETTINGS) as store:
            assert store.seen() == {"zero/old"}
            with pytest.raises(NotStored) as caught:
                store.record("zero/a", 3, noon, answer=1)
            assert store.seen() == {"zero/old"}
            return str(caught.value)

    assert "the answer to zero/a was NOT stored: the database is read-only" in as_nobody(action)
    assert contents(home) == before


@needs_root
def test_a_folder_that_cannot_be_made_stores_nothing(public_folder: Path, noon: Moment) -> None:
    def action() -> str:
        with (
            Store.open(str(public_folder / "home"), SETTINGS) as store,
            pytest.raises(NotStored) as caught,
        ):
            store.record("zero/a", 3, noon, answer=1)
        return str(caught.value)

    assert "the answer to zero/a was NOT stored: Permission denied" in as_nobody(action)
    assert not (public_folder / "home").exists()


def test_a_file_in_place_of_the_folder(tmp_path: Path, noon: Moment) -> None:
    (tmp_path / "file").write_text("mine")
    with Store.open(str(tmp_path / "file"), SETTINGS) as store:
        assert store.seen() == set()
        with pytest.raises(NotStored, match="NOT stored"):
            store.record("zero/a", 3, noon, answer=1)
    assert (tmp_path / "file").read_text() == "mine"


# --- two at once ------------------------------------------------------------------------------------------------------


def test_a_lock_is_waited_for(made: Path, noon: Moment) -> None:
    other = sqlite3.connect(made / "kb.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    released = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    released.start()
    with Store.open(str(made), SETTINGS) as store:
        event = store.record("zero/a", 3, noon, answer=1)
        assert list(store.events("zero/a")) == [event]
    released.join()
    other.close()


def test_a_lock_that_stays_is_said_in_a_line(made: Path, noon: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(made / "kb.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store.open(str(made), SETTINGS) as store:
        assert len(store.seen()) == 40  # readers are not locked out
        with pytest.raises(NotStored, match=r"NOT stored: another program"):
            store.record("zero/a", 3, noon, answer=1)
        other.execute("COMMIT")
        store.record("zero/a", 3, noon, answer=1)
    other.close()


def test_processes_that_start_together_all_succeed(home: Path) -> None:
    """Also while the database is being made."""
    code = textwrap.dedent("""
        import sys
        from kb.config import Settings
        from kb.memory.days import Moment
        from kb.store.store import Store
        sys.stdin.readline()
        with Store.open(sys.argv[1], Settings()) as store:
            for n in range(30):
                print(store.record("zero/a", 3, Moment(1_790_000_400_000 + n, 60), answer=1).id)
    """)
    command = [sys.executable, "-c", code, str(home)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate("go\n") for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    stored = [line for output, _ in outputs for line in output.splitlines()]
    with Store.open(str(home), SETTINGS) as store:
        assert sorted(stored) == [event.id for event in store.events()]
        assert len(stored) == 120
        row = store.state("zero/a")
        assert row is not None and row.state is not None and row.state.reps == 120
    assert len({path.read_text() for path in home.glob("device*")}) == 1


def test_a_look_at_the_database_does_not_give_up_its_locks(home: Path, noon: Moment) -> None:
    """On POSIX a process that closes a file drops its locks on it, SQLite's too.

    Another process would then think itself the last, take the write-ahead log away when it ends, and what is stored
    after that would be lost.
    """
    other = (
        "import sys\n"
        "from kb.config import Settings\n"
        "from kb.memory.days import Moment\n"
        "from kb.store.store import Store\n"
    )
    writes = other + "with Store.open(sys.argv[1], Settings()) as s: s.record('zero/other', 3, Moment(1, 0), answer=1)"
    reads = other + "print(*sorted(Store.open(sys.argv[1], Settings()).seen()))"
    looks: list[Callable[[], object]] = [
        lambda: connection.inspect(str(home / "kb.db"), 1 << 30),
        lambda: connection.open_to_read(str(home / "kb.db")).close(),  # type: ignore[union-attr]
        lambda: connection.open_to_write(str(home / "kb.db")).close(),
        lambda: backups.make(str(home), str(home / "copy.db")),
        lambda: backups.daily(str(home), 20_717, Settings()),
        lambda: doctor.examine(str(home), noon),
        lambda: stats.read(str(home), 20_717),
    ]
    with Store.open(str(home), SETTINGS) as store:
        for n, look in enumerate(looks):
            store.record(f"zero/{n}-before", 3, noon, answer=1)
            look()
            subprocess.run([sys.executable, "-c", writes, str(home)], check=True)
            store.record(f"zero/{n}-after", 3, noon, answer=1)
            seen = subprocess.run([sys.executable, "-c", reads, str(home)], check=True, capture_output=True, text=True)
            assert {f"zero/{n}-before", f"zero/{n}-after", "zero/other"} <= set(seen.stdout.split())


def test_any_name_of_a_folder_will_do(tmp_path: Path, noon: Moment) -> None:
    home = tmp_path / "a?mode=memory#b%20c é'\""
    with Store.open(str(home), SETTINGS) as store:
        store.record("zero/a", 3, noon, answer=1)
    with Store.open(str(home), SETTINGS) as store:
        assert store.seen() == {"zero/a"}
    assert (home / "kb.db").exists()
    assert backups.make(str(home), str(home / "copy?.db")).events == 1
