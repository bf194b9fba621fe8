"""How fast and how big: measured, never tested. `python -m benchmarks --help` explains."""
