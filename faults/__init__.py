"""Breaks things on purpose, proves it, and heals them."""
