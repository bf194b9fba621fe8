"""Continuous clients: each does one thing again and again beside the scenario, and records a history."""
