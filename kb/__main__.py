"""Run kb as a module: ``python -m kb quiz transformers``."""

from kb.terminal.main import entry

if __name__ == "__main__":
    entry()
