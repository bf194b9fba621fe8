"""The root file system that all machines of an embedded lab share: Debian, made once, cached by its ingredients."""

from __future__ import annotations

from provisioning.images.build import ensure
from provisioning.images.recipe import RECIPE, WITH_MOTO, Recipe, find

EXTRAS = {recipe.extra: recipe for recipe in (WITH_MOTO,)}
"""Images that not everybody needs, by the word that asks for them (`setup --with`)."""

__all__ = ["EXTRAS", "RECIPE", "WITH_MOTO", "Recipe", "ensure", "find"]
