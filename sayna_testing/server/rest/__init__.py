"""Sayna's REST API as rules: a request in, a response out (rest.md)."""

from sayna_testing.server.rest.context import Limits, Post, Posted, PostError
from sayna_testing.server.rest.messages import Headers, Request, Response, Upgrade
from sayna_testing.server.rest.routing import answer

__all__ = [
    "Headers",
    "Limits",
    "Post",
    "PostError",
    "Posted",
    "Request",
    "Response",
    "Upgrade",
    "answer",
]
