"""The REST methods (rest.md): check, send, read."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from sayna_client import codec, deprecation, types
from sayna_client.answers import Headers, RawResponse
from sayna_client.checks import build, instance_of, not_blank, not_empty, real_bool
from sayna_client.credentials import resolve_config_auth
from sayna_client.http_client import CallOptions, SaynaHttpClient, StreamedBody
from sayna_client.urls import segment

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


class RestApi:
    """The REST side of a client; every method takes `timeout=` and `retries=` as well."""

    def __init__(self, http_client: SaynaHttpClient) -> None:
        self._http_client = http_client

    async def request(
        self, method: str, path: str, *, json: Any = None, **options: Unpack[CallOptions]
    ) -> RawResponse:
        """Make any request and return the answer as it is, whatever its status.

        `path` is sent as given, so quote what needs it.
        """
        not_blank(method=method, path=path)
        return await self._http_client.request(method, path, json=json, **options)

    async def health(self, **options: Unpack[CallOptions]) -> types.HealthResponse:
        """Ask whether the server is up (rest.md 7)."""
        return await self._call("GET", "/", None, types.HealthResponse, options)

    async def health_check(self) -> types.HealthResponse:
        """Use `health()` instead."""
        deprecation.warn("health_check", "health")
        return await self.health()

    async def get_voices(
        self, **options: Unpack[CallOptions]
    ) -> dict[str, list[types.VoiceDescriptor]]:
        """List the voices of each provider (rest.md 7)."""
        return (await self._call("GET", "/voices", None, types.VoicesResponse, options)).root

    async def speak_rest(
        self, text: str, tts_config: types.TTSConfig, **options: Unpack[CallOptions]
    ) -> tuple[bytes, dict[str, str]]:
        """Synthesise speech; return the audio and the response headers (rest.md 8)."""
        response = await self._http_client.call(
            "POST", "/speak", data=_speak_body(text, tts_config), **options
        )
        return response.body, response.headers

    @contextlib.asynccontextmanager
    async def speak_rest_stream(
        self, text: str, tts_config: types.TTSConfig, **options: Unpack[CallOptions]
    ) -> AsyncGenerator[StreamedBody]:
        """Synthesise speech and read the audio as it comes (rest.md 8)."""
        body = _speak_body(text, tts_config)
        async with self._http_client.stream("POST", "/speak", data=body, **options) as stream:
            yield stream

    async def get_livekit_token(
        self,
        room_name: str,
        participant_name: str,
        participant_identity: str,
        **options: Unpack[CallOptions],
    ) -> types.LiveKitTokenResponse:
        """Get a token that lets a participant join a room (rest.md 9)."""
        not_blank(
            room_name=room_name,
            participant_name=participant_name,
            participant_identity=participant_identity,
        )
        body = types.LiveKitTokenRequest(
            room_name=room_name,
            participant_name=participant_name,
            participant_identity=participant_identity,
        )
        return await self._call("POST", "/livekit/token", body, types.LiveKitTokenResponse, options)

    async def get_livekit_rooms(self, **options: Unpack[CallOptions]) -> types.LiveKitRoomsResponse:
        """List the rooms (rest.md 10)."""
        return await self._call("GET", "/livekit/rooms", None, types.LiveKitRoomsResponse, options)

    async def get_livekit_room(
        self, room_name: str, **options: Unpack[CallOptions]
    ) -> types.LiveKitRoomDetails:
        """Get a room and its participants (rest.md 10)."""
        not_blank(room_name=room_name)
        path = f"/livekit/rooms/{segment(room_name)}"
        return await self._call("GET", path, None, types.LiveKitRoomDetails, options)

    async def remove_livekit_participant(
        self, room_name: str, participant_identity: str, **options: Unpack[CallOptions]
    ) -> types.RemoveLiveKitParticipantResponse:
        """Remove a participant from a room (rest.md 11)."""
        not_blank(room_name=room_name, participant_identity=participant_identity)
        body = types.RemoveLiveKitParticipantRequest(
            room_name=room_name, participant_identity=participant_identity
        )
        return await self._call(
            "DELETE", "/livekit/participant", body, types.RemoveLiveKitParticipantResponse, options
        )

    async def mute_livekit_participant_track(
        self,
        room_name: str,
        participant_identity: str,
        track_sid: str,
        muted: bool,
        **options: Unpack[CallOptions],
    ) -> types.MuteLiveKitParticipantResponse:
        """Mute or unmute a participant's track (rest.md 11)."""
        not_blank(
            room_name=room_name, participant_identity=participant_identity, track_sid=track_sid
        )
        body = types.MuteLiveKitParticipantRequest(
            room_name=room_name,
            participant_identity=participant_identity,
            track_sid=track_sid,
            muted=real_bool("muted", muted),
        )
        return await self._call(
            "POST", "/livekit/participant/mute", body, types.MuteLiveKitParticipantResponse, options
        )

    async def get_sip_hooks(self, **options: Unpack[CallOptions]) -> types.SipHooksResponse:
        """List the SIP webhooks (rest.md 13)."""
        return await self._call("GET", "/sip/hooks", None, types.SipHooksResponse, options)

    async def set_sip_hooks(
        self, hooks: list[types.SipHook], **options: Unpack[CallOptions]
    ) -> types.SipHooksResponse:
        """Add or replace SIP webhooks by host; return the merged list (rest.md 13)."""
        not_empty(hooks=hooks)
        body = build(types.SetSipHooksRequest, hooks=hooks)
        return await self._call("POST", "/sip/hooks", body, types.SipHooksResponse, options)

    async def delete_sip_hooks(
        self, hosts: list[str], **options: Unpack[CallOptions]
    ) -> types.SipHooksResponse:
        """Delete SIP webhooks by host; return what is left (rest.md 13)."""
        not_empty(hosts=hosts)
        body = build(types.DeleteSipHooksRequest, hosts=hosts)
        return await self._call("DELETE", "/sip/hooks", body, types.SipHooksResponse, options)

    async def sip_transfer_rest(
        self,
        room_name: str,
        participant_identity: str,
        transfer_to: str,
        **options: Unpack[CallOptions],
    ) -> types.SipTransferResponse:
        """Transfer a SIP participant to another number (rest.md 14)."""
        not_blank(
            room_name=room_name, participant_identity=participant_identity, transfer_to=transfer_to
        )
        body = types.SipTransferRequest(
            room_name=room_name, participant_identity=participant_identity, transfer_to=transfer_to
        )
        return await self._call("POST", "/sip/transfer", body, types.SipTransferResponse, options)

    async def sip_call(
        self,
        room_name: str,
        participant_name: str,
        participant_identity: str,
        from_phone_number: str,
        to_phone_number: str,
        sip_config: types.SipCallSipConfig | None = None,
        **options: Unpack[CallOptions],
    ) -> types.SipCallResponse:
        """Call a number and bring it into a room (rest.md 14)."""
        fields = {
            "room_name": room_name,
            "participant_name": participant_name,
            "participant_identity": participant_identity,
            "from_phone_number": from_phone_number,
            "to_phone_number": to_phone_number,
        }
        not_blank(**fields)
        body = build(types.SipCallRequest, **fields, sip=sip_config)
        return await self._call("POST", "/sip/call", body, types.SipCallResponse, options)

    async def get_recording(
        self, stream_id: str, **options: Unpack[CallOptions]
    ) -> tuple[bytes, dict[str, str]]:
        """Get a recording (Ogg) and its response headers (rest.md 12)."""
        return await self._http_client.get_binary(_recording(stream_id), **options)

    @contextlib.asynccontextmanager
    async def stream_recording(
        self, stream_id: str, **options: Unpack[CallOptions]
    ) -> AsyncGenerator[StreamedBody]:
        """Read a recording as it comes (rest.md 12)."""
        async with self._http_client.stream("GET", _recording(stream_id), **options) as stream:
            yield stream

    async def download_recording(
        self,
        stream_id: str,
        path: str | os.PathLike[str],
        *,
        progress: Callable[[int, int | None], object] | None = None,
        **options: Unpack[CallOptions],
    ) -> Headers:
        """Write a recording to a file, which appears only when it is complete; return the headers.

        `progress` is called with the bytes written so far and how many there will be, if known.
        """
        async with self.stream_recording(stream_id, **options) as stream:
            await _write(stream, Path(path), progress)
        return stream.headers

    async def _call(
        self, method: str, path: str, body: BaseModel | None, result: type[M], options: CallOptions
    ) -> M:
        data = None if body is None else codec.to_json(body, exclude_none=True)
        response = await self._http_client.call(method, path, data=data, **options)
        return codec.read_answer(result, response, f"{method} {path}")


def _speak_body(text: str, tts_config: types.TTSConfig) -> str:
    not_blank(text=text)
    instance_of("tts_config", tts_config, types.TTSConfig)
    body = build(types.SpeakRequest, text=text, tts_config=resolve_config_auth(tts_config))
    return codec.to_json(body, exclude_none=False)


def _recording(stream_id: str) -> str:
    not_blank(stream_id=stream_id)
    return f"/recording/{segment(stream_id)}"


async def _write(
    stream: StreamedBody, path: Path, progress: Callable[[int, int | None], object] | None
) -> None:
    length = stream.headers.get("content-length")
    total = int(length) if length is not None else None
    partial = path.with_name(f"{path.name}.part")
    written = 0
    try:
        with await asyncio.to_thread(partial.open, "wb") as file:
            async for chunk in stream:
                written += await asyncio.to_thread(file.write, chunk)
                if progress is not None:
                    progress(written, total)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
