"""Delegation requests: from a partner's question to its credentials, and who may do what on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.services.identity.iam.conftest import House, document, refused

TEMPLATE = "arn:aws:iam::partner:delegation-template/example.com/setup"
BOUNDARY = "arn:aws:iam::partner:policy/permission_boundary/example.com/setup_2026_01_01"
DAY_S = 86_400


class Partner:
    """A partner: its account, its topic, and the queue that hears of it."""

    def __init__(self, cloud: Any) -> None:
        self.house = House(cloud.another())
        client = self.house.cloud.client
        self.iam, self.sts, self.sqs = self.house.iam, client("sts"), client("sqs")
        self.topic = client("sns").create_topic(Name="news")["TopicArn"]
        client("sns").set_topic_attributes(
            TopicArn=self.topic, AttributeName="Policy", AttributeValue=self.lets("iam", "sns:Publish", self.topic)
        )
        arn = f"arn:aws:sqs:us-east-1:{self.house.account}:news"
        policy = self.lets("sns", "sqs:SendMessage", arn)
        self.queue = self.sqs.create_queue(QueueName="news", Attributes={"Policy": policy})["QueueUrl"]
        attributes = {"RawMessageDelivery": "true"}
        client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        self.workflows = 0

    @staticmethod
    def lets(service: str, action: str, resource: str) -> str:
        return document(action, resource=resource, Principal={"Service": f"{service}.amazonaws.com"})

    def ask(self, **more: Any) -> str:
        """A new request for two hours on one queue."""
        self.workflows += 1
        request: dict[str, Any] = {
            "Description": "sets things up",
            "Permissions": {
                "PolicyTemplateArn": TEMPLATE,
                "Parameters": [{"Name": "queueName", "Values": ["orders"], "Type": "string"}],
            },
            "RequestorWorkflowId": f"workflow-{self.workflows}",
            "NotificationChannel": self.topic,
            "SessionDuration": 7200,
        }
        return str(self.iam.create_delegation_request(**request | more)["DelegationRequestId"])

    def news(self) -> list[dict[str, Any]]:
        """What the topic told since the last time, oldest first."""
        self.house.cloud.settle()
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(found, key=lambda each: (each["UpdatedAt"], each["Type"] == "ExchangeToken"))


@pytest.fixture
def partner(house: House) -> Iterator[Partner]:
    made = Partner(house.cloud)
    folder = house.cloud.data_dir / "iam" / "delegation-templates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.house.account}.json"
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:*:*:@{queueName}"}
    template = {
        "PolicyTemplateArn": TEMPLATE,
        "RequestorName": "Example",
        "AccountIds": [made.house.account],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "RolePermissionRestrictionArns": [BOUNDARY],
    }
    path.write_text(json.dumps(template))
    yield made
    path.unlink()


def state(iam: Any, request: str) -> str:
    return str(iam.get_delegation_request(DelegationRequestId=request)["DelegationRequest"]["State"])


def test_from_the_question_to_the_credentials(house: House, partner: Partner) -> None:
    request = partner.ask(RequestMessage="for you", RedirectUrl="https://example.com/done")
    iam, named = house.iam, {"DelegationRequestId": request}
    assert state(iam, request) == "UNASSIGNED"
    admin = house.client("iam", house.user("admin", document("iam:*", "sqs:*")))
    admin.associate_delegation_request(**named)
    admin.accept_delegation_request(**named)
    shown = admin.get_delegation_request(**named)["DelegationRequest"]
    assert json.loads(shown["PermissionPolicy"])["Statement"][0]["Resource"] == "arn:aws:sqs:*:*:orders"
    assert (shown["State"], shown["OwnerId"], shown["ApproverId"]) == (
        "ACCEPTED", house.arn("user/admin"), house.arn("user/admin"),
    )  # fmt: skip
    assert (shown["RequestorId"], shown["RequestorName"]) == (partner.house.account, "Example")
    assert shown["RolePermissionRestrictionArns"] == [BOUNDARY]
    admin.send_delegation_token(**named)
    told = partner.news()
    assert [(each["Type"], each["State"]) for each in told] == [
        ("StateChange", "ASSIGNED"), ("StateChange", "ACCEPTED"), ("StateChange", "FINALIZED"),
        ("ExchangeToken", "FINALIZED"),
    ]  # fmt: skip
    assert told[0]["RequestorWorkflowId"] == "workflow-1" and told[0]["OwnerAccountId"] == house.account
    token = told[-1]["ExchangeToken"]
    given = partner.sts.get_delegated_access_token(TradeInToken=token)
    assert given["AssumedPrincipal"] == house.arn("user/admin")
    ends = datetime.fromisoformat(told[-1]["ExpiresAt"])
    assert abs((given["Credentials"]["Expiration"] - ends).total_seconds()) <= 1
    work = house.client("sqs", given["Credentials"])
    work.create_queue(QueueName="orders")
    assert refused(work.create_queue, QueueName="others")[0] == "AccessDenied"  # not asked for
    iam.delete_user_policy(UserName="admin", PolicyName="p0")
    assert refused(work.create_queue, QueueName="orders")[0] == "AccessDenied"  # not the approver's any more


def test_the_token_is_the_partners_alone_and_ends(house: House, partner: Partner) -> None:
    request = partner.ask()
    named = {"DelegationRequestId": request}
    house.iam.associate_delegation_request(**named)
    house.iam.accept_delegation_request(**named)
    house.iam.send_delegation_token(**named)
    token = partner.news()[-1]["ExchangeToken"]
    assert refused(house.cloud.client("sts").get_delegated_access_token, TradeInToken=token)[0] == "ValidationError"
    assert refused(partner.sts.get_delegated_access_token, TradeInToken=token[:-1] + "x")[0] == "ValidationError"
    first = partner.sts.get_delegated_access_token(TradeInToken=token)["Credentials"]
    house.cloud.advance(3600)
    later = partner.sts.get_delegated_access_token(TradeInToken=token)["Credentials"]
    assert abs((later["Expiration"] - first["Expiration"]).total_seconds()) <= 1
    house.client("sqs", later).create_queue(QueueName="orders")  # root's rights, as far as was asked for
    house.cloud.advance(3601)
    assert refused(partner.sts.get_delegated_access_token, TradeInToken=token)[0] == "ExpiredTradeInTokenException"


def test_an_administrator_approves_and_the_owner_sends(house: House, partner: Partner) -> None:
    request = partner.ask(OwnerAccountId=house.account, OnlySendByOwner=True)
    named = {"DelegationRequestId": request}
    owner = house.client("iam", house.user("owner"))  # without any policy
    owner.associate_delegation_request(**named)
    assert refused(owner.accept_delegation_request, **named)[0] == "AccessDenied"
    owner.update_delegation_request(**named, Notes="please")
    assert owner.get_delegation_request(**named)["DelegationRequest"]["Notes"] == "please"
    other = house.client("iam", house.user("other"))
    assert refused(other.get_delegation_request, **named)[0] == "AccessDenied"
    house.iam.accept_delegation_request(**named)
    code, text, _ = refused(house.iam.send_delegation_token, **named)
    assert code == "AccessDenied" and "Only the owner" in text
    owner.send_delegation_token(**named)
    assert state(owner, request) == "FINALIZED"
    mine = owner.list_delegation_requests(OwnerId=house.arn("user/owner"))["DelegationRequests"]
    assert [each["DelegationRequestId"] for each in mine] == [request]
    assert refused(owner.list_delegation_requests)[0] == "AccessDenied"
    assert refused(other.list_delegation_requests, OwnerId=house.arn("user/owner"))[0] == "AccessDenied"


def test_rejection(house: House, partner: Partner) -> None:
    for accepted in (False, True):
        named = {"DelegationRequestId": partner.ask()}
        assert refused(house.iam.reject_delegation_request, **named)[0] == "InvalidInput"  # nobody has taken it up
        house.iam.associate_delegation_request(**named)
        if accepted:
            house.iam.accept_delegation_request(**named)
        house.iam.reject_delegation_request(**named, Notes="not now")
        assert house.iam.get_delegation_request(**named)["DelegationRequest"]["RejectionReason"] == "not now"
        for call in (
            house.iam.associate_delegation_request, house.iam.accept_delegation_request,
            house.iam.send_delegation_token, house.iam.update_delegation_request,
        ):  # fmt: skip
            code, text, _ = refused(call, **named)
            assert code == "InvalidInput" and "REJECTED" in text
    assert [each["State"] for each in partner.news()].count("REJECTED") == 2


def test_who_does_nothing_lets_it_expire(house: House, partner: Partner) -> None:
    unassigned, assigned = partner.ask(), partner.ask()
    house.iam.associate_delegation_request(DelegationRequestId=assigned)
    house.cloud.advance(DAY_S + 1)
    assert (state(house.iam, unassigned), state(house.iam, assigned)) == ("EXPIRED", "ASSIGNED")
    assert [each["State"] for each in partner.news()] == ["ASSIGNED", "EXPIRED"]
    house.cloud.advance(6 * DAY_S)
    assert state(house.iam, assigned) == "EXPIRED"
    assert [each["State"] for each in partner.news()] == ["EXPIRED"]
    house.cloud.advance(31 * DAY_S)
    house.cloud.settle()
    assert refused(house.iam.get_delegation_request, DelegationRequestId=assigned)[0] == "NoSuchEntity"


def test_root_approves_four_hours_at_most(house: House, partner: Partner) -> None:
    named = {"DelegationRequestId": partner.ask(SessionDuration=4 * 3600 + 1)}
    house.iam.associate_delegation_request(**named)
    assert refused(house.iam.accept_delegation_request, **named)[0] == "InvalidInput"
    admin = house.client("iam", house.user("admin", document("iam:*")))
    admin.accept_delegation_request(**named)


def test_what_may_not_be_asked_for(house: House, partner: Partner) -> None:
    template = {"PolicyTemplateArn": TEMPLATE}
    partner.ask(RequestorWorkflowId="workflow-once")
    assert refused(partner.ask, RequestorWorkflowId="workflow-once")[0] == "EntityAlreadyExists"
    for wrong in (
        {"NotificationChannel": f"arn:aws:sns:us-east-1:{house.account}:news"},
        {"Permissions": template},
        {"Permissions": template | {"Parameters": [{"Name": "queueName", "Values": ["a", "b"], "Type": "string"}]}},
        {"Permissions": {"PolicyTemplateArn": "arn:aws:iam::partner:delegation-template/none"}},
    ):
        assert refused(partner.ask, **wrong)[0] == "InvalidInput", wrong
    other = Partner(house.cloud)  # nobody registered it
    assert refused(other.ask)[0] == "InvalidInput"


def test_a_request_for_one_account_is_there_for_no_other(house: House, partner: Partner) -> None:
    request = partner.ask(OwnerAccountId=house.account)
    stranger = House(house.cloud.another()).iam
    for call in (stranger.get_delegation_request, stranger.associate_delegation_request):
        assert refused(call, DelegationRequestId=request)[0] == "NoSuchEntity"
    denied = house.client("iam", house.user("denied", document("iam:AssociateDelegationRequest", effect="Deny")))
    assert refused(denied.associate_delegation_request, DelegationRequestId=request)[0] == "AccessDenied"


def test_there_is_no_language_model_for_summaries(house: House, partner: Partner) -> None:
    arn = house.arn(f"delegation-request/{partner.ask()}")
    summary = house.iam.get_human_readable_summary(EntityArn=arn, Locale="de_DE")
    assert (summary["SummaryState"], summary["Locale"]) == ("NOT_AVAILABLE", "de_DE")
    assert refused(house.iam.get_human_readable_summary, EntityArn=house.arn("user/alice"))[0] == "InvalidInput"
    missing = house.arn("delegation-request/d-1234567890abcdef")
    assert refused(house.iam.get_human_readable_summary, EntityArn=missing)[0] == "NoSuchEntity"
