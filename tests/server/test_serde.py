"""Every sample text of rest.md 6.3 and websocket.md 4.1, and what must hold for any text."""

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayna_testing.server.rust_text import f32, f32_text, float_text, json_text
from sayna_testing.server.serde import (
    F32,
    U16,
    U32,
    U64,
    Bool,
    Field,
    Json,
    JsonObject,
    List,
    SerdeError,
    String,
    Struct,
    read_body,
    read_tagged,
)

AUTH = Field("auth", JsonObject("struct ProviderAuthInput"))
WORD = Struct(
    "Pronunciation",
    (Field("word", String, required=True), Field("pronunciation", String, required=True)),
)
TTS = Struct(
    "TTSWebSocketConfig",
    (
        Field("provider", String, required=True),
        Field("sample_rate", U32, default=24000),
        Field("model", String, required=True),
        Field("pronunciations", List(WORD), nullable=False, default=[]),
        AUTH,
    ),
)
SPEAK = Struct(
    "SpeakRequest",
    (Field("text", String, required=True), Field("tts_config", TTS, required=True)),
)
HOOKS = Struct(
    "SipHooksRequest",
    (
        Field(
            "hooks",
            List(
                Struct(
                    "SipHookEntry",
                    tuple(
                        Field(name, String, required=True) for name in ("host", "url", "auth_id")
                    ),
                )
            ),
            nullable=False,
            default=[],
        ),
    ),
)
MUTE = Struct(
    "MuteParticipantRequest",
    (
        *(
            Field(name, String, required=True)
            for name in ("room_name", "participant_identity", "track_sid")
        ),
        Field("muted", Bool, required=True),
    ),
)
TOKEN = Struct(
    "TokenRequest",
    tuple(
        Field(name, String, required=True)
        for name in ("room_name", "participant_name", "participant_identity")
    ),
)
ANYTHING = Struct(
    "Anything",
    (Field("value", Json), Field("rate", F32), Field("size", U64), Field("flags", List(Bool))),
)
BODIES = {"speak": SPEAK, "hooks": HOOKS, "mute": MUTE, "token": TOKEN, "any": ANYTHING}


