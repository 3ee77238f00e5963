"""One pipeline of a session: who speaks and who listens (websocket.md 6 to 8)."""

from collections.abc import Mapping
from typing import Any

from sayna_testing.server.state import ServerState
from sayna_testing.server.ws.listener import LINK_GONE, Dropped, Listener
from sayna_testing.server.ws.outbox import Outbox
from sayna_testing.server.ws.refusals import Providers
from sayna_testing.server.ws.speaker import Speaker


class Voice:
    """A speaker and a listener; the speaker says when the listener may be heard."""

    def __init__(
        self,
        state: ServerState,
        config: Mapping[str, Any],
        providers: Providers,
        outbox: Outbox,
        dropped: Dropped,
        session: str,
    ) -> None:
        self.tts_rate: int = config["tts_config"]["sample_rate"]
        self._stt_rate: int = config["stt_config"]["sample_rate"]
        self.speaker = Speaker(state, config["tts_config"], providers.tts, outbox, session)
        self.listener = Listener(
            config["stt_config"],
            providers.stt.provider,
            outbox,
            lambda: self.speaker.interruptible,
            dropped,
        )

    def hear(self, audio: bytes) -> str | None:
        """Take audio of the client; returns the `error` it is answered with (4.5)."""
        if self.listener.hear(audio):
            return None
        return f"Failed to process audio: STT error: {LINK_GONE}"

    def hear_room(self, identity: str, pcm: bytes, sample_rate: int) -> str | None:
        """Take audio of a participant; returns the `error` it is answered with (9.2).

        The room gives it at the rate of the speech, the recogniser takes it for its own rate: two
        different ones stretch it beyond recognition.
        """
        rate = round(sample_rate * self._stt_rate / self.tts_rate) if self.tts_rate else 0
        if self.listener.hear_room(identity, pcm, rate):
            return None
        detail = LINK_GONE.removeprefix("Network error: ")
        return f'Failed to process LiveKit audio: STTError(NetworkError("{detail}"))'

    def drop(self) -> None:
        """Give way to a later pipeline: speech is lost, an armed end of speech is not (4.2.7)."""
        self.speaker.drop()
        self.listener.disconnect()

    def stop(self) -> None:
        """End with the socket."""
        self.speaker.drop()
        self.listener.stop()
