"""Commands of `python -m reports`, a module each."""
