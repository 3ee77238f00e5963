"""Names that are imported when they are first used (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def loader(
    module: str, homes: Mapping[str, str], namespace: dict[str, object]
) -> Callable[[str], object]:
    """Return the `__getattr__` of a module whose names live in other modules."""

    def load(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        namespace[name] = value
        return value

    return load
