"""All kinds of faults, found by themselves: a new module in this folder is enough."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import faults
from faults.fault import KINDS, Fault


def kinds() -> Mapping[str, type[Fault]]:
    """Every kind of fault by its title.

    Raises:
        TypeError: A kind that can be injected has no title of its own, or two share one.
    """
    for module in pkgutil.iter_modules(faults.__path__, "faults."):
        importlib.import_module(module.name)
    for kind in _below(Fault):  # type: ignore[type-abstract]  # its children are meant
        if not inspect.isabstract(kind) and kind.__module__.startswith("faults.") and "title" not in vars(kind):
            msg = f"{kind.__qualname__} has no title of its own"
            raise TypeError(msg)
    return MappingProxyType(dict(sorted(KINDS.items())))


def _below(kind: type[Fault]) -> Iterator[type[Fault]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