@pytest.mark.parametrize(
    ("shape", "body", "category", "detail"),
    [
        # rest.md 6.3
        ("speak", "", "syntax", "EOF while parsing a value at line 1 column 0"),
        ("speak", "{", "syntax", "EOF while parsing an object at line 1 column 1"),
        ("speak", "not json", "syntax", "expected ident at line 1 column 2"),
        ("speak", '{"text":}', "syntax", "text: expected value at line 1 column 9"),
        ("speak", '{"text":"hi",}', "syntax", "trailing comma at line 1 column 14"),
        ("speak", "{'text':1}", "syntax", "key must be a string at line 1 column 2"),
        ("speak", '{"text":"hi"', "syntax", "EOF while parsing an object at line 1 column 12"),
        (
            "speak",
            '{"text":"hi","tts_config":{"provider":"deepgram","model":"m"}} x',
            "syntax",
            "trailing characters at line 1 column 64",
        ),
        (
            "speak",
            '{"text":5',
            "data",
            "text: invalid type: integer `5`, expected a string at line 1 column 9",
        ),
        ("speak", "{} x", "data", "missing field `text` at line 1 column 2"),
        ("speak", "{}", "data", "missing field `text` at line 1 column 2"),
        ("speak", '{"text":"hi"}', "data", "missing field `tts_config` at line 1 column 13"),
        (
            "speak",
            '{"text":null,"tts_config":{}}',
            "data",
            "text: invalid type: null, expected a string at line 1 column 12",
        ),
        (
            "speak",
            '{"text":"hi","tts_config":{}}',
            "data",
            "tts_config: missing field `provider` at line 1 column 28",
        ),
        (
            "speak",
            '{"tts_config":{}}',
            "data",
            "tts_config: missing field `provider` at line 1 column 16",
        ),
        (
            "speak",
            '{"text":"hi","tts_config":null}',
            "data",
            "tts_config: invalid type: null, expected struct TTSWebSocketConfig"
            " at line 1 column 30",
        ),
        (
            "speak",
            '{"text":"hi","text":"ho","tts_config":{}}',
            "data",
            "duplicate field `text` at line 1 column 19",
        ),
        (
            "speak",
            "null",
            "data",
            "invalid type: null, expected struct SpeakRequest at line 1 column 4",
        ),
        (
            "speak",
            '{"tts_config":{"sample_rate":-1}}',
            "data",
            "tts_config.sample_rate: invalid value: integer `-1`, expected u32 at line 1 column 31",
        ),
        (
            "speak",
            '{"tts_config":{"sample_rate":24000.0}}',
            "data",
            "tts_config.sample_rate: invalid type: floating point `24000.0`, expected u32"
            " at line 1 column 36",
        ),
        (
            "speak",
            '{"tts_config":{"sample_rate":"24000"}}',
            "data",
            'tts_config.sample_rate: invalid type: string "24000", expected u32'
            " at line 1 column 36",
        ),
        (
            "speak",
            '{"tts_config":{"auth":"x"}}',
            "data",
            'tts_config.auth: invalid type: string "x", expected struct ProviderAuthInput'
            " at line 1 column 25",
        ),
        (
            "speak",
            '{"tts_config":{"auth":[]}}',
            "data",
            "tts_config.auth: invalid type: sequence, expected struct ProviderAuthInput"
            " at line 1 column 22",
        ),
        (
            "speak",
            '{"tts_config":{"pronunciations":null}}',
            "data",
            "tts_config.pronunciations: invalid type: null, expected a sequence"
            " at line 1 column 36",
        ),
        (
            "speak",
            '{"tts_config":{"pronunciations":[{"word":"a","pronunciation":"b"},["c","d"],{}]}}',
            "data",
            "tts_config.pronunciations[2]: missing field `word` at line 1 column 78",
        ),
        (
            "speak",
            '{"tts_config":\n {"provider" 1}}',
            "syntax",
            "tts_config: expected `:` at line 2 column 14",
        ),
        (
            "speak",
            '{"tts_config":{"provider":"a",}}',
            "syntax",
            "tts_config.?: trailing comma at line 1 column 31",
        ),
        (
            "speak",
            '{"text":1e400}',
            "syntax",
            "text: number out of range at line 1 column 13",
        ),
        (
            "hooks",
            '{"hooks":{}}',
            "data",
            "hooks: invalid type: map, expected a sequence at line 1 column 9",
        ),
        (
            "hooks",
            '{"hooks":[{"host":"a","url":"b"}]}',
            "data",
            "hooks[0]: missing field `auth_id` at line 1 column 32",
        ),
        (
            "mute",
            '{"room_name":"r","participant_identity":"i","track_sid":"t","muted":1}',
            "data",
            "muted: invalid type: integer `1`, expected a boolean at line 1 column 69",
        ),
        (
            "token",
            '["r","n"]',
            "data",
            "invalid length 2, expected struct TokenRequest with 3 elements at line 1 column 9",
        ),
        ("token", '["r","n","i","x"]', "syntax", "trailing characters at line 1 column 14"),
        ("token", '["r","n","i",]', "syntax", "trailing comma at line 1 column 14"),
        ("token", '["r","n","i" "x"]', "syntax", "trailing characters at line 1 column 14"),
        ("token", '["r","n","i"', "syntax", "EOF while parsing a list at line 1 column 12"),
        ("token", '["r",', "syntax", "EOF while parsing a value at line 1 column 5"),
        ("token", '["r"', "syntax", "EOF while parsing a list at line 1 column 4"),
        ("token", '["r" 1', "syntax", "expected `,` or `]` at line 1 column 6"),
        ("token", '["r",]', "syntax", "trailing comma at line 1 column 6"),
        (
            "token",
            "7",
            "data",
            "invalid type: integer `7`, expected struct TokenRequest at line 1 column 1",
        ),
        (
            "any",
            '{"value":[1,{"a":tru}]}',
            "syntax",
            "value[1].a: expected ident at line 1 column 21",
        ),
        ("any", '{"value":[1 2]}', "syntax", "value: expected `,` or `]` at line 1 column 13"),
        ("any", '{"value":1.5e5,"value":1}', "data", "duplicate field `value` at line 1 column 22"),
        (
            "speak",
            '{"tts_config":{"pronunciations":true}}',
            "data",
            "tts_config.pronunciations: invalid type: boolean `true`, expected a sequence"
            " at line 1 column 36",
        ),
        (
            "any",
            '{"value":1' + "0" * 5000 + "}",
            "syntax",
            "value: number out of range at line 1 column 5010",
        ),
        (
            "any",
            '{"size":99999999999999999999}',
            "data",
            "size: invalid type: floating point `1e20`, expected u64 at line 1 column 28",
        ),
        (
            "any",
            '{"size":-9223372036854775809}',
            "data",
            "size: invalid type: floating point `-9.223372036854776e18`, expected u64"
            " at line 1 column 28",
        ),
        (
            "any",
            '{"rate":false}',
            "data",
            "rate: invalid type: boolean `false`, expected f32 at line 1 column 13",
        ),
        (
            "speak",
            '{"tts_config":{"auth":[',
            "data",
            "tts_config.auth: invalid type: sequence, expected struct ProviderAuthInput"
            " at line 1 column 22",
        ),
        (
            "speak",
            '{"tts_config":{"pronunciations":{',
            "data",
            "tts_config.pronunciations: invalid type: map, expected a sequence at line 1 column 32",
        ),
        (
            "speak",
            '{"tts_config":{"sample_rate":"',
            "syntax",
            "tts_config.sample_rate: EOF while parsing a string at line 1 column 30",
        ),
        ("any", '{"value":nul', "syntax", "value: EOF while parsing a value at line 1 column 12"),
        (
            "any",
            '{"rate":"1"}',
            "data",
            'rate: invalid type: string "1", expected f32 at line 1 column 11',
        ),
        (
            "any",
            '{"size":true}',
            "data",
            "size: invalid type: boolean `true`, expected u64 at line 1 column 12",
        ),
        ("any", '{"value":01}', "syntax", "value: invalid number at line 1 column 11"),
        ("any", '{"value":-}', "syntax", "value: invalid number at line 1 column 11"),
        ("any", '{"value":-', "syntax", "value: EOF while parsing a value at line 1 column 10"),
        ("any", '{"value":1.}', "syntax", "value: invalid number at line 1 column 12"),
        ("any", '{"value":1.', "syntax", "value: EOF while parsing a value at line 1 column 11"),
        ("any", '{"value":1e+}', "syntax", "value: invalid number at line 1 column 13"),
        ("any", '{"value":1e', "syntax", "value: EOF while parsing a value at line 1 column 11"),
        (
            "any",
            '{"value":1e99999999999}',
            "syntax",
            "value: number out of range at line 1 column 21",
        ),
        ("any", '{"value":"\\x"}', "syntax", "value: invalid escape at line 1 column 12"),
        ("any", '{"value":"\\u12x4"}', "syntax", "value: invalid escape at line 1 column 16"),
        (
            "any",
            '{"value":"\\u12',
            "syntax",
            "value: EOF while parsing a string at line 1 column 14",
        ),
        ("any", '{"value":"\\', "syntax", "value: EOF while parsing a string at line 1 column 11"),
        (
            "any",
            '{"value":"\\udc00"}',
            "syntax",
            "value: lone leading surrogate in hex escape at line 1 column 16",
        ),
        (
            "any",
            '{"value":"\\ud800\\u0041"}',
            "syntax",
            "value: lone leading surrogate in hex escape at line 1 column 22",
        ),
        (
            "any",
            '{"value":"\\ud800x"}',
            "syntax",
            "value: unexpected end of hex escape at line 1 column 17",
        ),
        ("speak", '{"x":[1,]}', "syntax", "x: expected value at line 1 column 9"),
        ("speak", '{"x":[1 2]}', "syntax", "x: expected `,` or `]` at line 1 column 9"),
        ("speak", '{"x":{"a":1 2}}', "syntax", "x: expected `,` or `}` at line 1 column 13"),
        ("speak", '{"x":{"a":1,}}', "syntax", "x: key must be a string at line 1 column 13"),
        ("speak", '{"x":{"a" 1}}', "syntax", "x: expected `:` at line 1 column 11"),
        ("speak", '{"x":{"a"', "syntax", "x: EOF while parsing an object at line 1 column 9"),
        ("speak", '{"x":{', "syntax", "x: EOF while parsing an object at line 1 column 6"),
        ("speak", '{"x":{"a":1,', "syntax", "x: EOF while parsing an object at line 1 column 12"),
        ("speak", '{"x":[', "syntax", "x: EOF while parsing a list at line 1 column 6"),
        ("speak", '{"x":-', "syntax", "x: invalid number at line 1 column 6"),
        ("speak", '{"x":1.}', "syntax", "x: invalid number at line 1 column 8"),
        ("speak", '{"x":"a', "syntax", "x: EOF while parsing a string at line 1 column 7"),
        ("speak", '{"x":"\\q"}', "syntax", "x: invalid escape at line 1 column 8"),
    ],
)
def test_body_is_refused_in_the_words_of_serde(
    shape: str, body: str, category: str, detail: str
) -> None:
    with pytest.raises(SerdeError) as refused:
        read_body(body.encode(), BODIES[shape])
    assert (refused.value.category, refused.value.detail) == (category, detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"text":"\xff"}', "text: invalid unicode code point at line 1 column 11"),
        (b'{"\xff":1}', "invalid unicode code point at line 1 column 4"),
        (
            b'{"text":"\x01"}',
            r"text: control character (\u0000-\u001F) found while parsing a string"
            " at line 1 column 10",
        ),
        (
            b'{"x":"\x01"}',
            r"x: control character (\u0000-\u001F) found while parsing a string at line 1 column 6",
        ),
    ],
)
def test_bytes_no_json_string_may_hold_are_refused(body: bytes, detail: str) -> None:
    with pytest.raises(SerdeError) as refused:
        read_body(body, SPEAK)
    assert refused.value.detail == detail


