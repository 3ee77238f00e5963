"""Old names that still work, with a warning at the line that uses them."""

from __future__ import annotations

import warnings


def warn(old: str, new: str) -> None:
    """Warn the caller of the method that calls this."""
    warnings.warn(f"{old}() is deprecated, use {new}() instead", DeprecationWarning, stacklevel=3)
