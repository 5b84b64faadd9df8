"""The access advisor: what identities may use, and what they used."""

from typing import Any

from tests.services.identity.iam.conftest import House, document, refused, trust


def report(house: House, arn: str, **more: Any) -> str:
    return house.iam.generate_service_last_accessed_details(Arn=arn, **more)["JobId"]


def services(house: House, job: str) -> dict[str, Any]:
    answer = house.iam.get_service_last_accessed_details(JobId=job, MaxItems=1000)
    assert answer["JobStatus"] == "COMPLETED"
    return {each["ServiceNamespace"]: each for each in answer["ServicesLastAccessed"]}


def test_a_user_and_its_services(house: House) -> None:
    key = house.user("alice", document("sqs:*"), document("sns:ListTopics"), document("s3:Get*"))
    arn = house.arn("user/alice")
    assert "LastAuthenticated" not in services(house, report(house, arn))["sqs"]
    sqs = house.client("sqs", key, region="eu-west-1")
    sqs.create_queue(QueueName="orders")
    sqs.list_queues()
    refused(house.client("sns", key).create_topic, Name="news")  # attempts count
    found = services(house, report(house, arn))
    assert set(found) == {"sqs", "sns", "s3"}
    used = found["sqs"]
    assert (used["ServiceName"], used["LastAuthenticatedEntity"]) == ("Amazon SQS", arn)
    assert (used["LastAuthenticatedRegion"], used["TotalAuthenticatedEntities"]) == ("eu-west-1", 1)
    assert "LastAuthenticated" in found["sns"]
    assert found["s3"]["TotalAuthenticatedEntities"] == 0
    by_action = services(house, report(house, arn, Granularity="ACTION_LEVEL"))["sqs"]
    names = [each["ActionName"] for each in by_action["TrackedActionsLastAccessed"]]
    assert names == ["CreateQueue", "ListQueues"]
    house.cloud.advance(401 * 86_400)
    assert "LastAuthenticated" not in services(house, report(house, arn))["sqs"]


def test_what_was_kept_is_still_known(house: House) -> None:
    key = house.user("alice", document("sqs:*"))
    house.client("sqs", key).list_queues()
    house.cloud.advance(120)  # the reconciler keeps what was in memory
    assert "LastAuthenticated" in services(house, report(house, house.arn("user/alice")))["sqs"]


def test_groups_policies_and_their_entities(house: House) -> None:
    iam = house.iam
    policy = house.policy("queues", document("sqs:*"))
    key = house.user("alice")
    house.user("bob")
    iam.create_group(GroupName="staff")
    iam.attach_group_policy(GroupName="staff", PolicyArn=policy)
    for name in ("alice", "bob"):
        iam.add_user_to_group(UserName=name, GroupName="staff")
    house.role("worker", trust({"AWS": house.arn("root")}))
    iam.attach_role_policy(RoleName="worker", PolicyArn=policy)
    house.client("sqs", key).list_queues()
    for arn, count in ((policy, 3), (house.arn("group/staff"), 2)):
        job = report(house, arn)
        answer = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="sqs")
        entities = {each["EntityInfo"]["Name"]: each for each in answer["EntityDetailsList"]}
        assert len(entities) == count
        assert "LastAuthenticated" in entities["alice"]
        assert "LastAuthenticated" not in entities["bob"]
        assert entities["alice"]["EntityInfo"]["Id"].startswith("AIDA")
    assert entities["bob"]["EntityInfo"]["Type"] == "USER"


def test_sessions_count_for_their_role(house: House) -> None:
    arn = house.role("worker", trust({"AWS": house.arn("root")}), document("sqs:*"))
    session = house.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    house.client("sqs", session).list_queues()
    assert services(house, report(house, arn))["sqs"]["LastAuthenticatedEntity"] == arn


def test_jobs_belong_to_whoever_asked(house: House) -> None:
    key = house.user("alice", document("iam:*"))
    job = report(house, house.arn("user/alice"))
    alice = house.client("iam", key)
    assert refused(alice.get_service_last_accessed_details, JobId=job)[0] == "NoSuchEntity"
    unknown = "98a765b4-3cde-2101-2345-example678f9"
    assert refused(house.iam.get_service_last_accessed_details, JobId=unknown)[0] == "NoSuchEntity"
    assert refused(house.iam.generate_service_last_accessed_details, Arn=house.arn("user/nobody"))[0] == "NoSuchEntity"
    bad = refused(house.iam.generate_service_last_accessed_details, Arn="arn:aws:s3:::a-bucket-it-is")
    assert bad[0] == "InvalidInput"


def test_policies_that_grant_a_service(house: House) -> None:
    aws = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    house.user("sofia", document("codecommit:List*"), document("s3:*"))
    house.iam.attach_user_policy(UserName="sofia", PolicyArn=aws)
    answer = house.iam.list_policies_granting_service_access(
        Arn=house.arn("user/sofia"), ServiceNamespaces=["codecommit", "sqs", "kms"]
    )
    inline = {"PolicyName": "p0", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "sofia"}
    managed = {"PolicyName": "AmazonSQSFullAccess", "PolicyType": "MANAGED", "PolicyArn": aws}
    assert answer["PoliciesGrantingServiceAccess"] == [
        {"ServiceNamespace": "codecommit", "Policies": [inline]},
        {"ServiceNamespace": "sqs", "Policies": [managed]},
        {"ServiceNamespace": "kms", "Policies": []},
    ]
    assert answer["IsTruncated"] is False
