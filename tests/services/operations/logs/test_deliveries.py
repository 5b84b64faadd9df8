"""Delivery destinations; sources and deliveries, of which there are none."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import refused

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


def test_there_are_no_sources(logs: Any) -> None:
    with refused("NotImplemented"):
        logs.put_delivery_source(name="a", resourceArn="arn:aws:cloudfront::1:distribution/a", logType="ACCESS_LOGS")
    assert logs.describe_delivery_sources()["deliverySources"] == []
    assert logs.describe_deliveries()["deliveries"] == []
    for call in (logs.get_delivery_source, logs.delete_delivery_source):
        with refused("ResourceNotFoundException", "Requested Delivery Source does not exist in this account.."):
            call(name="a")
    for call in (logs.get_delivery, logs.delete_delivery):
        with refused("ResourceNotFoundException", "Requested Delivery does not exist in this account."):
            call(id="a")


def test_entities_are_not_kept(logs: Any, stream: dict[str, str], now_ms: Callable[[], int]) -> None:
    answer = logs.put_log_events(
        **stream,
        logEvents=[{"timestamp": now_ms(), "message": "x"}],
        entity={"keyAttributes": {"Type": "Service", "Name": "shop", "Environment": "prod"}},
    )
    assert answer["rejectedEntityInfo"] == {"errorType": "UnsupportedLogGroupType"}
    assert len(logs.get_log_events(**stream)["events"]) == 1
