"""Tells: run record, JUnit, pages."""
