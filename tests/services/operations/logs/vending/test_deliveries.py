"""Delivery destinations; sources, and deliveries from one to the other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.core.monitoring import vended_logs
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, a_user, refused

NO_DESTINATION = "Requested Delivery Destination does not exist in this account."


def put(logs: Any, name: str, bucket: str = "first", **more: Any) -> Any:
    configuration = {"destinationResourceArn": f"arn:aws:s3:::{bucket}"}
    return logs.put_delivery_destination(name=name, **{"deliveryDestinationConfiguration": configuration, **more})[
        "deliveryDestination"
    ]


def test_destinations(cloud: Account, logs: Any) -> None:
    put(logs, "one", outputFormat="json", tags={"a": "b"})
    made = put(logs, "one", "second")
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:delivery-destination:one"
    assert made == {
        "arn": arn,
        "name": "one",
        "deliveryDestinationType": "S3",
        "deliveryDestinationConfiguration": {"destinationResourceArn": "arn:aws:s3:::second"},
        "outputFormat": "json",
        "tags": {"a": "b"},
    }
    assert logs.get_delivery_destination(name="one")["deliveryDestination"] == made
    put(logs, "two")
    first = logs.describe_delivery_destinations(limit=1)
    second = logs.describe_delivery_destinations(nextToken=first["nextToken"])
    assert [each["name"] for page in (first, second) for each in page["deliveryDestinations"]] == ["one", "two"]
    logs.tag_resource(resourceArn=arn, tags={"c": "d"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b", "c": "d"}
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    answer = logs.put_delivery_destination_policy(deliveryDestinationName="one", deliveryDestinationPolicy=document)
    assert answer["policy"] == {"deliveryDestinationPolicy": document}
    assert logs.get_delivery_destination_policy(deliveryDestinationName="one")["policy"] == answer["policy"]
    logs.delete_delivery_destination_policy(deliveryDestinationName="one")
    with refused("ResourceNotFoundException"):
        logs.get_delivery_destination_policy(deliveryDestinationName="one")
    with refused("ResourceNotFoundException"):
        logs.delete_delivery_destination_policy(deliveryDestinationName="one")
    logs.delete_delivery_destination(name="one")
    for call in (logs.get_delivery_destination, logs.delete_delivery_destination):
        with refused("ResourceNotFoundException", NO_DESTINATION):
            call(name="one")


def test_destinations_that_are_refused(logs: Any) -> None:
    with refused(
        "ValidationException",
        "1 validation error detected: Value 'foobar' at 'outputFormat' failed to satisfy constraint: Member must "
        "satisfy enum value set: [w3c, raw, json, plain, parquet]",
    ):
        put(logs, "one", outputFormat="foobar")
    put(logs, "one")
    for change in (
        {"deliveryDestinationConfiguration": {"destinationResourceArn": "x"}},
        {"deliveryDestinationConfiguration": {"destinationResourceArn": "arn:aws:sqs:us-east-1:1:queue"}},
        {"deliveryDestinationType": "CWL"},
        {"tags": {"a": "b"}},
    ):
        with refused("ValidationException"):
            put(logs, "one", **change)
    with refused("ValidationException"):
        logs.put_delivery_destination_policy(deliveryDestinationName="one", deliveryDestinationPolicy="{")
    with refused("ValidationException"):
        logs.describe_delivery_destinations(nextToken="x")


@pytest.fixture
def s3(cloud: Account) -> Any:
    """A client, with a bucket named as the account."""
    client = cloud.client("s3")
    client.create_bucket(Bucket=f"shop-{cloud.account}")
    return client


@pytest.fixture
def bucket(cloud: Account, s3: Any) -> str:
    return f"shop-{cloud.account}"


def source(logs: Any, bucket: str, name: str = "shop", **more: Any) -> Any:
    request = {"resourceArn": f"arn:aws:s3:::{bucket}", "logType": "S3_SERVER_ACCESS_LOGS", **more}
    return logs.put_delivery_source(name=name, **request)["deliverySource"]


def to_group(logs: Any, group: str, name: str = "to-group", **more: Any) -> str:
    """The ARN of a destination that is a log group."""
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    configuration = {"destinationResourceArn": found["arn"]}
    made = logs.put_delivery_destination(name=name, deliveryDestinationConfiguration=configuration, **more)
    return str(made["deliveryDestination"]["arn"])


def deliver(logs: Any, arn: str, name: str = "shop", **more: Any) -> Any:
    return logs.create_delivery(deliverySourceName=name, deliveryDestinationArn=arn, **more)["delivery"]


def records(cloud: Account, logs: Any, wanted: int = 1, group: str = GROUP) -> list[dict[str, Any]]:
    """What has come, when so many have: they are written down after the answer went out, and wait a minute then."""
    for _ in range(20):
        cloud.advance(61)
        found = logs.filter_log_events(logGroupName=group)["events"]
        if len(found) >= wanted:
            break
    return [json.loads(event["message"]) for event in found]


def test_the_access_log_of_a_bucket_comes_to_a_group(
    cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str
) -> None:
    made = source(logs, bucket, tags={"a": "b"})
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:delivery-source:shop"
    assert made == {
        "name": "shop",
        "arn": arn,
        "resourceArns": [f"arn:aws:s3:::{bucket}"],
        "service": "s3",
        "logType": "S3_SERVER_ACCESS_LOGS",
        "tags": {"a": "b"},
    }
    assert logs.get_delivery_source(name="shop")["deliverySource"] == made
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    s3.put_object(Bucket=bucket, Key="before", Body=b"x")
    destination = to_group(logs, GROUP)
    delivery = deliver(logs, destination, tags={"c": "d"})
    assert delivery == {
        "id": delivery["id"],
        "arn": f"arn:aws:logs:us-east-1:{cloud.account}:delivery:{delivery['id']}",
        "deliverySourceName": "shop",
        "deliveryDestinationArn": destination,
        "deliveryDestinationType": "CWL",
        "recordFields": list(vended_logs.FIELDS["S3_SERVER_ACCESS_LOGS"]),
        "tags": {"c": "d"},
    }
    assert logs.get_delivery(id=delivery["id"])["delivery"] == delivery
    [policy] = logs.describe_resource_policies()["resourcePolicies"]
    assert policy["policyName"] == "AWSLogDeliveryWrite20150319"
    s3.put_object(Bucket=bucket, Key="a key/ü", Body=b"hello")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="gone")
    first, second = records(cloud, logs, 2)
    assert list(first) == delivery["recordFields"]
    assert first["request_time"].endswith("Z")
    wanted = {
        "schema_version_id": "V_1_0",
        "bucket_arn": f"arn:aws:s3:::{bucket}",
        "bucket_name": bucket,
        "operation": "REST.PUT.OBJECT",
        "key_name": "a key/ü",
        "http_status": 200,
        "error_code": None,
        "object_size": 5,
        "signature_version": "SigV4",
        "authentication_type": "AuthHeader",
        "access_point_arn": None,
        "source_region": "us-east-1",
    }
    assert {name: first[name] for name in wanted} == wanted
    assert (second["operation"], second["http_status"], second["error_code"]) == ("REST.GET.OBJECT", 404, "NoSuchKey")
    assert [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]] == [
        f"S3_{bucket}",
        "one",
    ]


def test_deliveries_are_changed_and_ended(
    cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str
) -> None:
    source(logs, bucket)
    logs.create_log_group(logGroupName="/shop/others")
    one = deliver(logs, to_group(logs, GROUP), recordFields=["operation", "key_name"])
    other = deliver(logs, to_group(logs, "/shop/others", "other"), recordFields=["http_status"])
    [policy] = logs.describe_resource_policies()["resourcePolicies"]
    assert len(json.loads(policy["policyDocument"])["Statement"][0]["Resource"]) == 2
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert records(cloud, logs) == [{"operation": "REST.PUT.OBJECT", "key_name": "k"}]
    assert records(cloud, logs, group="/shop/others") == [{"http_status": 200}]
    assert len(logs.describe_deliveries(limit=1)["deliveries"]) == 1
    assert logs.describe_deliveries(deliverySourceNames=["none"])["deliveries"] == []
    logs.update_delivery_configuration(id=one["id"], recordFields=["bucket_name"])
    logs.delete_delivery(id=other["id"])
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert records(cloud, logs, 2)[1:] == [{"bucket_name": bucket}]
    assert len(records(cloud, logs, group="/shop/others")) == 1
    for call, name in ((logs.delete_delivery_source, "shop"), (logs.delete_delivery_destination, "to-group")):
        with refused("ConflictException"):
            call(name=name)
    logs.delete_delivery(id=one["id"])
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert len(records(cloud, logs, 2)) == 2
    logs.delete_delivery_source(name="shop")
    logs.delete_delivery_destination(name="to-group")
    assert logs.describe_delivery_sources()["deliverySources"] == []
    assert logs.describe_deliveries()["deliveries"] == []


def test_a_policy_that_somebody_has_put_by_that_name_keeps_what_it_says(
    cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str
) -> None:
    name = "AWSLogDeliveryWrite20150319"
    theirs = {"Sid": "dns", "Effect": "Allow", "Principal": {"Service": "route53.amazonaws.com"}, "Action": "logs:*"}
    theirs["Resource"] = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:/zones:*"
    document = json.dumps({"Version": "2012-10-17", "Statement": theirs})
    logs.put_resource_policy(policyName=name, policyDocument=document)
    source(logs, bucket)
    deliver(logs, to_group(logs, GROUP), recordFields=["operation"])
    [policy] = logs.describe_resource_policies()["resourcePolicies"]
    kept, ours = json.loads(policy["policyDocument"])["Statement"]
    group = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}:log-stream:*"
    assert (kept, ours["Sid"], ours["Resource"]) == (theirs, name, [group])
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert records(cloud, logs) == [{"operation": "REST.PUT.OBJECT"}]


def test_without_its_policy_nothing_comes(
    cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str
) -> None:
    source(logs, bucket)
    deliver(logs, to_group(logs, GROUP))
    logs.delete_resource_policy(policyName="AWSLogDeliveryWrite20150319")
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert records(cloud, logs, 0) == []


def test_many_records_come_in_several_batches() -> None:
    delivery = vended_logs.VendedDelivery("r", "t", "i", "s", "g", ["text"])
    records = [vended_logs.VendedRecord(1, {"text": "x" * 300_000}) for _ in range(7)]
    assert [len(batch) for batch in vended_logs._batches(delivery, records)] == [3, 3, 1]
    few = [vended_logs.VendedRecord(1, {"text": 1})] * 10_001
    assert [len(batch) for batch in vended_logs._batches(delivery, few)] == [10_000, 1]


def test_sources_that_are_refused(cloud: Account, logs: Any, s3: Any, bucket: str) -> None:
    with refused("NotImplemented"):
        source(logs, bucket, resourceArn="arn:aws:cloudfront::1:distribution/a", logType="ACCESS_LOGS")
    with refused("NotImplemented"):
        arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:*"
        source(logs, bucket, resourceArn=arn, logType="INSIGHTS_QUERY_LOGS")
    with refused("NotImplemented"):
        source(logs, bucket, deliverySourceConfiguration={"samplingRate": "50"})
    with refused("ValidationException"):
        source(logs, bucket, resourceArn="x")
    for name in ("nobodys-bucket", f"{bucket}/*"):
        with refused("ResourceNotFoundException"):
            source(logs, name)
    source(logs, bucket)
    s3.create_bucket(Bucket=f"{bucket}-2")
    for request in ({"name": "again"}, {"bucket": f"{bucket}-2"}):
        with refused(
            "ConflictException", "This ResourceId has already been used in another Delivery Source in this account"
        ):
            source(logs, **{"bucket": bucket, **request})
    with refused("ValidationException"):
        source(logs, bucket, tags={"a": "b"})
    for call in (logs.get_delivery_source, logs.delete_delivery_source):
        with refused("ResourceNotFoundException", "Requested Delivery Source does not exist in this account.."):
            call(name="a")
    for token_of in (logs.describe_delivery_sources, logs.describe_deliveries):
        with refused("ValidationException"):
            token_of(nextToken="x")


def test_deliveries_that_are_refused(cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str) -> None:
    arn = to_group(logs, GROUP)
    with refused("ResourceNotFoundException", "Requested Delivery Source does not exist in this account.."):
        deliver(logs, arn)
    source(logs, bucket)
    for wrong, code in (
        ("x", "ValidationException"),
        (f"{arn}-not", "ResourceNotFoundException"),
        (arn.replace(cloud.account, "111122223333"), "NotImplemented"),
    ):
        with refused(code):
            deliver(logs, wrong)
    put(logs, "to-bucket", bucket)
    with refused("NotImplemented"):
        deliver(logs, arn.replace("to-group", "to-bucket"))
    with refused("ValidationException"):
        deliver(logs, to_group(logs, GROUP, "plain", outputFormat="plain"))
    for more in (
        {"recordFields": ["nothing"]},
        {"fieldDelimiter": ","},
        {"s3DeliveryConfiguration": {"suffixPath": "x"}},
    ):
        with refused("ValidationException"):
            deliver(logs, arn, **more)
    deliver(logs, arn)
    with refused("ConflictException"):
        deliver(logs, arn)
    logs.create_log_group(logGroupName="/shop/gone")
    gone = to_group(logs, "/shop/gone", "gone")
    logs.delete_log_group(logGroupName="/shop/gone")
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        deliver(logs, gone)
    assert len(logs.describe_deliveries()["deliveries"]) == 1
    for call in (logs.get_delivery, logs.delete_delivery, logs.update_delivery_configuration):
        with refused("ResourceNotFoundException", "Requested Delivery does not exist in this account."):
            call(id="a")


def test_who_may_deliver(cloud: Account, logs: Any, stream: dict[str, str], s3: Any, bucket: str) -> None:
    arn = to_group(logs, GROUP)
    user = a_user(cloud, "logs:PutDeliverySource", "logs:CreateDelivery")
    with refused("AccessDeniedException"):
        source(user, bucket)
    source(logs, bucket)
    with refused("AccessDeniedException"):
        deliver(user, arn)
    assert logs.describe_deliveries()["deliveries"] == logs.describe_resource_policies()["resourcePolicies"] == []
    deliver(logs, arn)


def test_entities_are_not_kept(logs: Any, stream: dict[str, str], now_ms: Callable[[], int]) -> None:
    answer = logs.put_log_events(
        **stream,
        logEvents=[{"timestamp": now_ms(), "message": "x"}],
        entity={"keyAttributes": {"Type": "Service", "Name": "shop", "Environment": "prod"}},
    )
    assert answer["rejectedEntityInfo"] == {"errorType": "UnsupportedLogGroupType"}
    assert len(logs.get_log_events(**stream)["events"]) == 1
