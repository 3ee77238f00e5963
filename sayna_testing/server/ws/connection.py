"""One WebSocket connection: reads, lets rules decide, writes, cleans up (websocket.md 2, 12)."""

import asyncio
import json
from typing import Any, cast

from sayna_testing.server.fault_effects import Delay, FrameEffect, Silent
from sayna_testing.server.journal import Journal, redact_text
from sayna_testing.server.rooms import Room
from sayna_testing.server.serde import SerdeError
from sayna_testing.server.state import ServerState
from sayna_testing.server.ws import messages
from sayna_testing.server.ws.conversation import Conversation
from sayna_testing.server.ws.messages import Fields, Result
from sayna_testing.server.ws.mischief import Cut, Mischief, Step
from sayna_testing.server.ws.outbox import Outbox, Outgoing, text
from sayna_testing.server.ws.socket import Socket
from sayna_testing.server.ws.speaker import Failure
from sayna_testing.server.ws.standing import Verdict, judge
from sayna_testing.server.ws.wire import Message, Opcode, WireError, close_payload, frame


class Connection:
    """A session as the server sees it. The doors below are called in its own `loop`."""

    def __init__(
        self, state: ServerState, journal: Journal, socket: Socket, *, key: str, auth_id: str
    ) -> None:
        self.key = key
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._journal = journal
        self._outbox = Outbox()
        self._mischief = Mischief(state.faults, key, self._on_fault, self._recogniser_fails)
        self._conversation = Conversation(
            state,
            self._outbox,
            session=key,
            auth_id=auth_id,
            dropped=self._on_dropped,
            close=self.close,
            in_room=self._mischief.in_room,
        )
        self._socket = socket
        socket.on_eof = self._mischief.talk
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether either side has ended it, be it cleaned up or not."""
        return self._ended

    @property
    def config(self) -> dict[str, Any] | None:
        """The last config that was accepted, defaults filled in; not redacted."""
        return self._conversation.config

    @property
    def room(self) -> Room | None:
        """The room Sayna joined last."""
        return None if self._conversation.link is None else self._conversation.link.room

    async def serve(self) -> None:
        """Upgrade the connection and serve it to its end; raises what failed inside."""
        socket = self._socket
        socket.open()
        self._note("open", flow=">")
        sender = self.loop.create_task(self._send_all(socket))
        sender.add_done_callback(self._end_if_failed)
        try:
            await self._read_all(socket)
        finally:
            sender.cancel()
            self._outbox.close()
            self._conversation.end()
            self._end("*", {})
            self.closed = True
        await asyncio.wait([sender])
        if not sender.cancelled():
            sender.result()

    def _end_if_failed(self, sender: asyncio.Task[None]) -> None:
        if not sender.cancelled() and sender.exception() is not None:
            self.abort()

    async def _read_all(self, socket: Socket) -> None:
        """Handle one message after the other, the next one only when the last is done (2.1)."""
        try:
            while message := await socket.receive(answers_pings=self._answers_pings):
                if self._mischief.silent:
                    await self._mischief.wait_while_silent()
                if message.opcode == Opcode.CLOSE:
                    self._end(">", {"code": message.close_code})
                    return
                await self._handle(message)
        except WireError as error:
            self._note("error", flow="*", data={"message": f"WebSocket error: {error}"}, error=True)

    def _answers_pings(self) -> bool:
        return not self._ended and not self._mischief.silent

    async def _handle(self, message: Message) -> None:
        if message.opcode == Opcode.BINARY:
            if not await self._met("audio"):
                return
            verdict = judge("audio", {}, self._conversation.standing)
            self._arrived("audio", verdict, audio=message.payload)
            if verdict.answer is not None:
                await self._outbox.send(verdict.answer)
            else:
                await self._conversation.hear(message.payload)
            return
        await self._handle_text(message.payload.decode())

    async def _handle_text(self, frame_text: str) -> None:
        try:
            kind, fields = messages.read(frame_text)
        except SerdeError as error:
            if not await self._met("malformed"):
                return
            self._note("malformed", flow=">", data={"text": redact_text(frame_text)}, error=True)
            refusal = messages.error(f"Invalid message format: {error.detail}")
            await self._outbox.send(refusal)
            return
        if not await self._met(kind):
            return
        verdict = judge(kind, fields, self._conversation.standing)
        self._arrived(kind, verdict, data=_as_sent(frame_text, kind, fields))
        if verdict.answer is not None:
            await self._outbox.send(verdict.answer)
        elif verdict.acts:
            await self._conversation.handle(kind, fields)

    async def _met(self, kind: str) -> bool:
        """Let a frame of the client meet the planned faults; False when it is not handled."""
        return self._mischief.idle or await self._mischief.incoming(kind, self.close, self.abort)

    def _arrived(
        self,
        kind: str,
        verdict: Verdict,
        *,
        data: dict[str, Any] | None = None,
        audio: bytes | None = None,
    ) -> None:
        self._journal.record(
            kind,
            flow=">",
            session=self.key,
            data=data,
            audio=audio,
            dropped=verdict.dropped,
            error=verdict.answer is not None,
        )

    async def _send_all(self, socket: Socket) -> None:
        """Write what is queued, in order, up to a Close; then nothing more is sent."""
        alive = True
        while alive:
            taken = await self._outbox.take()
            if self._mischief.idle:
                alive = await self._write(socket, taken)
                continue
            for outgoing in taken:
                for step in self._mischief.outgoing(outgoing):
                    alive = alive and await self._take_step(socket, step)
        self._outbox.close()

    async def _write(self, socket: Socket, frames: list[Outgoing]) -> bool:
        """Write frames at once; False when there is nothing more to write."""
        data = bytearray()
        for outgoing in frames:
            data += frame(outgoing.opcode, outgoing.payload)
            self._sent(outgoing)
            if self._ended:
                break
        return await socket.write(bytes(data)) and not self._ended

    async def _take_step(self, socket: Socket, step: Step) -> bool:
        match step:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Silent(seconds):
                await self._mischief.fall_silent(seconds)
            case Cut(data):
                await socket.write(data)
                socket.abort() if not data else socket.hang_up()
                return False
            case _:
                return await self._write(socket, [step])
        return True

    def _sent(self, outgoing: Outgoing) -> None:
        if outgoing.opcode == Opcode.CLOSE:
            self._end("<", outgoing.data or {})
            return
        audio = outgoing.payload if outgoing.opcode == Opcode.BINARY else None
        self._journal.record(
            outgoing.kind, flow="<", session=self.key, data=outgoing.data, audio=audio
        )

    def _end(self, flow: Any, data: dict[str, Any]) -> None:
        """Note the end once, by whoever began it."""
        if not self._ended:
            self._ended = True
            self._note("close", flow=flow, data=data)

    def _on_fault(self, effect: FrameEffect, kind: str) -> None:
        self._note("fault", flow="*", data={"fault": str(effect), "at": kind})

    def _recogniser_fails(self, text: str) -> None:
        if self._conversation.voice is not None:
            self._conversation.voice.listener.fail(text)

    def _on_dropped(self, result: Result, reason: str) -> None:
        frame = messages.stt_result(result)
        self._journal.record(
            "stt_result", flow="*", session=self.key, data=frame.data, dropped=reason
        )

    def _note(
        self, kind: str, *, flow: Any, data: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._journal.record(kind, flow=flow, session=self.key, data=data, error=error)

    # Doors for tests

    def provider_result(
        self, transcript: str, *, is_final: bool, is_speech_final: bool, confidence: float
    ) -> str | None:
        """A result as from the recogniser: None if it was delivered, else why not (8.2)."""
        result = Result(transcript, is_final, is_speech_final, confidence)
        voice = self._conversation.voice
        if voice is not None:
            return voice.listener.result(result)
        reason = "no recogniser: no config with audio was accepted"
        self._on_dropped(result, reason)
        return reason

    def stt_failure(self, text: str) -> None:
        """The recogniser fails with an STTError text, e.g. `Network error: …` (8.5)."""
        self._voice().listener.fail(text)

    def tts_fail_next(self, text: str, *, after: int = 0) -> None:
        """The next synthesis fails with a TTSError text, behind `after` bytes of audio (6.4)."""
        self._voice().speaker.failures.append(Failure(text, after))

    def push(self, frame: dict[str, Any]) -> None:
        """Queue a JSON frame of the test's own making."""
        self._outbox.put(
            text(messages.Frame({"type": "pushed", **frame}, messages.frame(frame).text))
        )

    def push_raw(self, data: str | bytes) -> None:
        """Queue a text or binary frame as it is."""
        if isinstance(data, str):
            self._outbox.put(Outgoing(Opcode.TEXT, data.encode(), "raw", {"text": data}))
        else:
            self._outbox.put(Outgoing(Opcode.BINARY, data, "audio"))

    def close(self, code: int | None = None) -> None:
        """Send a Close behind what is queued, without a code as the real server does (9.4)."""
        self._outbox.put(Outgoing(Opcode.CLOSE, close_payload(code), "close", {"code": code}))

    def abort(self) -> None:
        """Drop the connection without a Close."""
        self._socket.abort()

    def disown(self) -> None:
        """Write nothing more about this connection; from any thread."""
        self._journal = Journal()

    def _voice(self) -> Any:
        voice = self._conversation.voice
        if voice is None:
            raise RuntimeError(f"session {self.key} has no providers yet: no config with audio")
        return voice


def _as_sent(frame_text: str, kind: str, fields: Fields) -> dict[str, Any]:
    """What the client sent, for the journal; a list of fields gets their names."""
    sent: Any = json.loads(frame_text)
    return cast("Fields", sent) if isinstance(sent, dict) else {"type": kind, **fields}
