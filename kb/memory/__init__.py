"""Memory: FSRS-6, study days, steps, fuzz; pure, no clock and no I/O."""
