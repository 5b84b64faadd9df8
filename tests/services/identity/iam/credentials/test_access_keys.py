"""Access keys: made, switched off, deleted, and when they were last used."""

from tests.services.identity.iam.conftest import House, document, refused


def test_two_keys_a_user(house: House) -> None:
    iam = house.iam
    first = house.user("alice")
    assert set(first) == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert (len(first["AccessKeyId"]), len(first["SecretAccessKey"])) == (20, 40)
    second = iam.create_access_key(UserName="alice")["AccessKey"]
    no = ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409)
    assert refused(iam.create_access_key, UserName="alice") == no
    iam.update_access_key(UserName="alice", AccessKeyId=second["AccessKeyId"], Status="Inactive")
    listed = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
    assert {key["AccessKeyId"]: key["Status"] for key in listed} == {
        first["AccessKeyId"]: "Active", second["AccessKeyId"]: "Inactive",
    }  # fmt: skip
    assert set(listed[0]) == {"UserName", "AccessKeyId", "Status", "CreateDate"}
    iam.delete_access_key(UserName="alice", AccessKeyId=second["AccessKeyId"])
    assert len(iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]) == 1
    gone = ("NoSuchEntity", f"The Access Key with id {second['AccessKeyId']} cannot be found.", 404)
    assert refused(iam.delete_access_key, UserName="alice", AccessKeyId=second["AccessKeyId"]) == gone


def test_a_user_keeps_its_own_keys(house: House) -> None:
    key = house.user("alice", document("iam:*AccessKey*", resource=house.arn("user/${aws:username}")))
    other = house.user("bob")
    iam = house.client("iam", key)
    made = iam.create_access_key()["AccessKey"]
    assert made["UserName"] == "alice"
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 2
    iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert refused(iam.delete_access_key, AccessKeyId=other["AccessKeyId"])[0] == "NoSuchEntity"
    assert refused(iam.list_access_keys, UserName="bob")[0] == "AccessDenied"


def test_keys_of_root(house: House) -> None:
    key = house.iam.create_access_key()["AccessKey"]
    assert house.client("sts", key).get_caller_identity()["Arn"] == house.arn("root")
    assert [each["AccessKeyId"] for each in house.iam.list_access_keys()["AccessKeyMetadata"]] == [key["AccessKeyId"]]
    house.iam.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert refused(house.client("sts", key).get_caller_identity)[0] == "InvalidClientTokenId"


def test_the_last_use(house: House) -> None:
    key = house.user("alice", document("sqs:*"))
    answer = house.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert answer["UserName"] == "alice"
    assert answer["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
    house.client("sqs", key, region="eu-west-1").list_queues()
    used = house.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sqs", "eu-west-1")
    house.cloud.advance(120)  # it is kept by now
    assert house.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"] == used
    code, message, status = refused(house.iam.get_access_key_last_used, AccessKeyId="AKIAIOSFODNN7EXAMPLE")
    assert (code, status) == ("AccessDenied", 403)
    assert message.endswith("iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE")


def test_a_session_names_its_user(house: House) -> None:
    session = house.client("sts", house.user("alice", document("iam:*"))).get_session_token()["Credentials"]
    assert house.client("iam", session).list_access_keys()["AccessKeyMetadata"][0]["UserName"] == "alice"
