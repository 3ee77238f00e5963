"""Async SDK for the Sayna voice server."""
