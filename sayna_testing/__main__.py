"""`python -m sayna_testing` is the command `sayna-testing`."""

from sayna_testing.cli import main

main()
