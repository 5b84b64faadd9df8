"""The policy simulator and its context keys, against the examples of AWS's own documentation."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.identity.iam.simulations.simulated_requests import _form
from cumulo.services.identity.iam.simulations.statement_positions import statement_spans
from tests.services.identity.iam.conftest import House, document, refused, trust

# AWS CLI Command Reference, simulate-custom-policy, example 1.
DATED = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)
# AWS CLI Command Reference, get-context-keys-for-custom-policy, example 1.
NAMED = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":'
    '"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}","Condition":{"DateGreaterThan":'
    '{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}'
)
BUCKET = "arn:aws:s3:::bucket"


def at(moment: str) -> list[dict[str, Any]]:
    return [{"ContextKeyName": "aws:CurrentTime", "ContextKeyValues": [moment], "ContextKeyType": "date"}]


def custom(house: House, policies: list[str], *actions: str, **more: Any) -> list[dict[str, Any]]:
    answer = house.iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=list(actions), **more)
    assert answer["IsTruncated"] is False
    return answer["EvaluationResults"]


def test_the_example_that_is_allowed(house: House) -> None:
    entries = at("2019-04-25T11:00:00Z")
    assert custom(house, [DATED], "dynamodb:CreateBackup", ContextEntries=entries) == [
        {
            "EvalActionName": "dynamodb:CreateBackup",
            "EvalResourceName": "*",
            "EvalDecision": "allowed",
            "MatchedStatements": [
                {
                    "SourcePolicyId": "PolicyInputList.1",
                    "SourcePolicyType": "IAM Policy",
                    "StartPosition": {"Line": 1, "Column": 38},
                    "EndPosition": {"Line": 1, "Column": 167},
                }
            ],
            "MissingContextValues": [],
        }
    ]


def test_the_example_that_is_not(house: House) -> None:
    (result,) = custom(house, [DATED], "dynamodb:CreateBackup", ContextEntries=at("2014-04-25T11:00:00Z"))
    assert (result["EvalDecision"], result["MatchedStatements"]) == ("implicitDeny", [])


def test_what_is_not_given_is_missing(house: House) -> None:
    (result,) = custom(house, [NAMED], "dynamodb:CreateBackup")
    assert result["EvalDecision"] == "implicitDeny"
    assert sorted(result["MissingContextValues"]) == ["aws:CurrentTime", "aws:username"]
    (result,) = custom(
        house, [NAMED], "dynamodb:CreateBackup", ContextEntries=at("2019-04-25T11:00:00Z"),
        CallerArn="arn:aws:iam::123456789012:user/alice",
        ResourceArns=["arn:aws:dynamodb:us-west-2:123456789012:table/alice"],
    )  # fmt: skip
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


def test_the_examples_of_context_keys(house: House) -> None:
    names = house.iam.get_context_keys_for_custom_policy(PolicyInputList=[NAMED])["ContextKeyNames"]
    assert names == ["aws:username", "aws:CurrentTime"]
    tagged = document(
        "s3:*", resource="arn:aws:s3:::${aws:PrincipalTag/team, 'none'}",
        Condition={"StringEquals": {"aws:RequestTag/x": "${aws:userid}"}},
    )  # fmt: skip
    names = house.iam.get_context_keys_for_custom_policy(PolicyInputList=[NAMED, tagged])["ContextKeyNames"]
    assert names == ["aws:username", "aws:CurrentTime", "aws:PrincipalTag/team", "aws:RequestTag/x", "aws:userid"]
    assert refused(house.iam.get_context_keys_for_custom_policy, PolicyInputList=["no"])[0] == "InvalidInput"
    house.user("alice", NAMED)
    answer = house.iam.get_context_keys_for_principal_policy(PolicySourceArn=house.arn("user/alice"))
    assert answer["ContextKeyNames"] == ["aws:username", "aws:CurrentTime"]


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_principals(house: House, kind: str) -> None:
    """As AWS answered for a managed policy attached to each kind of entity, organizations aside."""
    iam = house.iam
    text = document("s3:PutObject")
    arn = house.policy("put", text)
    if kind == "user":
        iam.create_user(UserName="it")
        iam.attach_user_policy(UserName="it", PolicyArn=arn)
    elif kind == "group":
        iam.create_group(GroupName="it")
        iam.attach_group_policy(GroupName="it", PolicyArn=arn)
    else:
        house.role("it", trust({"Service": "ec2.amazonaws.com"}))
        iam.attach_role_policy(RoleName="it", PolicyArn=arn)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=house.arn(f"{kind}/it"), ActionNames=["s3:PutObject", "s3:GetObjectVersion"],
        ResourceArns=[BUCKET],
    )  # fmt: skip
    start, end = text.index("[") + 2, len(text) - 1
    matched = [
        {
            "SourcePolicyId": "put",
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 1, "Column": start},
            "EndPosition": {"Line": 1, "Column": end},
        }
    ]
    assert answer["EvaluationResults"] == [
        {
            "EvalActionName": action,
            "EvalResourceName": BUCKET,
            "EvalDecision": decision,
            "EvalDecisionDetails": {},
            "MatchedStatements": found,
            "MissingContextValues": [],
            "ResourceSpecificResults": [
                {
                    "EvalResourceName": BUCKET,
                    "EvalResourceDecision": decision,
                    "MatchedStatements": found,
                    "MissingContextValues": [],
                }
            ],
        }
        for action, decision, found in [
            ("s3:PutObject", "allowed", matched),
            ("s3:GetObjectVersion", "implicitDeny", []),
        ]
    ]


def test_a_deny_stands_alone(house: House) -> None:
    policies = [document("s3:*"), document("s3:PutObject", effect="Deny", resource=f"{BUCKET}/secret/*")]
    resources = [f"{BUCKET}/secret/a", f"{BUCKET}/b"]
    (result,) = custom(house, policies, "s3:PutObject", ResourceArns=resources)
    assert result["EvalDecision"] == "explicitDeny"
    assert result["EvalResourceName"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert [each["SourcePolicyId"] for each in result["MatchedStatements"]] == ["PolicyInputList.2"]
    decisions = {each["EvalResourceName"]: each["EvalResourceDecision"] for each in result["ResourceSpecificResults"]}
    assert decisions == {resources[0]: "explicitDeny", resources[1]: "allowed"}


def test_boundaries(house: House) -> None:
    bound = house.policy("bound", document("sqs:*"))
    house.user("alice", document("s3:*", "sqs:*"), PermissionsBoundary=bound)
    source = {"PolicySourceArn": house.arn("user/alice")}

    def decide(**more: Any) -> list[tuple[str, bool | None]]:
        answer = house.iam.simulate_principal_policy(**source, ActionNames=["s3:GetObject", "sqs:SendMessage"], **more)
        return [
            (
                result["EvalDecision"],
                result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary"),
            )
            for result in answer["EvaluationResults"]
        ]

    assert decide() == [("implicitDeny", False), ("allowed", True)]
    other = document("s3:*")
    assert decide(PermissionsBoundaryPolicyInputList=[other]) == [("allowed", True), ("implicitDeny", False)]
    without = [{"PolicyType": "permission-boundary"}]
    assert decide(PolicyExclusionList=without) == [("allowed", None), ("allowed", None)]
    inline = [{"InlinePolicyIdentifier": {"PolicyName": "p0", "AttachmentType": "user", "AttachmentName": "ali*"}}]
    assert [decision for decision, _ in decide(PolicyExclusionList=inline)] == ["implicitDeny", "implicitDeny"]
    assert refused(house.iam.simulate_principal_policy, **source, ActionNames=["s3:GetObject"],
                   PolicyExclusionList=[{"PolicyArn": "hello-this-is-no-arn"}])[0] == "InvalidInput"  # fmt: skip


def test_groups_and_inline_policies_are_part_of_a_user(house: House) -> None:
    house.user("alice", document("sqs:SendMessage"))
    house.iam.create_group(GroupName="staff")
    house.iam.put_group_policy(GroupName="staff", PolicyName="read", PolicyDocument=document("sqs:ReceiveMessage"))
    house.iam.add_user_to_group(UserName="alice", GroupName="staff")
    answer = house.iam.simulate_principal_policy(
        PolicySourceArn=house.arn("user/alice"), ActionNames=["sqs:SendMessage", "sqs:ReceiveMessage"]
    )
    found = [result["MatchedStatements"][0]["SourcePolicyId"] for result in answer["EvaluationResults"]]
    assert found == ["user_alice_p0", "group_staff_read"]


def test_resource_policies_and_other_accounts(house: House) -> None:
    caller, owner = house.arn("user/alice"), "444455556666"
    resource = f"arn:aws:sqs:us-east-1:{owner}:orders"
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": "sqs:SendMessage", "Resource": resource}
            ],
        }
    )
    house.user("alice", document("sqs:*"))
    answer = house.iam.simulate_principal_policy(
        PolicySourceArn=caller, ActionNames=["sqs:SendMessage", "sqs:ReceiveMessage"], ResourceArns=[resource],
        ResourcePolicy=policy,
    )  # fmt: skip
    send, receive = answer["EvaluationResults"]
    assert (send["EvalDecision"], receive["EvalDecision"]) == ("allowed", "implicitDeny")
    assert send["EvalDecisionDetails"] == {"IAM policy": "allowed", "Resource policy": "allowed"}
    assert receive["EvalDecisionDetails"] == {"IAM policy": "allowed", "Resource policy": "implicitDeny"}
    ids = {each["SourcePolicyId"]: each["SourcePolicyType"] for each in send["MatchedStatements"]}
    assert ids["ResourcePolicy"] == "Resource Policy"
    # Within one account either side is enough.
    own = resource.replace(owner, house.account)
    (result,) = custom(
        house, [document("s3:*")], "sqs:SendMessage", ResourceArns=[own], CallerArn=caller,
        ResourcePolicy=policy.replace(owner, house.account),
    )  # fmt: skip
    assert (result["EvalDecision"], result["EvalDecisionDetails"]) == ("allowed", {})
    missing = refused(
        house.iam.simulate_custom_policy, PolicyInputList=[document("s3:*")], ActionNames=["sqs:SendMessage"],
        ResourcePolicy=policy,
    )  # fmt: skip
    assert missing[0] == "InvalidInput"
    role = house.role("worker", trust({"Service": "ec2.amazonaws.com"}))
    for_roles = refused(
        house.iam.simulate_principal_policy, PolicySourceArn=role, ActionNames=["sqs:SendMessage"],
        ResourcePolicy=policy,
    )  # fmt: skip
    assert for_roles[:2] == (
        "InvalidInput", "Simulation of resource-based policies isn't supported for IAM roles.",
    )  # fmt: skip


def test_control_policies(house: House) -> None:
    everything, only_sqs = document("*"), document("sqs:*")
    levels = [{"ServiceControlPolicyInputList": [everything]}, {"ServiceControlPolicyInputList": [only_sqs]}]
    results = custom(house, [everything], "s3:GetObject", "sqs:SendMessage", OrderedOrganizationPolicyInputList=levels)
    assert [(each["EvalDecision"], each["OrganizationsDecisionDetail"]) for each in results] == [
        ("implicitDeny", {"AllowedByOrganizations": False}), ("allowed", {"AllowedByOrganizations": True}),
    ]  # fmt: skip


def test_requests_are_checked(house: House) -> None:
    call = house.iam.simulate_custom_policy
    assert refused(call, PolicyInputList=["{}"], ActionNames=["s3:GetObject"])[0] == "InvalidInput"
    assert refused(call, PolicyInputList=[DATED], ActionNames=["GetObject"])[0] == "InvalidInput"
    assert refused(call, PolicyInputList=[DATED], ActionNames=["s3:Get*"])[0] == "InvalidInput"
    assert refused(
        call, PolicyInputList=[DATED], ActionNames=["s3:GetObject"], ResourceHandlingOption="EC2-VPC-EBS"
    )[0] == "NotImplemented"  # fmt: skip
    principal = house.iam.simulate_principal_policy
    wrong = refused(principal, PolicySourceArn="arn:aws:iam::111122223333:user/x", ActionNames=["s3:GetObject"])
    assert wrong[:2] == ("InvalidInput", "Invalid Entity Arn")
    gone = refused(principal, PolicySourceArn=house.arn("user/gone"), ActionNames=["s3:GetObject"])
    assert gone == ("NoSuchEntity", "The user with name gone cannot be found.", 404)


def test_results_come_in_pages(house: House) -> None:
    actions = [f"s3:Action{number}" for number in range(5)]
    call = house.iam.simulate_custom_policy
    page = call(PolicyInputList=[document("s3:*")], ActionNames=actions, MaxItems=3)
    rest = call(PolicyInputList=[document("s3:*")], ActionNames=actions, Marker=page["Marker"])
    found = page["EvaluationResults"] + rest["EvaluationResults"]
    assert [each["EvalActionName"] for each in found] == actions


def test_a_written_document_has_lines() -> None:
    """AWS CLI Command Reference, simulate-principal-policy, example 1: (3, 19) to (9, 10)."""
    text = (
        '{\n    "Version": "2012-10-17",\n    "Statement": [\n        {\n            "Sid": "VisualEditor0",\n'
        '            "Effect": "Allow",\n            "Action": "codecommit:ListRepositories",\n'
        '            "Resource": "*"\n        }\n    ]\n}'
    )
    (span,) = statement_spans(text)
    assert (span.start, span.end) == ((3, 19), (9, 10))


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=4), st.text(max_size=6) | st.lists(st.text(max_size=3), max_size=2), max_size=3
        ),
        max_size=3,
    ),
    st.sampled_from([None, 2]),
)
def test_every_statement_has_its_span(statements: list[Any], indent: int | None) -> None:
    text = json.dumps({"Id": '"Statement": [{}', "Statement": statements, "Version": "x"}, indent=indent)
    spans = statement_spans(text)
    assert len(spans) == len(statements)
    lines = text.split("\n")

    def place(position: tuple[int, int]) -> int:
        return sum(len(line) + 1 for line in lines[: position[0] - 1]) + position[1] - 1

    for span, statement in zip(spans, statements, strict=True):
        assert json.loads(text[place(span.start) : place(span.end)].lstrip(", \n")) == statement


def test_hostile_names_of_resources_take_no_time() -> None:
    """The form of a resource's ARN has up to seven places, each of which might be any part of the name."""
    resource = "arn:aws:greengrass:us-east-1:123456789012:" + "components:a:versions" * 90
    action = "greengrass:DescribeComponent"
    begun = time.thread_time()
    assert _form(action, [resource + "\n"]) == "*"
    assert _form(action, [resource + ":1"]).endswith(":components:${ComponentName}:versions:${ComponentVersion}")
    assert time.thread_time() - begun < 0.5  # most of it to read the service's actions
