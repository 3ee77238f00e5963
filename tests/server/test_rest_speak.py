import asyncio
import importlib
import io
import json
import sys
from typing import Any

import pytest

from sayna_testing.clock import virtual_time
from sayna_testing.server.rest import Response
from sayna_testing.server.settings import ServerSettings
from sayna_testing.server.tts import delivered
from sayna_testing.server.tts_error import SpeakError, Stage
from sayna_testing.speech import recognize, synthesize
from tests.server.asking import ACME, TENANTS, Rest

soundfile: Any = importlib.import_module("soundfile")
PCM = {"content-type": "audio/pcm", "x-audio-format": "linear16", "x-sample-rate": "24000"}


async def speak(rest: Rest, text: str = "Hello there", **config: Any) -> Response:
    asked = {"provider": "deepgram", "model": "m", **config}
    return await rest("POST", "/speak", {"text": text, "tts_config": asked})


async def failure(rest: Rest, text: str = "Hello there", **config: Any) -> tuple[int, str]:
    response = await speak(rest, text, **config)
    return response.status, json.loads(response.body)["error"]


def headers(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers if name != "content-length"}


async def test_speech_says_the_text_at_its_natural_length() -> None:
    response = await speak(Rest())
    assert headers(response) == PCM
    assert response.body == synthesize("Hello there")
    assert recognize(response.body, sample_rate=24000) == "Hello there"


@pytest.mark.parametrize("audio_format", ["linear16", "mulaw", "alaw", "wav"])
@pytest.mark.parametrize("sample_rate", [8000, 22050, 48000])
async def test_plain_formats_read_back(audio_format: str, sample_rate: int) -> None:
    response = await speak(Rest(), audio_format=audio_format, sample_rate=sample_rate)
    assert headers(response)["x-sample-rate"] == str(sample_rate)
    heard = recognize(response.body, sample_rate=sample_rate, encoding=audio_format)
    assert heard == "Hello there"


@pytest.mark.parametrize(
    ("audio_format", "content_type", "container", "codec", "rate"),
    [
        ("mp3", "audio/mpeg", "MP3", "MPEG_LAYER_III", 22050),
        ("opus", "audio/ogg", "OGG", "OPUS", 24000),
        ("ogg", "audio/ogg", "OGG", "OPUS", 24000),
        ("flac", "application/octet-stream", "FLAC", "PCM_16", 22050),
    ],
)
async def test_compressed_formats_are_files_that_play(
    audio_format: str, content_type: str, container: str, codec: str, rate: int
) -> None:
    response = await speak(Rest(), audio_format=audio_format, sample_rate=22050)
    assert headers(response)["content-type"] == content_type
    with soundfile.SoundFile(io.BytesIO(response.body)) as file:
        assert (file.format, file.subtype, file.samplerate) == (container, codec, rate)
        assert file.frames / rate == pytest.approx(len(synthesize("Hello there")) / 48000, abs=0.1)


@pytest.mark.parametrize(
    ("audio_format", "content_type"),
    [
        ("pcm", "audio/pcm"),
        ("mpeg", "audio/mpeg"),
        ("LINEAR16", "application/octet-stream"),
        ("ulaw", "application/octet-stream"),
        ("Zürich\t", "application/octet-stream"),
    ],
)
async def test_headers_echo_the_request(audio_format: str, content_type: str) -> None:
    response = await speak(Rest(), audio_format=audio_format)
    assert headers(response) == PCM | {
        "content-type": content_type,
        "x-audio-format": audio_format,
    }


async def test_format_that_fits_no_header_fails_after_the_synthesis() -> None:
    response = await speak(Rest(), audio_format="a\nb")
    assert (response.status, response.body) == (500, b"failed to parse header value")


@pytest.mark.parametrize(
    ("provider", "audio_format", "rate", "container", "real_rate"),
    [
        ("deepgram", "pcm", 11025, "linear16", 11025),
        ("deepgram", "ulaw", 8000, "mulaw", 8000),
        ("deepgram", "MP3", 8000, "linear16", 8000),
        ("elevenlabs", "wav", 16000, "linear16", 16000),
        ("elevenlabs", "linear16", 8000, "linear16", 24000),
        ("elevenlabs", "pcm", 22050, "linear16", 22050),
        ("elevenlabs", "mulaw", 8000, "linear16", 8000),
        ("elevenlabs", "ulaw", 16000, "mulaw", 8000),
        ("elevenlabs", "alaw", 16000, "linear16", 16000),
        ("elevenlabs", "opus", 48000, "linear16", 48000),
        ("elevenlabs", "mp3", 22050, "mp3", 22050),
        ("elevenlabs", "mp3", 24000, "mp3", 44100),
        ("google", "WAV", 16000, "linear16", 16000),
        ("google", "ulaw", 8000, "mulaw", 8000),
        ("google", "ogg-opus", 24000, "opus", 24000),
        ("google", "flac", 16000, "wav", 16000),
        ("azure", "wav", 11025, "linear16", 16000),
        ("azure", "linear16", 96000, "linear16", 48000),
        ("azure", "mulaw", 24000, "mulaw", 8000),
        ("azure", "alaw", 24000, "alaw", 8000),
        ("azure", "mp3", 22050, "mp3", 24000),
        ("azure", "opus", 48000, "opus", 24000),
        ("azure", "ogg", 8000, "linear16", 24000),
        ("cartesia", "wav", 16000, "wav", 16000),
        ("cartesia", "alaw", 8000, "alaw", 8000),
        ("cartesia", "opus", 8000, "linear16", 24000),
    ],
)
def test_providers_deliver_what_they_like(
    provider: Any, audio_format: str, rate: int, container: str, real_rate: int
) -> None:
    form = delivered(provider, audio_format, rate)
    assert (form.container, form.sample_rate) == (container, real_rate)