def test_unknown_keys_may_hold_any_bytes_any_depth_and_any_number() -> None:
    body = (
        b'{"room_name":"r","participant_name":"n","participant_identity":"i","x":["\xff\\u12ab\\n",1e400,-7,'
        + b"[" * 5000
        + b"]" * 5000
        + b',{"a":{},"b":null}]} \n'
    )
    assert read_body(body, TOKEN) == {
        "room_name": "r",
        "participant_name": "n",
        "participant_identity": "i",
    }


def test_fields_are_filled_in_from_positions_defaults_and_nulls() -> None:
    assert read_body(b'["hi",["deepgram",null,"m",[],null]]', SPEAK) == {
        "text": "hi",
        "tts_config": {
            "provider": "deepgram",
            "sample_rate": 24000,
            "model": "m",
            "pronunciations": [],
            "auth": None,
        },
    }
    assert read_body(b"[]", HOOKS) == {"hooks": []}


def test_floats_take_whole_numbers() -> None:
    assert read_body(b'{"rate":2}', ANYTHING)["rate"] == 2.0
    assert read_tagged('{"type":"any","rate":2,"flags":[true]}', "In", {"any": ANYTHING})[1] == {
        "value": None,
        "rate": 2.0,
        "size": None,
        "flags": [True],
    }


