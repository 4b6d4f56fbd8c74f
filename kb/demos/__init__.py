"""Demos: what one is, what it reports, how it is run, the evidence it leaves."""
