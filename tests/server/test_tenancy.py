import pytest

from sayna_testing.server.tenancy import ConnectionFailedError, ForeignRoomError, claimed, owner


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("", '{"auth_id":"acme"}'),
        (" \n", '{"auth_id":"acme"}'),
        (
            '{"topic":"q3","a":{"z":1,"b":1.50}}',
            '{"a":{"b":1.5,"z":1},"auth_id":"acme","topic":"q3"}',
        ),
        ('{"auth_id":7}', '{"auth_id":"acme"}'),
        ('{"auth_id":"acme","topic":"q3"}', None),
    ],
)
def test_claim_merges_into_what_is_there(metadata: str, expected: str | None) -> None:
    assert claimed(metadata, "acme") == expected


@pytest.mark.parametrize(
    "other", ['{"auth_id":"umbrella"}', '{"auth_id":""}', '{"auth_id":"ACME"}']
)
def test_another_owner_is_never_overwritten(other: str) -> None:
    with pytest.raises(ForeignRoomError):
        claimed(other, "acme")


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ("not json", "Invalid room metadata JSON: expected ident at line 1 column 2"),
        ("[1, 2]", "Room metadata is not a JSON object: Array [Number(1), Number(2)]"),
        ('"x"', 'Room metadata is not a JSON object: String("x")'),
        ("42", "Room metadata is not a JSON object: Number(42)"),
        ("true", "Room metadata is not a JSON object: Bool(true)"),
        ("null", "Room metadata is not a JSON object: Null"),
        (
            '[{"b":[],"a":"\\""}]',
            "Room metadata is not a JSON object: "
            'Array [Object {"a": String("\\""), "b": Array []}]',
        ),
    ],
)
def test_metadata_that_cannot_be_claimed_is_described(metadata: str, text: str) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        claimed(metadata, "acme")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('{"auth_id":"acme"}', "acme"),
        ('{"auth_id":""}', ""),
        ("", None),
        ("not json", None),
        ("[]", None),
        ('{"auth_id":7}', None),
    ],
)
def test_owner_is_a_string_in_an_object(metadata: str, expected: str | None) -> None:
    assert owner(metadata) == expected
