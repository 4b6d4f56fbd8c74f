"""Run kb from a checkout: ``python cli.py quiz transformers``."""

from kb.terminal.main import entry

if __name__ == "__main__":
    entry()
