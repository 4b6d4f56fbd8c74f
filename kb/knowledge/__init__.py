"""Topics: model, loader, library, cache, search, lint."""