async def test_pronunciations_are_applied_twice_but_once_for_elevenlabs() -> None:
    rest = Rest()
    config: dict[str, Any] = {
        "pronunciations": [
            {"word": "ETA", "pronunciation": "E T A"},
            {"word": "A", "pronunciation": r"ay\1"},
        ]
    }
    spoken = (await speak(rest, "ETA BAT", **config)).body
    assert spoken == synthesize(r"E T ay\1 Bay\1T")
    config["pronunciations"].append({"word": "E", "pronunciation": "A"})
    twice = (await speak(rest, "E", **config)).body
    once = (await speak(rest, "E", provider="elevenlabs", **config)).body
    assert (twice, once) == (synthesize(r"ay\1"), synthesize("A"))


async def test_text_that_turns_blank_is_empty_audio_of_the_default_kind() -> None:
    response = await speak(
        Rest(),
        "um",
        audio_format="mp3",
        sample_rate=8000,
        pronunciations=[{"word": "um", "pronunciation": " "}],
    )
    assert (response.status, headers(response), response.body) == (200, PCM, b"")


@pytest.mark.parametrize(
    ("provider", "faster"),
    [
        ("deepgram", False),
        ("cartesia", False),
        ("google", True),
        ("azure", True),
        ("elevenlabs", True),
    ],
)
async def test_speaking_rate_counts_where_it_is_sent(provider: str, faster: bool) -> None:
    response = await speak(Rest(), provider=provider, speaking_rate=1.5)
    assert response.body == synthesize("Hello there", wpm=240 if faster else 160)


@pytest.mark.parametrize(
    ("text", "config", "status", "error"),
    [
        ("\u3000\n", {"provider": "x"}, 400, "Text cannot be empty"),
        ("a", {"provider": "Polly"}, 400, "Unsupported provider: polly"),
        (
            "a",
            {"provider": "Microsoft-Azure", "auth": {"zone": 1, "api": 2, "region": "r"}},
            400,
            "Invalid auth input for provider azure:"
            " Unsupported auth field(s) for provider azure: api, zone",
        ),
        (
            "a",
            {"provider": "azure", "auth": {"region": None}},
            400,
            "Invalid auth input for provider azure:"
            " Auth field 'api_key' is required for provider azure",
        ),
        (
            "a",
            {"auth": {"api_key": None}},
            400,
            "Invalid auth input for provider deepgram:"
            " Auth field 'api_key' must be a string for provider deepgram",
        ),
        (
            "a",
            {"provider": "google", "auth": {"credentials": []}},
            400,
            "Invalid auth input for provider google:"
            " Auth field 'credentials' must be a string or JSON object for provider google",
        ),
        (
            "a",
            {"provider": "google", "auth": {"credentials": "/no/such.json"}},
            400,
            "Failed to create TTS provider:"
            " Invalid configuration: Credential file not found: /no/such.json",
        ),
        (
            "a",
            {"provider": "google", "auth": {"credentials": {"project_id": ""}}},
            400,
            "Failed to create TTS provider: Invalid configuration: Failed to extract project_id"
            " from Google Cloud credentials."
            " Ensure the credentials file contains a valid project_id field.",
        ),
        (
            "a",
            {"sample_rate": 7999},
            500,
            "TTS synthesis error: Provider error: API error (400 Bad Request):"
            ' {"error":"sample rate 7999 is not supported"}',
        ),
        (
            "a" * 100_001,
            {"provider": "google"},
            500,
            "Failed to synthesize speech: Provider error: Google TTS API error"
            ' (413 Payload Too Large): {"error":"text of 100001 characters is not supported"}',
        ),
    ],
)
async def test_speech_is_refused(
    text: str, config: dict[str, Any], status: int, error: str
) -> None:
    assert await failure(Rest(), text, **config) == (status, error)


async def test_empty_words_do_not_grow_a_text_without_bound() -> None:
    words = [{"word": "", "pronunciation": "abcdefgh"}] * 20
    status, error = await failure(Rest(), "hello", pronunciations=words)
    assert (status, "100001 characters" in error) == (500, True)


@pytest.mark.parametrize("credentials", [{"project_id": "p"}, '{"project_id":"p"}'])
async def test_google_takes_a_document_or_its_text(credentials: object) -> None:
    response = await speak(Rest(), provider="google", auth={"credentials": credentials})
    assert response.status == 200


