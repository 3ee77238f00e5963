"""The first frame of a session with audio, for clients of bare frames."""

from typing import Any

STT: dict[str, Any] = {
    "provider": "deepgram",
    "language": "en-US",
    "sample_rate": 16000,
    "channels": 1,
    "punctuation": True,
    "encoding": "linear16",
    "model": "nova-3",
}
TTS: dict[str, Any] = {"provider": "deepgram", "model": "aura-asteria-en", "sample_rate": 16000}
CONFIG: dict[str, Any] = {"type": "config", "stt_config": STT, "tts_config": TTS}
