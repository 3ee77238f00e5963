"""Settings files: what they may hold, and how a bad one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sayna_testing.cli.ending import Unusable
from sayna_testing.cli.settings import load_settings
from sayna_testing.server.settings import ServerSettings


def written(tmp_path: Path, text: str, name: str = "fake.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_a_toml_file_sets_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        livekit = false
        recording = false
        deepgram_api_key = false
        wpm = 200
        auth_required = true
        auth_api_secrets = { acme = "a-secret" }

        [sip]
        room_prefix = "call-"
        hooks = [{ host = "pbx.example", url = "https://agent.example/", auth_id = "acme" }]
        """,
    )
    settings = load_settings(path)
    assert settings.livekit is None
    assert settings.recording is False
    assert settings.deepgram_api_key is None
    assert settings.wpm == 200
    assert settings.auth_api_secrets == {"acme": "a-secret"}
    assert settings.sip is not None
    assert settings.sip.room_prefix == "call-"
    assert settings.sip.hooks[0].host == "pbx.example"
    assert settings.elevenlabs_api_key == ServerSettings().elevenlabs_api_key


def test_a_json_file_does_too(tmp_path: Path) -> None:
    path = written(tmp_path, '{"livekit": {"remote_unmute": true}}', "fake.json")
    livekit = load_settings(path).livekit
    assert livekit is not None
    assert livekit.remote_unmute


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wmp = 200", 'unknown key wmp; did you mean "wpm"?'),
        ("zzz = 1", "unknown key zzz (known: auth_required, "),
        ("[sip]\nroom_prefixx = 'a'", "unknown key sip.room_prefixx; did you mean"),
        ("[sip]\nhooks = [{hosst = 'a'}]", "unknown key sip.hooks.hosst; did you mean"),
        ("wpm = 'fast'", "wpm: Input should be a valid number"),
        ("wpm = 0", "wpm must be above 0, got 0"),
        ("sip = 5", "sip: Input should be"),
        ("wpm = ", "Invalid value (at end of document)"),
    ],
)
def test_a_bad_file_is_refused_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(Unusable) as refused:
        load_settings(path)
    assert str(refused.value).startswith(f"{path}: {words}")


def test_a_secret_is_not_repeated_in_the_refusal(tmp_path: Path) -> None:
    path = written(tmp_path, "deepgram_api_key = ['hush-hush']")
    with pytest.raises(Unusable) as refused:
        load_settings(path)
    assert "hush" not in str(refused.value)


def test_a_missing_file_and_another_kind_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"gone.toml: No such file"):
        load_settings(tmp_path / "gone.toml")
    with pytest.raises(Unusable, match=r"expected a .toml or .json file"):
        load_settings(tmp_path / "fake.yaml")
    with pytest.raises(Unusable, match=r"Input should be"):
        load_settings(written(tmp_path, "[]", "list.json"))
