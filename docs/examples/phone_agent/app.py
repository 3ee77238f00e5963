"""The web side: Sayna announces a call by webhook, a background task holds it."""

from __future__ import annotations

import json

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request

from phone_agent.conversation import Conversation, Model
from sayna_client import SaynaValidationError, WebhookReceiver


def make_app(url: str, model: Model, *, secret: str, reception: str) -> FastAPI:
    """An application for the server at `url`; `reception` takes the calls it hands on."""
    app = FastAPI()
    receiver = WebhookReceiver(secret)

    @app.post("/sayna")
    async def incoming(request: Request, background: BackgroundTasks) -> dict[str, str]:
        body = (await request.body()).decode()
        try:
            call = receiver.receive(request.headers, body)
        except (SaynaValidationError, json.JSONDecodeError):
            raise HTTPException(401) from None
        conversation = Conversation(url, call.room.name, model, reception=reception)
        background.add_task(conversation.run)
        return {"room": call.room.name}

    return app
