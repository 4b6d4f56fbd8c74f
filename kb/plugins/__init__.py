"""Its path is every content root's plugins folder; it has no code of its own."""
