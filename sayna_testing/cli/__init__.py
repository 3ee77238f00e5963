"""The command `sayna-testing`."""

from sayna_testing.cli.main import main

__all__ = ["main"]
