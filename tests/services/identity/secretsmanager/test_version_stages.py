"""Staging labels: the cycles that AWS was seen to go through."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.services.identity.secretsmanager import labels
from tests.services.identity.secretsmanager.conftest import members, token

Refused = Callable[..., Any]


def stages(client: Any, **request: Any) -> dict[int, list[str]]:
    """The labels of each listed version, by the number of its token."""
    listed = client.list_secret_version_ids(SecretId="s", **request)
    for version in listed["Versions"]:
        assert version["KmsKeyIds"] == ["DefaultEncryptionKey"]
    return {int(each["VersionId"][-12:]): each.get("VersionStages", []) for each in listed["Versions"]}


@pytest.fixture(autouse=True)
def _secret(client: Any) -> None:
    client.create_secret(Name="s", SecretString="S1", ClientRequestToken=token(1))


def put(client: Any, number: int, *labels: str) -> Any:
    more = {"VersionStages": list(labels)} if labels else {}
    value = f"S{number}"
    return client.put_secret_value(SecretId="s", SecretString=value, ClientRequestToken=token(number), **more)


def promote(client: Any, number: int, old: int) -> Any:
    return client.update_secret_version_stage(
        SecretId="s", VersionStage="AWSCURRENT", RemoveFromVersionId=token(old), MoveToVersionId=token(number)
    )


def test_deprecated_versions_are_listed_on_demand(client: Any) -> None:
    for number in (2, 3):
        put(client, number)
    assert stages(client) == {2: ["AWSPREVIOUS"], 3: ["AWSCURRENT"]}
    assert stages(client, IncludeDeprecated=True) == {1: [], 2: ["AWSPREVIOUS"], 3: ["AWSCURRENT"]}
    page = client.list_secret_version_ids(SecretId="s", IncludeDeprecated=True, MaxResults=2)
    assert len(page["Versions"]) == 2
    page = client.list_secret_version_ids(
        SecretId="s", IncludeDeprecated=True, MaxResults=2, NextToken=page["NextToken"]
    )
    assert [each["VersionId"] for each in page["Versions"]] == [token(3)] and "NextToken" not in page


def test_a_pending_version_becomes_current(client: Any) -> None:
    assert put(client, 2, "AWSPENDING")["VersionStages"] == ["AWSPENDING"]
    assert stages(client) == {1: ["AWSCURRENT"], 2: ["AWSPENDING"]}
    assert set(members(promote(client, 2, 1))) == {"ARN", "Name"}
    assert stages(client) == {1: ["AWSPREVIOUS"], 2: ["AWSCURRENT", "AWSPENDING"]}
    put(client, 3)
    assert stages(client) == {2: ["AWSPREVIOUS"], 3: ["AWSCURRENT"]}


def test_own_labels_stay_while_pending_and_current_cycle(client: Any) -> None:
    put(client, 2, "AWSPENDING", "PUT1", "AWSSOMETHING")
    promote(client, 2, 1)
    assert client.get_secret_value(SecretId="s")["VersionStages"] == [
        "AWSCURRENT",
        "AWSPENDING",
        "AWSSOMETHING",
        "PUT1",
    ]
    put(client, 3, "AWSPENDING", "PUT2")
    assert stages(client) == {
        1: ["AWSPREVIOUS"],
        2: ["AWSCURRENT", "AWSSOMETHING", "PUT1"],
        3: ["AWSPENDING", "PUT2"],
    }
    promote(client, 3, 2)
    assert stages(client) == {2: ["AWSPREVIOUS", "AWSSOMETHING", "PUT1"], 3: ["AWSCURRENT", "AWSPENDING", "PUT2"]}
    listed = client.list_secret_version_ids(SecretId="s")["Versions"]
    assert ["LastAccessedDate" in each for each in listed] == [True, False]


def test_a_label_is_removed(client: Any, refused: Refused) -> None:
    put(client, 2, "PENDING")
    promote(client, 2, 1)
    client.update_secret_version_stage(SecretId="s", VersionStage="PENDING", RemoveFromVersionId=token(2))
    assert stages(client) == {1: ["AWSPREVIOUS"], 2: ["AWSCURRENT"]}


def test_moves_must_name_where_the_label_is(client: Any, refused: Refused) -> None:
    put(client, 2, "BLUE")
    move = {"SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": token(2)}
    error = refused(client.update_secret_version_stage, **move)
    assert (error.code, error.message) == (
        "InvalidParameterException",
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "
        f"{token(1)}, so you must explicitly reference that version in RemoveFromVersionId.",
    )
    error = refused(client.update_secret_version_stage, **move, RemoveFromVersionId=token(2))
    assert error.code == "InvalidParameterException"
    error = refused(
        client.update_secret_version_stage, SecretId="s", VersionStage="AWSCURRENT", RemoveFromVersionId=token(1)
    )
    assert error.message == (
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
    )
    missing = {"SecretId": "s", "VersionStage": "GREEN", "MoveToVersionId": token(7)}
    assert refused(client.update_secret_version_stage, **missing).code == "ResourceNotFoundException"


def test_there_are_at_most_twenty_labels(client: Any, refused: Refused) -> None:
    put(client, 2, *[f"L{number}" for number in range(19)])
    assert refused(put, client=client, number=3).code == "LimitExceededException"


NAMES = st.sampled_from(["AWSCURRENT", "AWSPENDING", "BLUE", "GREEN"])


@settings(max_examples=200)
@given(st.lists(st.tuples(NAMES, st.sampled_from("abcd")), max_size=12))
def test_current_never_disappears_and_previous_was_current(moves: list[tuple[str, str]]) -> None:
    now = {"AWSCURRENT": "a"}
    for label, version in moves:
        before = now["AWSCURRENT"]
        now = labels.move(now, label, version)
        assert now[label] == version
        if now["AWSCURRENT"] != before:
            assert now["AWSPREVIOUS"] == before
