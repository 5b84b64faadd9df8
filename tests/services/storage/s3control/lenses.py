"""What tests of Object Lambda share: an access point, and the function before it, whose code is the test's own."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import create, role, simulated
from tests.services.compute.lambda_.recorder import Recorder, record
from tests.services.compute.lambda_.simulation import Environments

__all__ = ["create", "role", "simulated"]

Json = dict[str, Any]
TEXT = b"the quick brown fox"


class Lens:
    """An Object Lambda access point "lens" before the access point "door" of a bucket, and its function."""

    def __init__(self, cloud: Account, function: Recorder) -> None:
        self.cloud = cloud
        self.function = function
        self.control = cloud.client("s3control")
        self.s3 = cloud.client("s3")
        self.bucket = f"lens-{cloud.account}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_object(Bucket=self.bucket, Key="a/k 1", Body=TEXT, Metadata={"m": "1"}, ContentType="text/plain")
        self.account = {"AccountId": cloud.account}
        made = self.control.create_access_point(**self.account, Name="door", Bucket=self.bucket)
        self.door, self.door_alias = made["AccessPointArn"], made["Alias"]
        lens = self.control.create_access_point_for_object_lambda(
            **self.account, Name="lens", Configuration=self.configuration()
        )
        self.arn, self.alias = lens["ObjectLambdaAccessPointArn"], lens["Alias"]["Value"]

    def configuration(self, *features: str, actions: tuple[str, ...] = ("GetObject",), **more: Any) -> Json:
        function = {"FunctionArn": self.function.arn, "FunctionPayload": '{"size": 7}'}
        transformation = {"Actions": list(actions), "ContentTransformation": {"AwsLambda": function}}
        found: Json = {"SupportingAccessPoint": self.door, "TransformationConfigurations": [transformation], **more}
        return {**found, "AllowedFeatures": list(features)} if features else found

    def configure(self, *features: str, actions: tuple[str, ...] = ("GetObject",), **more: Any) -> None:
        self.control.put_access_point_configuration_for_object_lambda(
            **self.account, Name="lens", Configuration=self.configuration(*features, actions=actions, **more)
        )

    def get(self, key: str = "a/k 1", **more: Any) -> Json:
        answer: Json = self.s3.get_object(Bucket=self.alias, Key=key, **more)
        return answer

    def respond(self, event: Json, body: Any = b"", **more: Any) -> Json:
        """WriteGetObjectResponse as functions make it."""
        context = event["getObjectContext"]
        client = self.cloud.client("s3")
        place = {"RequestRoute": context["outputRoute"], "RequestToken": context["outputToken"]}
        answer: Json = client.write_get_object_response(**place, Body=body, **more)
        return answer

    def answers(self, answer: Callable[[Json], Any]) -> None:
        self.function.answer = answer


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers)) as answer:
        return answer.read(), dict(answer.headers)


@pytest.fixture
def lens(cloud: Account, create: Callable[..., Json], simulated: Environments) -> Lens:
    found = Lens(cloud, record(create, Timeout=120))

    def upper(event: Json) -> None:
        data, _ = fetch(event["getObjectContext"]["inputS3Url"])
        found.respond(event, data.upper(), ContentType="text/loud", Metadata={"by": "function"})

    found.answers(upper)
    return found
