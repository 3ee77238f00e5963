"""Runs beside the published sayna-client 0.0.18: commands as JSON lines in, answers and events out.

A command is {"do": what, "args": [...], "kwargs": {...}}; `what` is `new`, an attribute of the
client, or `receive` of a webhook receiver. {"$": "TTSConfig", ...} among the arguments is a model.
"""

import asyncio
import base64
import inspect
import json
import sys
import warnings
from typing import Any

import pydantic

import sayna_client

EVENTS = (
    "ready",
    "stt_result",
    "message",
    "error",
    "sip_transfer_error",
    "participant_connected",
    "participant_disconnected",
    "track_subscribed",
    "tts_playback_complete",
    "tts_audio",
)


def plain(value: Any) -> Any:
    """Make JSON of what the client returns."""
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def rich(value: Any) -> Any:
    """Make models and bytes of what a command holds."""
    if isinstance(value, dict) and "$" in value:
        fields = {key: rich(item) for key, item in value.items() if key != "$"}
        return getattr(sayna_client, value["$"])(**fields)
    if isinstance(value, dict) and "base64" in value:
        return base64.b64decode(value["base64"])
    return [rich(item) for item in value] if isinstance(value, list) else value


def tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def listen(client: Any, *events: str) -> None:
    """Report the events, each registered with `register_on_` and its name."""
    for event in events or EVENTS:

        def report(value: Any, event: str = event) -> None:
            tell(event=event, value=plain(value))

        getattr(client, f"register_on_{event}")(report)


async def perform(client: Any, do: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if do == "names":
        return [name for name in dir(sayna_client.SaynaClient) if not name.startswith("_")]
    if do == "listen":
        return listen(client, *args)
    if do == "receive":
        return sayna_client.WebhookReceiver(args[0]).receive(args[1], args[2])
    found = getattr(client, do)
    value = found(*args, **kwargs) if callable(found) else found
    return await value if inspect.isawaitable(value) else value


async def main() -> None:
    client: Any = None
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        do, args, kwargs = command["do"], rich(command["args"]), command["kwargs"]
        kwargs = {key: rich(value) for key, value in kwargs.items()}
        try:
            if do == "new":
                client = sayna_client.SaynaClient(*args, **kwargs)
                value = None
            else:
                value = plain(await perform(client, do, args, kwargs))
        except Exception as error:
            tell(
                raised=type(error).__name__,
                text=str(error),
                status=getattr(error, "status_code", None),
            )
        else:
            tell(value=value)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    asyncio.run(main())
