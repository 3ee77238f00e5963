"""An in-process fake Sayna server and what tests of voice agents need around it."""
