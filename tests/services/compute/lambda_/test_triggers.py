"""Functions that other services call: topics, buckets and secrets. Their code is the test's own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.compute.lambda_.recorder import Recorder, record
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_event_source_mappings import make_queue
from tests.services.compute.lambda_.test_queue_polling import left, wait_until

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def function(create: Create, simulated: Environments) -> Recorder:
    return record(create)


def let_in(cloud: Account, service: str, source: str = "", **more: str) -> None:
    """Let a service call the function, for a source of its own if one is named."""
    request = {"SourceArn": source} if source else {}
    cloud.client("lambda").add_permission(
        FunctionName="greeter",
        StatementId=service,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        **request,
        **more,
    )


# --- topics -------------------------------------------------------------------------------------


def test_a_topics_message_as_the_function_sees_it(cloud: Account, function: Recorder) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    let_in(cloud, "sns", topic)
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function.arn)["SubscriptionArn"]
    assert subscription.startswith(topic)
    sent = sns.publish(
        TopicArn=topic,
        Message="hello",
        Subject="greeting",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}},
    )
    (seen,) = function.next()["Records"]
    told = seen.pop("Sns")
    assert seen == {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    assert told.pop("Signature")
    assert told.pop("SigningCertUrl").endswith(".pem")
    assert "Action=Unsubscribe" in told.pop("UnsubscribeUrl")
    assert told.pop("Timestamp").endswith("Z")
    assert told == {
        "Type": "Notification",
        "MessageId": sent["MessageId"],
        "TopicArn": topic,
        "Subject": "greeting",
        "Message": "hello",
        "SignatureVersion": "1",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "x"}},
    }
    sns.publish(TopicArn=topic, Message="again")
    told = function.next()["Records"][0]["Sns"]
    assert (told["Subject"], told["MessageAttributes"]) == (None, {})


def test_what_a_function_does_not_take_is_a_dead_letter(cloud: Account, function: Recorder) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    url, queue = make_queue(cloud, "dead")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    redrive = json.dumps({"deadLetterTargetArn": queue})
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function.arn, Attributes={"RedrivePolicy": redrive})
    let_in(cloud, "sns", f"{topic}-of-another-name")
    sns.publish(TopicArn=topic, Message="lost")
    cloud.settle()
    assert left(cloud, url) == (1, 0)
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["Message"] == "lost"
    assert function.quiet


def test_filters_of_subscriptions_count_for_functions(cloud: Account, function: Recorder) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    let_in(cloud, "sns")
    policy = json.dumps({"kind": ["order"]})
    sns.subscribe(
        TopicArn=topic,
        Protocol="lambda",
        Endpoint=function.arn,
        Attributes={"FilterPolicy": policy, "FilterPolicyScope": "MessageBody"},
    )
    for kind in ("other", "order"):
        sns.publish(TopicArn=topic, Message=json.dumps({"kind": kind}))
    assert function.next()["Records"][0]["Sns"]["Message"] == '{"kind": "order"}'
    assert function.quiet


# --- buckets ------------------------------------------------------------------------------------


def make_bucket(cloud: Account) -> str:
    name = f"pictures-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


def notify(cloud: Account, bucket: str, arn: str, **more: Any) -> None:
    entry = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], "Id": "thumbnails"}
    cloud.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}, **more
    )


def test_an_objects_event_as_the_function_sees_it(cloud: Account, function: Recorder) -> None:
    bucket = make_bucket(cloud)
    let_in(cloud, "s3", f"arn:aws:s3:::{bucket}", SourceAccount=cloud.account)
    notify(cloud, bucket, function.arn)
    assert function.quiet  # functions get no test event
    cloud.client("s3").put_object(Bucket=bucket, Key="cats/tom 1.jpg", Body=b"1234")
    (seen,) = function.next()["Records"]
    assert (seen["eventSource"], seen["eventName"]) == ("aws:s3", "ObjectCreated:Put")
    assert seen["s3"]["configurationId"] == "thumbnails"
    assert seen["s3"]["bucket"]["name"] == bucket
    assert (seen["s3"]["object"]["key"], seen["s3"]["object"]["size"]) == ("cats/tom+1.jpg", 4)


def test_a_function_must_let_the_bucket_in(cloud: Account, function: Recorder) -> None:
    bucket = make_bucket(cloud)
    let_in(cloud, "s3", "arn:aws:s3:::another")
    for arn in (function.arn, f"{function.arn}-not-there"):
        with pytest.raises(ClientError) as caught:
            notify(cloud, bucket, arn)
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == (
            "InvalidArgument",
            "Unable to validate the following destination configurations",
        )
        assert error["ArgumentName1"] == f"{arn}, null"
        assert error["ArgumentValue1"] == f"Not authorized to invoke function [{arn}]"
    notify(cloud, bucket, function.arn, SkipDestinationValidation=True)
    cloud.client("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    cloud.settle()
    assert function.quiet


# --- secrets ------------------------------------------------------------------------------------


def test_a_function_rotates_a_secret(cloud: Account, function: Recorder) -> None:
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="password", SecretString="old")["ARN"]

    def rotate(event: Any) -> None:
        step, secret, version = event["Step"], event["SecretId"], event["ClientRequestToken"]
        if step == "createSecret":
            secrets.put_secret_value(
                SecretId=secret,
                ClientRequestToken=version,
                SecretString="new",
                VersionStages=["AWSPENDING"],
                RotationToken=event["RotationToken"],
            )
        elif step == "finishSecret":
            stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
            current = next(each for each, labels in stages.items() if "AWSCURRENT" in labels)
            secrets.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
            )

    function.answer = rotate
    request = {
        "SecretId": arn,
        "RotationLambdaARN": function.arn,
        "RotationRules": {"AutomaticallyAfterDays": 30},
    }
    with pytest.raises(ClientError) as caught:
        secrets.rotate_secret(**request)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    let_in(cloud, "secretsmanager", arn)
    secrets.rotate_secret(**request)
    wait_until(lambda: secrets.get_secret_value(SecretId=arn)["SecretString"] == "new")
    cloud.settle()
    steps = [function.next()["Step"] for _ in range(4)]
    assert steps == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert secrets.describe_secret(SecretId=arn)["RotationEnabled"]
