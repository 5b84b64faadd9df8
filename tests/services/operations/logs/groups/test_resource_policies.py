"""Resource policies: which services may write."""

import json
from typing import Any

import pytest

from cumulo.core.errors import Fault
from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage, refused

GROUP = "/shop/orders"


def document(resource: str = "log_arn", service: str = "route53.amazonaws.com", **more: Any) -> str:
    statement = {
        "Sid": "Route53LogsToCloudWatchLogs",
        "Effect": "Allow",
        "Principal": {"Service": [service]},
        "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
        "Resource": resource,
        **more,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_policies_are_kept(cloud: Account, logs: Any) -> None:
    made = logs.put_resource_policy(policyName="a", policyDocument=document())["resourcePolicy"]
    assert made.pop("lastUpdatedTime") > 0
    assert made == {"policyName": "a", "policyDocument": document(), "policyScope": "ACCOUNT"}
    logs.put_resource_policy(policyName="b", policyDocument=document())
    first = logs.describe_resource_policies(limit=1)
    second = logs.describe_resource_policies(nextToken=first["nextToken"])
    assert [each["policyName"] for page in (first, second) for each in page["resourcePolicies"]] == ["a", "b"]
    logs.delete_resource_policy(policyName="a")
    assert len(logs.describe_resource_policies()["resourcePolicies"]) == 1


def test_policies_of_groups_have_revisions(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    answer = logs.put_resource_policy(resourceArn=arn, policyDocument=document(arn + ":*"))
    [found] = logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")["resourcePolicies"]
    assert (found["revisionId"], found["resourceArn"]) == (answer["revisionId"], arn)
    assert len(logs.describe_resource_policies(policyScope="RESOURCE")["resourcePolicies"]) == 1
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    with refused("OperationAbortedException"):
        logs.put_resource_policy(resourceArn=arn, policyDocument=document(), expectedRevisionId="x")
    second = logs.put_resource_policy(
        resourceArn=arn, policyDocument=document(), expectedRevisionId=answer["revisionId"]
    )
    with refused("OperationAbortedException"):
        logs.delete_resource_policy(resourceArn=arn, expectedRevisionId=answer["revisionId"])
    logs.delete_resource_policy(resourceArn=arn, expectedRevisionId=second["revisionId"])
    assert logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")["resourcePolicies"] == []


def test_services_write_where_they_may(cloud: Account, logs: Any, stream: dict[str, str], storage: Storage) -> None:
    def put(service: str) -> None:
        event = {"timestamp": int(cloud.running.clock.now() * 1000), "message": "one"}
        request = {**stream, "logEvents": [event]}
        source = f"arn:aws:route53:::hostedzone/{cloud.account}"
        storage.transact(lambda ctx: ctx.call("logs", "PutLogEvents", request, service=service, source_arn=source))

    with pytest.raises(Fault, match="is not authorized to perform: logs:PutLogEvents"):
        put("route53")
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:/shop/*"
    condition = {"ArnLike": {"aws:SourceArn": "arn:aws:route53:::hostedzone/*"}}
    logs.put_resource_policy(policyName="a", policyDocument=document(arn, Condition=condition))
    put("route53")
    assert len(logs.get_log_events(**stream)["events"]) == 1
    with pytest.raises(Fault):
        put("events")
    logs.put_resource_policy(
        resourceArn=f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}",
        policyDocument=document("*", "events.amazonaws.com"),
    )
    put("events")


def test_policies_that_are_refused(logs: Any) -> None:
    for number in range(10):
        logs.put_resource_policy(policyName=str(number), policyDocument=document())
    with refused("LimitExceededException", "Resource limit exceeded."):
        logs.put_resource_policy(policyName="more", policyDocument=document())
    logs.put_resource_policy(policyName="1", policyDocument=document())
    with refused("ResourceNotFoundException", "Policy with name [non-existent] does not exist."):
        logs.delete_resource_policy(policyName="non-existent")
    for bad in ("{", "[]", "{}", '{"Statement": [{"Effect": "Allow"}]}', document(Effect="Maybe")):
        with refused("InvalidParameterException"):
            logs.put_resource_policy(policyName="1", policyDocument=bad)
    with refused(
        "InvalidParameterException",
        "Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > 5120",
    ):
        logs.put_resource_policy(policyName="1", policyDocument=document("a" * 5120))
    with refused("InvalidParameterException"):
        logs.put_resource_policy(policyDocument=document())
    with refused("InvalidParameterException"):
        logs.put_resource_policy(policyName="1")
