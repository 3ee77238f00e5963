from typing import Any

import pytest

from sayna_testing.server.settings import (
    LiveKitSettings,
    ServerSettings,
    SipHook,
    SipSettings,
)

HOOK = SipHook(host="a.example", url="https://a", auth_id="acme")


def test_default_is_everything_on_and_no_auth() -> None:
    settings = ServerSettings()
    assert not settings.auth_required
    parts = (settings.livekit, settings.sip, settings.recording, settings.cache_path)
    assert all(parts)


@pytest.mark.parametrize(
    ("kind", "knobs", "complaint"),
    [
        (ServerSettings, {"auth_required": True}, "auth_required needs auth_api_secrets"),
        (ServerSettings, {"auth_service_url": "http://x"}, "auth_service_url and auth_signing_key"),
        (ServerSettings, {"auth_signing_key": "k"}, "go together: both or neither"),
        (ServerSettings, {"auth_api_secrets": {" ": "x"}}, "id is not blank"),
        (ServerSettings, {"auth_api_secrets": {"a ": "x"}}, "has no outer blanks, got 'a '"),
        (ServerSettings, {"auth_api_secrets": {"a": " "}}, "the API secret 'a' is blank"),
        (ServerSettings, {"auth_api_secrets": {"a": "x", "A": "y"}}, "differ in case only"),
        (ServerSettings, {"auth_api_secrets": {"a": "x", "b": "x"}}, "share one secret"),
        (
            ServerSettings,
            {
                "auth_required": True,
                "auth_api_secrets": {"a": "x"},
                "sip": SipSettings(hooks=(SipHook(host="a.example", url="https://a"),)),
            },
            "the SIP hook of 'a.example' needs an auth_id",
        ),
        (ServerSettings, {"wpm": 0}, "wpm must be above 0, got 0"),
        (ServerSettings, {"auth_timeout_seconds": -1}, "auth_timeout_seconds must be above 0"),
        (ServerSettings, {"tts_latency": -1}, "tts_latency is a number of seconds, got -1"),
        (ServerSettings, {"tts_latency": float("nan")}, "is a number of seconds, got nan"),
        (SipSettings, {"room_prefix": ""}, "room_prefix holds letters"),
        (SipSettings, {"room_prefix": "sip/"}, "'_' only, got 'sip/'"),
        (SipSettings, {"allowed_addresses": ()}, "at least one IPv4 address"),
        (SipSettings, {"allowed_addresses": ("::1",)}, "IPv4 addresses or networks, got '::1'"),
        (
            SipSettings,
            {"hooks": (HOOK, SipHook(host=" A.example", url="x"))},
            "names the host 'a.example' twice",
        ),
    ],
)
def test_settings_no_server_would_start_with_are_refused(
    kind: type[ServerSettings | SipSettings], knobs: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        kind(**knobs)


def test_addresses_and_tenants_that_are_right_pass() -> None:
    sip = SipSettings(allowed_addresses=("10.1.2.3", "192.168.0.0/16"), hooks=(HOOK,))
    settings = ServerSettings(
        auth_required=True, auth_api_secrets={"acme": "x", "globex": "y"}, sip=sip
    )
    assert settings.sip is sip


def test_no_secret_is_shown() -> None:
    settings = ServerSettings(
        auth_required=True,
        auth_api_secrets={"acme": "SECRET-1"},
        auth_service_url="http://auth",
        auth_signing_key="SECRET-2",
        livekit=LiveKitSettings(api_secret="SECRET-3"),
        sip=SipSettings(
            hook_secret="SECRET-4",
            outbound_auth_password="SECRET-5",
            hooks=(SipHook(host="a", url="b", auth_id="c", secret="SECRET-6"),),
        ),
        deepgram_api_key="SECRET-7",
        elevenlabs_api_key="SECRET-8",
        cartesia_api_key="SECRET-9",
        azure_speech_subscription_key="SECRET-10",
        google_application_credentials="SECRET-11",
    )
    assert "SECRET" not in repr(settings)
