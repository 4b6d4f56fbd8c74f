"""Runs code that may be wrong or hostile."""
