"""A sitting: what comes next, ask, grade, record, undo; no printing."""
