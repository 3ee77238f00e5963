"""GET `/recording/{stream_id}` (rest.md 12)."""

import asyncio
import re

from sayna_testing.server.media import MediaExtraError
from sayna_testing.server.rest.context import Context
from sayna_testing.server.rest.messages import Response, body_response, prose

_UNSTORABLE = re.compile(r"\.|.*[\x00-\x1f\x7f].*", re.DOTALL)
_STORAGE_TEXTS = {
    "fetch": "Failed to retrieve recording from storage",
    "read": "Failed to read recording from storage",
}


async def send_recording(context: Context) -> Response:
    """Send the whole OGG file of a session."""
    stream_id = context.param("stream_id")
    if ".." in stream_id or "/" in stream_id:
        return prose(400, "Invalid stream_id format")
    if not context.state.settings.recording:
        return prose(503, "Recording storage not configured")
    if _UNSTORABLE.fullmatch(stream_id):
        return prose(400, "Invalid recording path")
    recordings = context.state.recordings
    if recordings.failures:
        return prose(503, _STORAGE_TEXTS[recordings.failures.popleft()])
    try:
        # Encoding a long call takes seconds, and libsndfile lets other threads run meanwhile.
        ogg = await asyncio.to_thread(recordings.ogg, stream_id)
    except MediaExtraError as error:
        return prose(500, str(error))
    if ogg is None:
        return prose(404, f"Recording not found: {stream_id}")
    name = ("content-disposition", f'attachment; filename="{stream_id}.ogg"')
    return body_response(200, "audio/ogg", ogg, name)
