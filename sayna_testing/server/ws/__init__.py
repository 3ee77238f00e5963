"""Sayna's WebSocket API: pure rules, and the connection that carries them out (websocket.md)."""

from sayna_testing.server.ws.connection import Connection

__all__ = ["Connection"]