@pytest.mark.parametrize(
    ("settings", "provider", "error"),
    [
        (
            ServerSettings(deepgram_api_key=None),
            "deepgram",
            "Missing server auth for provider deepgram:"
            " Deepgram API key not configured in server environment",
        ),
        (
            ServerSettings(azure_speech_subscription_key=None),
            "azure",
            "Missing server auth for provider azure:"
            " Azure Speech subscription key not configured in server environment",
        ),
        (
            ServerSettings(elevenlabs_api_key=""),
            "elevenlabs",
            "Failed to create TTS provider:"
            " Invalid configuration: API key is required for ElevenLabs",
        ),
        (
            ServerSettings(google_application_credentials=None),
            "google",
            "Failed to create TTS provider: Invalid configuration: Failed to extract project_id"
            " from Google Cloud credentials."
            " Ensure the credentials file contains a valid project_id field.",
        ),
    ],
)
async def test_server_without_credentials_says_so(
    settings: ServerSettings, provider: str, error: str
) -> None:
    assert await failure(Rest(settings), provider=provider) == (500, error)


@pytest.mark.parametrize(
    ("provider", "stage", "text", "own", "expected"),
    [
        (
            "deepgram",
            None,
            "Provider error: API error (401 Unauthorized): no",
            False,
            (500, "TTS synthesis error: Provider error: API error (401 Unauthorized): no"),
        ),
        (
            "deepgram",
            None,
            "Provider error: API error (401 Unauthorized): no",
            True,
            (400, "TTS synthesis error: Provider error: API error (401 Unauthorized): no"),
        ),
        (
            "google",
            None,
            "Network error: HTTP request failed: reset",
            False,
            (500, "Failed to synthesize speech: Network error: HTTP request failed: reset"),
        ),
        (
            "cartesia",
            "connect",
            "Connection failed: Forbidden",
            True,
            (400, "Failed to connect to TTS provider: Connection failed: Forbidden"),
        ),
        (
            "cartesia",
            "connect",
            "Timeout error: Forbidden",
            True,
            (500, "Failed to connect to TTS provider: Timeout error: Forbidden"),
        ),
        (
            "deepgram",
            "register",
            "Provider error: forbidden",
            True,
            (500, "Failed to register audio callback: Provider error: forbidden"),
        ),
    ],
)
async def test_provider_failures_are_handed_on(
    provider: str, stage: Stage | None, text: str, own: bool, expected: tuple[int, str]
) -> None:
    rest = Rest()
    rest.state.tts_failures.append(SpeakError(text, stage))
    auth = {"credentials": {"project_id": "p"}} if provider == "google" else {"api_key": "k"}
    assert await failure(rest, provider=provider, auth=auth if own else {}) == expected
    assert (await speak(rest, provider=provider)).status == 200


@pytest.mark.parametrize(("provider", "took"), [("deepgram", 4.0), ("google", 2.0)])
def test_four_requests_at_once_go_to_a_provider_with_a_pool(provider: str, took: float) -> None:
    async def five_at_once() -> float:
        rest = Rest(ServerSettings(tts_latency=2.0))
        start = asyncio.get_running_loop().time()
        await asyncio.gather(*(speak(rest, "a", provider=provider) for _ in range(5)))
        return asyncio.get_running_loop().time() - start

    with virtual_time():
        assert asyncio.run(five_at_once()) == pytest.approx(took)


async def test_compressed_audio_without_soundfile_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert await failure(Rest(), audio_format="mp3") == (
        500,
        "compressed audio needs soundfile: pip install 'sayna-client[testing,media]'",
    )


async def test_voices_of_providers_without_credentials_are_left_out() -> None:
    rest = Rest(ServerSettings(deepgram_api_key=None, google_application_credentials=None))
    assert list(await rest.json("GET", "/voices")) == ["elevenlabs", "azure"]


async def test_voices_are_a_catalogue_that_can_be_replaced() -> None:
    rest = Rest(TENANTS)
    listed = await rest.json("GET", "/voices", **ACME)
    assert sorted(listed) == ["azure", "deepgram", "elevenlabs", "google"]
    voices = [voice for some in listed.values() for voice in some]
    keys = ["id", "sample", "name", "accent", "gender", "language"]
    assert all(list(voice) == keys for voice in voices)
    rest.state.voices = {"deepgram": voices[:1], "azure": []}
    assert await rest.json("GET", "/voices", **ACME) == {"deepgram": voices[:1], "azure": []}


@pytest.mark.parametrize(
    ("voices", "complaint"),
    [
        ({"cartesia": []}, "voices are listed for elevenlabs, deepgram, google, azure"),
        ({"azure": [{"id": "x"}]}, "a voice has the keys id, sample, name"),
        (
            {"azure": [dict.fromkeys(("id", "sample", "name", "accent", "gender", "language"), 1)]},
            "all of them strings",
        ),
    ],
)
def test_voices_the_real_server_never_has_are_refused(voices: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Rest().state.voices = voices
