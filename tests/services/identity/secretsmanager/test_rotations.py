"""RotateSecret and CancelRotateSecret, with a Lambda of the test's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members, token
from tests.services.identity.secretsmanager.lambda_double import functions

Refused = Callable[..., Any]
ARN = "arn:aws:lambda:us-east-1:111122223333:function:rotate"
DAY_S = 86_400


def test_without_lambda_rotation_is_refused_as_aws_refuses_it(client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v", ClientRequestToken=token(1))
    error = refused(client.rotate_secret, SecretId="s", RotationRules={"AutomaticallyAfterDays": 1})
    assert (error.code, error.message, error.status) == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
        400,
    )
    described = client.describe_secret(SecretId="s")
    assert set(members(described)) == {"ARN", "CreatedDate", "LastChangedDate", "Name", "VersionIdsToStages"}
    error = refused(client.rotate_secret, SecretId="s", RotationLambdaARN=ARN)
    assert (error.code, error.message) == (
        "AccessDeniedException",
        "Secrets Manager cannot invoke the specified Lambda function. "
        "Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    )
    assert "RotationEnabled" not in client.describe_secret(SecretId="s")


class Function:
    """A rotation function in the form of AWS's templates."""

    def __init__(self, cloud: Account) -> None:
        self.client = cloud.client("secretsmanager")
        self.steps: list[str] = []
        self.fails_at = ""

    def __call__(self, event: dict[str, str]) -> None:
        step, secret, version = event["Step"], event["SecretId"], event["ClientRequestToken"]
        self.steps.append(step)
        if step == self.fails_at:
            raise RuntimeError(step)
        if step == "createSecret":
            current = self.client.get_secret_value(SecretId=secret)["SecretString"]
            self.client.put_secret_value(
                SecretId=secret,
                ClientRequestToken=version,
                SecretString=current + "+",
                VersionStages=["AWSPENDING"],
                RotationToken=event["RotationToken"],
            )
        elif step == "finishSecret":
            stages = self.client.describe_secret(SecretId=secret)["VersionIdsToStages"]
            current = next(each for each, labels in stages.items() if "AWSCURRENT" in labels)
            self.client.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
            )


@pytest.fixture
def function(cloud: Account) -> Iterator[Function]:
    registry = cloud.running.cloud.runtime.registry
    package, loaded = registry._packages["lambda"], registry._loaded.pop("lambda", None)
    registry._packages["lambda"] = functions.__package__
    made = functions.FUNCTIONS[ARN] = Function(cloud)
    yield made
    functions.FUNCTIONS.clear()
    functions.CALLERS.clear()
    registry._packages["lambda"] = package
    registry._loaded.pop("lambda", None)
    if loaded is not None:
        registry._loaded["lambda"] = loaded


def test_a_rotation_goes_through_its_four_steps(cloud: Account, client: Any, function: Function) -> None:
    arn = client.create_secret(Name="s", SecretString="v", ClientRequestToken=token(1))["ARN"]
    answer = members(client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, ClientRequestToken=token(2)))
    assert answer == {"ARN": arn, "Name": "s", "VersionId": token(2)}
    cloud.settle()
    assert function.steps == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert set(functions.CALLERS) == {("secretsmanager.amazonaws.com", arn)}
    found = client.get_secret_value(SecretId="s")
    assert (found["SecretString"], found["VersionId"]) == ("v+", token(2))
    described = client.describe_secret(SecretId="s")
    assert described["RotationEnabled"] and described["RotationLambdaARN"] == ARN and "LastRotatedDate" in described
    assert described["VersionIdsToStages"] == {token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT", "AWSPENDING"]}


def test_the_clock_rotates(cloud: Account, client: Any, function: Function) -> None:
    client.create_secret(Name="s", SecretString="v")
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, RotationRules={"AutomaticallyAfterDays": 2})
    cloud.settle()
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+"
    due = client.describe_secret(SecretId="s")["NextRotationDate"]
    assert 2 * DAY_S < due.timestamp() - cloud.running.clock.now() <= 3 * DAY_S
    cloud.advance(2 * DAY_S)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v++"
    cloud.advance(2 * DAY_S)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+++"
    assert "VersionId" not in client.cancel_rotate_secret(SecretId="s")
    cloud.advance(9 * DAY_S)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+++"
    described = client.describe_secret(SecretId="s")
    assert described["RotationEnabled"] is False and "NextRotationDate" not in described