def test_last_of_repeated_auth_keys_wins() -> None:
    tts = '["p",8000,"m",[],{"api_key":"a","api_key":"b"}]'
    assert read_tagged(f'["config",null,true,1,{tts},null]', "In", VARIANTS)[1]["tts_config"] == {
        "provider": "p",
        "sample_rate": 8000,
        "model": "m",
        "pronunciations": [],
        "auth": {"api_key": "b"},
    }
    body = b'{"text":"","tts_config":{"provider":"","model":"","auth":{"a":1,"a":[{"b":2}]}}}'
    assert read_body(body, SPEAK)["tts_config"]["auth"] == {"a": [{"b": 2}]}


VARIANTS = {
    "config": Struct(
        "Config",
        (
            Field("stream_id", String),
            Field("audio", Bool, default=True),
            Field("channels", U16),
            Field("tts_config", TTS),
            Field("live", Struct("Live", (Field("room", String, required=True),))),
        ),
    ),
    "speak": Struct(
        "Speak",
        (
            Field("text", String, required=True),
            Field("flush", Bool, default=True),
            Field("allow_interruption", Bool, default=True),
        ),
    ),
    "clear": Struct("Clear", ()),
}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("Hello, WebSocket!", "expected value at line 1 column 1"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{'type':'speak'}", "key must be a string at line 1 column 2"),
        ('{"type":"speak","text":"a",}', "trailing comma at line 1 column 28"),
        ('{"type":"speak","text":"a"} x', "trailing characters at line 1 column 29"),
        ("{}", "missing field `type` at line 1 column 2"),
        ("null", "invalid type: null, expected internally tagged enum In at line 1 column 4"),
        (
            "123",
            "invalid type: integer `123`, expected internally tagged enum In at line 1 column 3",
        ),
        (
            '"speak"',
            'invalid type: string "speak", expected internally tagged enum In at line 1 column 7',
        ),
        ('{"type":null}', "invalid type: null, expected variant identifier at line 1 column 12"),
        ('{"type":5}', "invalid type: integer `5`, expected variant identifier at line 1 column 9"),
        (
            '{"type":"foo"}',
            "unknown variant `foo`, expected one of `config`, `speak`, `clear` at line 1 column 13",
        ),
        ('{"type":"speak","type":"clear"}', "duplicate field `type` at line 1 column 22"),
        ('{"type":"speak","text":"a","text":"b"}', "duplicate field `text`"),
        ('{"type":"speak"}', "missing field `text`"),
        ('{"type":"speak","text":null}', "invalid type: null, expected a string"),
        ('{"type":"speak","text":5}', "invalid type: integer `5`, expected a string"),
        ('{"type":"speak","text":5} x', "invalid type: integer `5`, expected a string"),
        ('{"type":"speak","text":["a"]}', "invalid type: sequence, expected a string"),
        ('{"type":"speak","text":{}}', "invalid type: map, expected a string"),
        (
            '{"text":"a","flush":"yes","type":"speak"}',
            'invalid type: string "yes", expected a boolean',
        ),
        ('{"type":"config","channels":70000}', "invalid value: integer `70000`, expected u16"),
        ('{"type":"config","channels":true}', "invalid type: boolean `true`, expected u16"),
        (
            '{"type":"config","tts_config":{"sample_rate":false}}',
            "invalid type: boolean `false`, expected u32",
        ),
        ('{"type":"config","live":true}', "invalid type: boolean `true`, expected struct Live"),
        ('{"type":"config","live":[]}', "invalid length 0, expected struct Live with 1 element"),
        ('{"type":"config","live":["r",1]}', "invalid length 2, expected 1 element in sequence"),
        (
            '{"type":"config","tts_config":{"auth":"k"}}',
            'invalid type: string "k", expected struct ProviderAuthInput',
        ),
        (
            '{"type":"config","tts_config":{"pronunciations":null}}',
            "invalid type: null, expected a sequence",
        ),
        (
            '["speak","hi"]',
            "invalid length 1, expected struct variant In::Speak with 3 elements",
        ),
        (
            '{"type":"config","tts_config":["p",null,"m"]}',
            "invalid length 4, expected struct TTSWebSocketConfig with 5 elements",
        ),
        ('["clear",1]', "invalid length 1, expected 0 elements in sequence"),
        ("[]", "missing field `type` at line 1 column 2"),
        ('[{"type":"clear"}]', "invalid type: map, expected variant identifier at line 1 column 1"),
        (
            '{"type":["a"]}',
            "invalid type: sequence, expected variant identifier at line 1 column 8",
        ),
        ('{"type":{}}', "invalid type: map, expected variant identifier at line 1 column 8"),
        ('{"type":"clear","x":NaN}', "expected value at line 1 column 21"),
        ('{"type":"speak","text":"a" "flush":true}', "expected `,` or `}` at line 1 column 28"),
        ('{"type":"speak","text":"a', "EOF while parsing a string at line 1 column 25"),
        ('{"type":"clear"', "EOF while parsing an object at line 1 column 15"),
        ('{"type":"clear",', "EOF while parsing a value at line 1 column 16"),
        (
            '{"type":"speak","text":"a\n"}',
            r"control character (\u0000-\u001F) found while parsing a string at line 2 column 0",
        ),
        (
            '{"type":"speak","text":[' + '"é\\u0301\\u00a0\\n\\"\\\\"]}',
            "invalid type: sequence, expected a string",
        ),
        (
            '{"type":"speak","text":"a","flush":"é\\u0301\\u00a0\\n\\"\\\\"}',
            r'invalid type: string "é\u{301}\u{a0}\n\"\\", expected a boolean',
        ),
        ('{"type":"clear","x":' + "[" * 127, "recursion limit exceeded at line 1 column 147"),
    ],
)
def test_frame_is_refused_in_the_words_of_serde(text: str, detail: str) -> None:
    with pytest.raises(SerdeError) as refused:
        read_tagged(text, "In", VARIANTS)
    assert refused.value.detail == detail


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            '{"text":"hi","type":"speak","x":1,"x":[{}]}',
            ("speak", {"text": "hi", "flush": True, "allow_interruption": True}),
        ),
        (
            '["speak","hi",false,null]',
            ("speak", {"text": "hi", "flush": False, "allow_interruption": True}),
        ),
        ('["clear"]', ("clear", {})),
        ('{"type":"clear","x":' + "[" * 126 + "]" * 126 + "}", ("clear", {})),
    ],
)
def test_frame_is_read_by_name_and_by_position(text: str, read: Any) -> None:
    assert read_tagged(text, "In", VARIANTS) == read


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES, st.booleans())
def test_any_json_value_is_read_as_the_json_module_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps({"value": value}, ensure_ascii=ascii_only, indent=1)
    assert read_body(text.encode(), ANYTHING)["value"] == value
    assert read_tagged(f'{{"type":"a",{text[1:]}', "In", {"a": ANYTHING})[1]["value"] == value


