"""Parameter policies by the clock."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.operations.ssm import parameter_policies
from tests.conftest import Account

Call = Callable[..., Any]
DAY_S = 86_400


def expiration(moment: float) -> dict[str, Any]:
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": text}}


BEFORE = {"Type": "ExpirationNotification", "Version": "1.0", "Attributes": {"Before": "2", "Unit": "Days"}}
NO_CHANGE = {"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "20", "Unit": "Hours"}}


def states(ssm: Any) -> dict[str, str]:
    described = ssm.describe_parameters()["Parameters"][0]
    return {each["PolicyType"]: each["PolicyStatus"] for each in described["Policies"]}


def test_a_parameter_expires(cloud: Account, ssm: Any, put: Call, refused: Call) -> None:
    due = cloud.running.clock.now() + 5 * DAY_S
    put("p", Tier="Advanced", Policies=json.dumps([expiration(due), BEFORE, NO_CHANGE]))
    assert states(ssm) == dict.fromkeys(("Expiration", "ExpirationNotification", "NoChangeNotification"), "Pending")
    cloud.advance(2 * DAY_S)
    # Policies stay over changes, and a change starts the wait for the next anew. There is nobody to notify yet.
    assert states(ssm)["NoChangeNotification"] == "Failed"
    put("p", "new", Overwrite=True)
    assert states(ssm)["NoChangeNotification"] == "Pending"
    cloud.advance(2 * DAY_S)
    assert states(ssm)["ExpirationNotification"] == "Failed"
    assert ssm.get_parameter(Name="p")["Parameter"]["Value"] == "new"
    cloud.advance(2 * DAY_S)
    assert refused(ssm.get_parameter, Name="p").code == "ParameterNotFound"


def test_policies_can_be_taken_away(cloud: Account, ssm: Any, put: Call, refused: Call) -> None:
    due = cloud.running.clock.now() + DAY_S
    put("p", Tier="Intelligent-Tiering", Policies=json.dumps([expiration(due)]))
    put("p", Overwrite=True, Policies="[{}]")
    cloud.advance(2 * DAY_S)
    assert ssm.get_parameter(Name="p")["Parameter"]["Version"] == 2
    assert refused(put, name="q", Policies=json.dumps([expiration(due + 9 * DAY_S)])).code == "ValidationException"
    past = json.dumps([expiration(due - 9 * DAY_S)])
    assert refused(put, name="q", Tier="Advanced", Policies=past).code == "InvalidPolicyAttributeException"


@pytest.mark.parametrize(
    ("policies", "code"),
    [
        ("{", "InvalidPolicyAttributeException"),
        ('[{"Type": "Retire", "Version": "1.0", "Attributes": {}}]', "InvalidPolicyTypeException"),
        (json.dumps([{**NO_CHANGE, "Version": "2.0"}]), "InvalidPolicyAttributeException"),
        (json.dumps([{**NO_CHANGE, "Attributes": {"After": "x", "Unit": "Days"}}]), "InvalidPolicyAttributeException"),
        (json.dumps([expiration(4e9), expiration(4e9)]), "IncompatiblePolicyException"),
        (json.dumps([BEFORE]), "IncompatiblePolicyException"),
        (json.dumps([expiration(4e9), *[BEFORE] * 10]), "PoliciesLimitExceededException"),
    ],
)
def test_wrong_policies(policies: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        parameter_policies.parse(policies)
    assert caught.value.code == code