def test_a_failed_rotation_is_tried_again_and_blocks_the_next(
    cloud: Account, client: Any, function: Function, refused: Refused
) -> None:
    client.create_secret(Name="s", SecretString="v")
    function.fails_at = "testSecret"
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN)
    cloud.settle()
    error = refused(client.rotate_secret, SecretId="s")
    assert (error.code, error.message) == (
        "InvalidRequestException",
        "A previous rotation isn't complete. That rotation will be reattempted.",
    )
    function.fails_at = ""
    cloud.advance(120)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+"


def test_a_rotation_that_stays_broken_is_attempted_again_in_the_next_window(
    cloud: Account, client: Any, function: Function, refused: Refused
) -> None:
    client.create_secret(Name="s", SecretString="v")
    function.fails_at = "setSecret"
    rules = {"AutomaticallyAfterDays": 3}
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, RotationRules=rules, ClientRequestToken=token(2))
    for _ in range(8):
        cloud.advance(600)
    failed = len(function.steps)
    cloud.advance(3600)
    assert len(function.steps) == failed  # given up
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v"
    function.fails_at = ""
    cloud.advance(3 * DAY_S)
    found = client.get_secret_value(SecretId="s")
    assert (found["SecretString"], found["VersionId"]) == ("v+", token(2))


def test_a_broken_rotation_is_cleared_by_hand(cloud: Account, client: Any, function: Function) -> None:
    client.create_secret(Name="s", SecretString="v")
    function.fails_at = "createSecret"
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, ClientRequestToken=token(2))
    cloud.settle()
    assert client.cancel_rotate_secret(SecretId="s")["VersionId"] == token(2)
    client.update_secret_version_stage(SecretId="s", VersionStage="AWSPENDING", RemoveFromVersionId=token(2))
    function.fails_at = ""
    client.rotate_secret(SecretId="s")
    cloud.settle()
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+"


def test_rules_can_wait_for_their_window(cloud: Account, client: Any, function: Function) -> None:
    client.create_secret(Name="s", SecretString="v", ClientRequestToken=token(1))
    rules = {"ScheduleExpression": "rate(10 days)", "Duration": "3h"}
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, RotationRules=rules, RotateImmediately=False)
    cloud.settle()
    assert function.steps == ["testSecret"]
    described = client.describe_secret(SecretId="s")
    assert described["RotationRules"] == rules and described["VersionIdsToStages"] == {token(1): ["AWSCURRENT"]}
    cloud.advance(10 * DAY_S)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v+"


def test_wrong_rules_are_refused(client: Any, function: Function, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v")
    for rules in (
        {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
        {"ScheduleExpression": "rate(1 hour)"},
        {"ScheduleExpression": "cron(5 8 * * ? *)"},
        {"ScheduleExpression": "rate(4 hours)", "Duration": "5h"},
        {"AutomaticallyAfterDays": 1001},
    ):
        error = refused(client.rotate_secret, SecretId="s", RotationLambdaARN=ARN, RotationRules=rules)
        assert error.code in ("InvalidParameterException", "ValidationException"), rules
    assert refused(client.cancel_rotate_secret, SecretId="s").code == "InvalidRequestException"


def test_a_rotation_token_is_that_of_the_rotation_under_way(
    cloud: Account, client: Any, function: Function, refused: Refused
) -> None:
    client.create_secret(Name="s", SecretString="v", ClientRequestToken=token(1))
    function.fails_at = "setSecret"
    client.rotate_secret(SecretId="s", RotationLambdaARN=ARN, ClientRequestToken=token(2))
    cloud.settle()
    for given in ("00000000-0000-4000-8000-00000000beef", "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 40):
        error = refused(
            client.put_secret_value, SecretId="s", SecretString="w", ClientRequestToken=token(2), RotationToken=given
        )
        assert error.code in ("InvalidRequestException", "ValidationException")
    client.cancel_rotate_secret(SecretId="s")
    error = refused(
        client.put_secret_value, SecretId="s", SecretString="w", RotationToken="00000000-0000-4000-8000-00000000beef"
    )
    assert error.code == "InvalidRequestException"