@given(VALUES)
def test_any_json_value_is_written_so_that_it_reads_back(value: Any) -> None:
    assert json.loads(json_text(value)) == value


@given(st.binary() | st.text(alphabet='{}[]",:\\u0123e-.ntrufalsd \n').map(str.encode))
def test_any_bytes_are_read_or_refused_within_the_text(body: bytes) -> None:
    for struct in BODIES.values():
        try:
            read_body(body, struct)
        except SerdeError as refused:
            line, column = refused.detail.rpartition(" at line ")[2].split(" column ")
            assert int(line) <= body.count(b"\n") + 1
            assert int(column) <= len(body)


@given(st.text())
def test_no_text_is_both_json_for_python_and_a_syntax_fault_for_serde(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda _: json.loads(""))
    except (ValueError, RecursionError):
        with pytest.raises(SerdeError):
            read_body(text.encode("utf-8", "replace"), ANYTHING)


@given(st.floats(width=32, min_value=0, max_value=1))
def test_confidence_reads_back_as_the_same_32_bits(value: float) -> None:
    text = f32_text(value)
    assert f32_text(float(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95, "0.95"),
        (1.0, "1.0"),
        (0.0, "0.0"),
        (0.99658203125, "0.99658203"),
        (0.9987654321, "0.9987654"),
        (1 / 3, "0.33333334"),
        (0.00001, "0.00001"),
        (0.000001, "0.000001"),
        (9.9e-7, "9.9e-7"),
        (1e30, "1e30"),
    ],
)
def test_32_bit_floats_are_written_as_rust_writes_them(value: float, text: str) -> None:
    assert f32_text(value) == text


def test_beyond_32_bits_a_float_is_infinite() -> None:
    assert (f32(1e40), f32(-1e40), f32(0.1)) == (math.inf, -math.inf, 0.10000000149011612)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16000.0, "16000.0"),
        (-0.0, "-0.0"),
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e16"),
        (1.25e300, "1.25e300"),
        (0.00001, "0.00001"),
        (0.000001, "1e-6"),
        (sys.float_info.max, "1.7976931348623157e308"),
    ],
)
def test_64_bit_floats_are_written_as_rust_writes_them(value: float, text: str) -> None:
    assert float_text(value) == text
