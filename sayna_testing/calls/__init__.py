"""Calls: what a caller says and hears, in a room or on a plain session."""
