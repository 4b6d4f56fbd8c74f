"""Question kinds: one file each, ask and grade, pure."""
