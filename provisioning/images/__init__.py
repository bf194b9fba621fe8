"""The root file system that all machines of an embedded lab share: Debian, made once, cached by its ingredients."""

from __future__ import annotations

from provisioning.images.build import ensure
from provisioning.images.recipe import RECIPE, Recipe, find

__all__ = ["RECIPE", "Recipe", "ensure", "find"]
