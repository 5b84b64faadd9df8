"""Roles: made, found, changed, deleted; whom they may trust."""

import json
import re
from urllib.parse import unquote

from botocore.config import Config

from tests.services.identity.iam.conftest import EC2_TRUST, House, document, refused, trust

TRUST = json.dumps(EC2_TRUST)


def test_a_role_is_made_and_found(house: House) -> None:
    made = house.iam.create_role(RoleName="worker", Path="/jobs/", AssumeRolePolicyDocument=TRUST)["Role"]
    assert set(made) == {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
    assert made["Arn"] == house.arn("role/jobs/worker")
    assert re.fullmatch("AROA[A-Z2-7]{17}", made["RoleId"])
    assert made["AssumeRolePolicyDocument"] == EC2_TRUST
    found = house.iam.get_role(RoleName="worker")["Role"]
    assert found == made | {"MaxSessionDuration": 3600, "RoleLastUsed": {}}
    listed = house.iam.list_roles(PathPrefix="/jobs/")["Roles"]
    assert listed == [made | {"MaxSessionDuration": 3600}]
    taken = ("EntityAlreadyExists", "Role with name Worker already exists.", 409)
    assert refused(house.iam.create_role, RoleName="Worker", AssumeRolePolicyDocument=TRUST) == taken
    gone = ("NoSuchEntity", "The role with name none cannot be found.", 404)
    assert refused(house.iam.get_role, RoleName="none") == gone


def test_documents_travel_percent_encoded(house: House) -> None:
    condition = {"StringEquals": {"aws:SourceArn": "arn%3Aaws%3Aapigateway%3A%2Frestapis"}}
    house.role("worker", trust({"Service": "lambda.amazonaws.com"}, Condition=condition))
    seen: list[bytes] = []
    client = house.cloud.client("iam", config=Config())
    client.meta.events.register("after-call.iam.GetRole", lambda http_response, **_: seen.append(http_response.content))
    found = client.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    assert found["Statement"][0]["Condition"] == condition
    written = re.search(b"<AssumeRolePolicyDocument>(.*?)<", seen[0])
    assert written is not None
    assert b"%7B%22Version%22%3A" in written[1]
    assert b"%253A" in written[1]
    assert json.loads(unquote(written[1].decode()))["Statement"][0]["Condition"] == condition


def test_whom_a_role_may_trust(house: House) -> None:
    def answer(document_: str) -> tuple[str, str, int]:
        return refused(house.iam.create_role, RoleName="worker", AssumeRolePolicyDocument=document_)

    def bad(text: str) -> tuple[str, str, int]:
        return "MalformedPolicyDocument", text, 400

    assert answer('{"Version": "2012-10-17"') == bad("This policy contains invalid Json")
    assert answer(document("sts:AssumeRole")) == bad("Missing required field Principal")
    assert answer(trust({"AWS": "*"}, "sqs:SendMessage")) == bad(
        "AssumeRole policy may only specify STS AssumeRole actions."
    )
    nobody = house.arn("user/nobody")
    assert answer(trust({"AWS": nobody})) == bad(f'Invalid principal in policy: "AWS":"{nobody}"')
    assert answer(trust({"AWS": "nonsense"})) == bad('Invalid principal in policy: "AWS":"nonsense"')
    house.iam.create_user(UserName="nobody")
    house.role("worker", trust({"AWS": nobody}))
    house.role("second", trust({"AWS": [house.arn("role/worker"), house.account, "arn:aws:iam::999988887777:role/x"]}))
    large = trust({"AWS": "*"}, Condition={"StringEquals": {"aws:userid": ["x" * 100 + str(n) for n in range(20)]}})
    no = ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)
    assert refused(house.iam.create_role, RoleName="large", AssumeRolePolicyDocument=large) == no


