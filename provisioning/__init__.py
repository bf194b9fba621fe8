"""Builds labs: drivers, roles, toolchain, images."""
