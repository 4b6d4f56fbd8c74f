"""How much faster is a warm load of all topics than parsing them? Ratios of CPU time within one run, as a table.

    python bench/load.py [COUNT...] > bench/load.md

Each count of topics is made by copying those that ship with kb under new names into a fresh folder. "yaml" is a plain
``yaml.load`` with CSafeLoader, which checks nothing; "cold" is the strict reading of kb into an empty cache; "warm" is
what every later start does: open the library and load every topic. Each is done in a process of its own, and what the
interpreter and the imports cost is taken off.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNTS = (400, 4000)
REPEATS = 3
CHECKOUT = Path(__file__).resolve().parent.parent

HEAD = """\
# Loading all topics: ratios of CPU time

Made by `python bench/load.py` with Python {python}; the best of {repeats} runs each. The budget: a warm load takes at
most a tenth of parsing the YAML. `warm` opens the library and loads every topic; `one` opens it and loads one topic;
`index` finds out that nothing has changed, which is what `kb due` needs; `search` is a full-text search with an index
that is up to date; `cold` is the strict reading into an empty cache.

| topics | plain yaml / warm | cold / warm | warm / one | warm / index | warm / search | cold / plain yaml |
|---|---|---|---|---|---|---|"""

PROGRAM = """
import json, os, sys, time
from kb.registry import Registry
from kb.knowledge import index
from kb.knowledge.library import Library
import kb.knowledge.loader, kb.knowledge.search, yaml
how = sys.argv[1]
registry = Registry.load(os.environ, packs=False)
list(registry.kinds)
start = time.process_time()
if how == "yaml":
    folder = os.path.join(os.environ["KB_PATH"], "topics")
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    loaded = [yaml.load(open(path, encoding="utf-8"), yaml.CSafeLoader) for path in paths]
elif how == "index":
    loaded = [index.is_fresh(index.cache_file(os.environ), os.environ)]
elif how == "search":
    loaded = Library.open(os.environ, registry).search("layer norm")
elif how == "one":
    loaded = [Library.open(os.environ, registry).get("t00000")]
else:
    loaded = list(Library.open(os.environ, registry).all())
print(json.dumps({"seconds": time.process_time() - start, "topics": len(loaded)}))
"""


def main(counts: list[int]) -> None:
    """Measure each count and print the table."""
    print(HEAD.format(python=sys.version.split()[0], repeats=REPEATS))
    for count in counts:
        took = measure(count)
        ratios = [
            took["yaml"] / took["warm"],
            took["cold"] / took["warm"],
            took["warm"] / took["one"],
            took["warm"] / took["index"],
            took["warm"] / took["search"],
            took["cold"] / took["yaml"],
        ]
        print(f"| {count} | " + " | ".join(f"{ratio:.1f}" for ratio in ratios) + " |", flush=True)


def measure(count: int) -> dict[str, float]:
    """CPU seconds of each way to load ``count`` topics."""
    with tempfile.TemporaryDirectory(prefix="kb-load-") as folder:
        environment = make(Path(folder), count)
        took = {"yaml": best(environment, "yaml"), "cold": float("inf")}
        for _ in range(REPEATS if count < 1000 else 1):
            shutil.rmtree(Path(folder, "home", "cache"), ignore_errors=True)
            took["cold"] = min(took["cold"], run(environment, "cold"))
        run(environment, "warm")  # takes in what was too young to be trusted
        run(environment, "search")
        return {**took, **{how: best(environment, how) for how in ("warm", "one", "index", "search")}}


def make(folder: Path, count: int) -> dict[str, str]:
    """A root with ``count`` topics that don't name each other, and the environment that names it."""
    topics = folder / "root" / "topics"
    topics.mkdir(parents=True)
    samples = [path.read_text(encoding="utf-8") for path in sorted((CHECKOUT / "topics").glob("*.yaml"))]
    samples = [alone(text) for text in samples]
    for number in range(count):
        (topics / f"t{number:05}.yaml").write_text(samples[number % len(samples)], encoding="utf-8")
    time.sleep(0.1)
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **keep,
        "KB_HOME": str(folder / "home"),
        "KB_PATH": str(folder / "root"),
        "KB_LOAD_PLUGINS": "",
        "PYTHONPATH": str(CHECKOUT),
    }


def alone(text: str) -> str:
    """The text of a topic without what ties it to others."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.startswith(("aliases:", "requires:", "includes:")))


def best(environment: dict[str, str], how: str) -> float:
    """The least CPU seconds of some runs."""
    return min(run(environment, how) for _ in range(REPEATS))


def run(environment: dict[str, str], how: str) -> float:
    """CPU seconds of one run in a new process."""
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout)
    if not told["topics"]:
        sys.exit(f"{how}: nothing was loaded")
    return float(told["seconds"])


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or list(COUNTS))