def test_a_role_is_changed(house: House) -> None:
    house.role("worker", TRUST, Description="old", MaxSessionDuration=7200)
    house.iam.update_role(RoleName="worker", MaxSessionDuration=43200)
    found = house.iam.get_role(RoleName="worker")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("old", 43200)
    described = house.iam.update_role_description(RoleName="worker", Description="new")["Role"]
    assert described["Description"] == "new"
    house.iam.update_role(RoleName="worker", Description="")
    assert "Description" not in house.iam.get_role(RoleName="worker")["Role"]
    assert refused(house.iam.update_role, RoleName="worker", MaxSessionDuration=60)[0] == "ValidationError"
    other = json.loads(trust({"Service": "lambda.amazonaws.com"}))
    house.iam.update_assume_role_policy(RoleName="worker", PolicyDocument=json.dumps(other))
    assert house.iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"] == other


def test_a_role_with_something_left_is_not_deleted(house: House) -> None:
    iam = house.iam
    arn = house.policy("some", document("sqs:*"))
    house.role("worker", TRUST, document("sqs:*"))
    iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName="machines")
    iam.add_role_to_instance_profile(InstanceProfileName="machines", RoleName="worker")
    texts = []
    for remedy in (
        lambda: iam.remove_role_from_instance_profile(InstanceProfileName="machines", RoleName="worker"),
        lambda: iam.detach_role_policy(RoleName="worker", PolicyArn=arn),
        lambda: iam.delete_role_policy(RoleName="worker", PolicyName="p0"),
    ):
        texts.append(refused(iam.delete_role, RoleName="worker"))
        remedy()
    assert texts == [
        ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", 409),
        ("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409),
        ("DeleteConflict", "Cannot delete entity, must delete policies first.", 409),
    ]
    iam.delete_role(RoleName="worker")
    assert iam.list_roles()["Roles"] == []


def test_a_role_is_bounded(house: House) -> None:
    boundary = house.policy("limit", document("sqs:*"))
    house.role("worker", TRUST, PermissionsBoundary=boundary, Tags=[{"Key": "team", "Value": "shop"}])
    found = house.iam.get_role(RoleName="worker")["Role"]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert found["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert {"PermissionsBoundary", "Tags"}.isdisjoint(house.iam.list_roles()["Roles"][0])
    house.iam.delete_role_permissions_boundary(RoleName="worker")
    assert "PermissionsBoundary" not in house.iam.get_role(RoleName="worker")["Role"]
    house.iam.put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=boundary)
    assert refused(house.iam.delete_policy, PolicyArn=boundary)[1] == "Cannot delete a policy attached to entities."
    house.iam.delete_role(RoleName="worker")
    house.iam.delete_policy(PolicyArn=boundary)


def test_trust_is_in_the_person_not_in_the_name(house: House) -> None:
    assume = document("sts:AssumeRole")
    alice = house.user("alice", assume)
    role = house.role("worker", trust({"AWS": house.arn("user/alice")}))
    request = {"RoleArn": role, "RoleSessionName": "one"}
    house.client("sts", alice).assume_role(**request)
    user_id = house.iam.get_user(UserName="alice")["User"]["UserId"]
    house.iam.update_user(UserName="alice", NewUserName="alicia")
    house.client("sts", alice).assume_role(**request)
    house.iam.delete_user_policy(UserName="alicia", PolicyName="p0")
    house.iam.delete_access_key(UserName="alicia", AccessKeyId=alice["AccessKeyId"])
    house.iam.delete_user(UserName="alicia")
    assert refused(house.client("sts", house.user("alice", assume)).assume_role, **request)[0] == "AccessDenied"
    found = house.iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    assert found["Statement"][0]["Principal"] == {"AWS": user_id}
    assert house.iam.list_roles()["Roles"][0]["AssumeRolePolicyDocument"] == found
    house.iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust({"AWS": house.arn("user/alice")}))
    found = house.iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    assert found["Statement"][0]["Principal"] == {"AWS": house.arn("user/alice")}
