"""Anomaly detectors: what they learn, what they find, what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.operations.logs.anomalies import anomaly_runs
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, refused

pytestmark = pytest.mark.usefixtures("still")

MINUTE_MS = 60_000


class Watched:
    """A group whose lines come minute by minute, and its detector."""

    def __init__(self, cloud: Account, logs: Any, now_ms: Callable[[], int]) -> None:
        self.cloud = cloud
        self.logs = logs
        self.now_ms = now_ms
        self.arn = ""
        self.group = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["logGroupArn"]

    def put(self, messages: list[str], time: int | None = None) -> None:
        """Lines at one time: now."""
        at = self.now_ms() if time is None else time
        for begin in range(0, len(messages), 1000):
            events = [{"timestamp": at, "message": message} for message in messages[begin : begin + 1000]]
            self.logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)

    def past(self, minutes: int, lines: Callable[[int], list[str]]) -> None:
        """Lines of the minutes before this one."""
        start = self.now_ms() // MINUTE_MS * MINUTE_MS
        for minute in range(minutes, 0, -1):
            self.put(lines(minute), start - minute * MINUTE_MS + 1000)

    def detect(self, **more: Any) -> None:
        request = {"logGroupArnList": [self.group], "evaluationFrequency": "ONE_MIN", "detectorName": "orders", **more}
        self.arn = self.logs.create_log_anomaly_detector(**request)["anomalyDetectorArn"]
        self.cloud.settle()

    def minute(self, messages: list[str]) -> None:
        """Lines in this minute, and the detector's look at it when it is over; then the next one has begun."""
        self.put(messages)
        self.cloud.advance((MINUTE_MS - self.now_ms() % MINUTE_MS) / 1000 + 31)
        self.cloud.settle()

    def found(self, **more: Any) -> list[Any]:
        anomalies: list[Any] = self.logs.list_anomalies(anomalyDetectorArn=self.arn, **more)["anomalies"]
        return anomalies

    @property
    def status(self) -> str:
        return str(self.logs.get_log_anomaly_detector(anomalyDetectorArn=self.arn)["anomalyDetectorStatus"])


@pytest.fixture
def watched(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Callable[[], int]) -> Watched:
    return Watched(cloud, logs, now_ms)


def usual(minute: int) -> list[str]:
    """Some twenty requests in a minute, of which a few are slow."""
    return [
        f"[INFO] request {minute * 100 + each} took {each * 7 % 50} ms status {200 + each % 2}" for each in range(20)
    ]


def test_what_is_usual_is_no_anomaly(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    assert watched.status == "ANALYZING"
    for minute in range(3):
        watched.minute(usual(minute + 20))
    assert watched.found() == []


def test_a_new_pattern_is_found_and_goes_on(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    new = [f"[ERROR] connection to 10.0.0.{each} refused after {each} tries" for each in range(5)]
    watched.minute([*usual(1), *new])
    [anomaly] = watched.found()
    assert anomaly["patternString"] == "[ERROR] connection to <*> refused after <*> tries"
    assert anomaly["description"] == "New pattern"
    assert (anomaly["priority"], anomaly["state"], anomaly["active"]) == ("HIGH", "Active", True)
    assert anomaly["suppressed"] is False
    assert anomaly["logGroupArnList"] == [watched.group]
    assert [sample["message"] for sample in anomaly["logSamples"]] == new
    [first, second] = [token for token in anomaly["patternTokens"] if token["isDynamic"]]
    assert (first["tokenString"], first["dynamicTokenPosition"]) == ("<*>", 1)
    assert first["inferredTokenName"] == "IPAddress-1"
    assert second["inferredTokenName"] == "Number-2"
    assert second["enumerations"] == {str(each): 1 for each in range(5)}
    assert list(anomaly["histogram"].values()) == [5]
    watched.minute([*usual(2), *new[:2]])
    [again] = watched.found()
    assert again["anomalyId"] == anomaly["anomalyId"]
    assert sorted(again["histogram"].values()) == [2, 5]
    assert again["firstSeen"] == anomaly["firstSeen"] < again["lastSeen"]
    watched.minute(usual(3))
    [gone] = watched.found()
    assert (gone["active"], gone["state"]) == (False, "Active")


def test_many_more_lines_are_found(watched: Watched) -> None:
    watched.past(12, usual)
    watched.detect()
    watched.minute([line for minute in range(10) for line in usual(minute)])
    [anomaly] = watched.found()
    assert anomaly["description"] == "900.0% increase in count of this pattern"
    assert anomaly["priority"] == "HIGH"
    watched.minute(usual(1))
    assert watched.found()[0]["active"] is False


def test_silence_is_found(watched: Watched) -> None:
    watched.past(12, lambda minute: usual(minute) * 4)
    watched.detect()
    watched.minute(usual(1)[:3])
    [anomaly] = watched.found()
    assert anomaly["description"] == "96.2% decrease in count of this pattern"
    assert anomaly["priority"] == "LOW"


def test_a_new_value_of_a_token_is_found(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.minute([*usual(1)[:18], "[INFO] request 1 took 7 ms status 503"])
    [anomaly] = watched.found()
    assert anomaly["description"] == 'New value "503" for Number-3'
    [*_, status] = [token for token in anomaly["patternTokens"] if token["isDynamic"]]
    assert status["enumerations"]["503"] == 1


def test_a_word_that_never_changed_and_does_is_found(watched: Watched) -> None:
    watched.past(10, lambda minute: [f"payment {minute} of shop accepted by bank" for _ in range(20)])
    watched.detect()
    watched.minute(["payment 7 of shop declined by bank"])
    anomaly = next(each for each in watched.found() if "New value" in each["description"])
    assert anomaly["description"] == 'New value "declined" for Token-2'
    assert anomaly["patternString"] == "payment <*> of shop <*> by bank"


def test_a_value_in_many_more_lines_is_found(watched: Watched) -> None:
    def lines(minute: int) -> list[str]:
        return [f"GET /orders answered {404 if each < 2 else 200}" for each in range(50)]

    watched.past(10, lines)
    watched.detect()
    watched.minute([f"GET /orders answered {404 if each < 25 else 200}" for each in range(50)])
    [anomaly] = watched.found()
    assert anomaly["description"].endswith('% increase in count of value "404" for Number-1')
    assert anomaly["priority"] == "HIGH"


def test_without_history_it_learns_for_a_quarter_of_an_hour(watched: Watched) -> None:
    watched.detect()
    assert watched.status == "TRAINING"
    for minute in range(6):
        watched.minute(usual(minute))
    assert watched.status == "TRAINING"
    for minute in range(10):
        watched.minute(usual(minute))
    assert watched.status == "ANALYZING"
    assert watched.found() == []
    watched.minute(["[FATAL] the disk is full", *usual(9)])
    assert [each["priority"] for each in watched.found()] == ["HIGH"]


def test_a_pattern_chooses_and_masks_hide(watched: Watched) -> None:
    statement = {"Sid": "audit", "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]}
    document = {
        "Name": "mask",
        "Version": "2021-06-01",
        "Statement": [
            {**statement, "Operation": {"Audit": {"FindingsDestination": {}}}},
            {**statement, "Sid": "mask", "Operation": {"Deidentify": {"MaskConfig": {}}}},
        ],
    }
    watched.logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=json.dumps(document))
    watched.past(3, usual)
    watched.detect(filterPattern="-noise")
    watched.minute(["some noise is here 1", "[WARN] mail of jane@example.com bounced"])
    [anomaly] = watched.found()
    assert "jane" not in json.dumps(anomaly, default=str)
    assert anomaly["priority"] == "MEDIUM"


def test_what_is_baseline_is_found_again_only_if_it_is_worse(watched: Watched) -> None:
    watched.past(12, usual)
    watched.detect()
    burst = [line for minute in range(5) for line in usual(minute)]
    watched.minute(burst)
    [anomaly] = watched.found()
    watched.logs.update_anomaly(anomalyDetectorArn=watched.arn, anomalyId=anomaly["anomalyId"], baseline=True)
    assert watched.found()[0]["state"] == "Baseline"
    watched.minute(burst)
    assert watched.found()[0]["state"] == "Baseline"
    watched.minute(burst * 4)
    [worse] = watched.found()
    assert (worse["state"], worse["active"]) == ("Active", True)
    assert list(worse["histogram"].values()) == [400]


def test_after_its_time_an_anomaly_is_usual(watched: Watched) -> None:
    watched.put(usual(1), watched.now_ms() - 7200 * 1000)
    watched.detect(anomalyVisibilityTime=7, evaluationFrequency="ONE_HOUR")
    watched.put(["[ERROR] nothing works"])
    watched.cloud.advance(2 * 3600)
    watched.cloud.settle()
    assert [each["state"] for each in watched.found()] == ["Active"]
    watched.cloud.advance(7 * 86_400)
    watched.put(["[ERROR] nothing works"])
    watched.cloud.advance(2 * 3600)
    watched.cloud.settle()
    assert watched.found() == []
    watched.put(["[ERROR] nothing works"] * 100)
    watched.cloud.advance(2 * 3600)
    watched.cloud.settle()
    assert watched.found() == []  # it is as usual as anything else now, and this the first that is known of how often


def test_an_anomaly_is_suppressed_for_a_time(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.minute(["[ERROR] first thing broke", *usual(1)])
    [anomaly] = watched.found()
    name = {"anomalyDetectorArn": watched.arn, "anomalyId": anomaly["anomalyId"]}
    watched.logs.update_anomaly(
        **name, suppressionType="LIMITED", suppressionPeriod={"value": 10, "suppressionUnit": "MINUTES"}
    )
    [suppressed] = watched.found(suppressionState="SUPPRESSED")
    assert (suppressed["state"], suppressed["isPatternLevelSuppression"]) == ("Suppressed", False)
    assert suppressed["suppressedUntil"] - suppressed["suppressedDate"] == 600_000
    assert watched.found(suppressionState="UNSUPPRESSED") == []
    watched.minute(["[ERROR] first thing broke", *usual(1)])
    assert watched.found()[0]["histogram"] == anomaly["histogram"]
    watched.cloud.advance(600)
    watched.cloud.settle()
    watched.minute(["[ERROR] first thing broke", *usual(1)])
    [anomaly] = [each for each in watched.found(suppressionState="UNSUPPRESSED") if "broke" in each["patternString"]]
    assert len(anomaly["histogram"]) == 2


def test_a_pattern_is_suppressed_until_that_is_ended(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.minute(["[ERROR] first thing broke", *usual(1)])
    [anomaly] = watched.found()
    name = {"anomalyDetectorArn": watched.arn, "patternId": anomaly["patternId"]}
    watched.logs.update_anomaly(**name, suppressionType="INFINITE")
    [suppressed] = watched.found()
    assert (suppressed["suppressedUntil"], suppressed["isPatternLevelSuppression"]) == (0, True)
    watched.logs.update_anomaly(**name)
    assert watched.found()[0]["suppressed"] is False


def test_found_anomalies_are_counted(watched: Watched, cloud: Account) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.minute(["[ERROR] first thing broke", *usual(1)])
    metrics = cloud.client("cloudwatch").list_metrics(Namespace="AWS/Logs", MetricName="AnomalyCount")["Metrics"]
    dimensions = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in metrics]
    assert {"LogAnomalyDetector": "orders", "LogAnomalyPriority": "HIGH"} in dimensions
    assert {"LogAnomalyDetector": "orders", "LogAnomalyPriority": "MEDIUM"} in dimensions  # which counts both


def test_a_paused_detector_rests(watched: Watched) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.logs.update_log_anomaly_detector(anomalyDetectorArn=watched.arn, enabled=False)
    watched.minute(["[ERROR] first thing broke"])
    assert (watched.status, watched.found()) == ("PAUSED", [])
    watched.logs.update_log_anomaly_detector(
        anomalyDetectorArn=watched.arn, enabled=True, filterPattern="ERROR", anomalyVisibilityTime=90
    )
    watched.cloud.settle()
    found = watched.logs.get_log_anomaly_detector(anomalyDetectorArn=watched.arn)
    assert found["anomalyDetectorStatus"] == "ANALYZING"
    assert (found["filterPattern"], found["anomalyVisibilityTime"]) == ("ERROR", 90)


def test_what_was_learned_outlives_a_pause(watched: Watched) -> None:
    watched.past(12, lambda minute: usual(minute) * 2)
    watched.detect()
    watched.logs.update_log_anomaly_detector(anomalyDetectorArn=watched.arn, enabled=False)
    watched.cloud.advance(3600)
    watched.put(["[ERROR] while nobody looked"])
    watched.cloud.advance((MINUTE_MS - watched.now_ms() % MINUTE_MS) / 1000 + 31)
    watched.logs.update_log_anomaly_detector(anomalyDetectorArn=watched.arn, enabled=True)
    watched.cloud.settle()
    assert watched.status == "ANALYZING"
    watched.minute(usual(1) * 2)
    assert watched.found() == []
    watched.minute(["[ERROR] while somebody looks", *usual(1) * 2])
    assert [each["patternString"] for each in watched.found()] == ["[ERROR] while somebody looks"]
    watched.minute([])
    assert "100.0% decrease in count of this pattern" in [each["description"] for each in watched.found()]


def test_a_cloud_that_was_away_finds_no_silence(watched: Watched) -> None:
    watched.past(12, lambda minute: usual(minute) * 2)
    watched.detect()
    watched.cloud.advance(86_400 - watched.now_ms() % MINUTE_MS / 1000 + 31)
    watched.cloud.settle()
    assert watched.found() == []
    watched.minute(usual(1) * 2)
    assert watched.found() == []
    watched.minute([])
    assert [each["description"] for each in watched.found()] == ["100.0% decrease in count of this pattern"]


def test_more_lines_than_one_run_looks_at(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.past(12, usual)
    watched.detect()
    monkeypatch.setattr(anomaly_runs, "MOST_LINES", 30)
    monkeypatch.setattr(anomaly_runs, "READ_LINES", 10)
    start = watched.now_ms() // MINUTE_MS * MINUTE_MS
    for minute in range(3):
        watched.put([*usual(1), *["[ERROR] in the third minute"][: minute // 2]], start + minute * MINUTE_MS + 59_000)
    watched.cloud.advance((start - watched.now_ms()) / 1000 + 3 * 60 + 31)  # all of it is there at once
    watched.cloud.settle()
    found = watched.found()
    assert [each["description"] for each in found if "decrease" in each["description"]] == []
    assert any(each["patternString"] == "[ERROR] in the third minute" for each in found)


def test_detectors_are_listed_tagged_and_deleted(watched: Watched, logs: Any) -> None:
    watched.detect(tags={"team": "shop"})
    assert logs.list_tags_for_resource(resourceArn=watched.arn)["tags"] == {"team": "shop"}
    logs.tag_resource(resourceArn=watched.arn, tags={"more": "x"})
    assert len(logs.list_tags_for_resource(resourceArn=watched.arn)["tags"]) == 2
    [found] = logs.list_log_anomaly_detectors(filterLogGroupArn=watched.group)["anomalyDetectors"]
    assert (found["anomalyDetectorArn"], found["anomalyVisibilityTime"]) == (watched.arn, 21)
    assert logs.list_log_anomaly_detectors(filterLogGroupArn=watched.group + "x")["anomalyDetectors"] == []
    logs.delete_log_anomaly_detector(anomalyDetectorArn=watched.arn)
    assert logs.list_log_anomaly_detectors()["anomalyDetectors"] == []
    with refused("ResourceNotFoundException"):
        logs.get_log_anomaly_detector(anomalyDetectorArn=watched.arn)


def test_a_detector_whose_group_is_gone_fails(watched: Watched, logs: Any) -> None:
    watched.detect()
    logs.delete_log_group(logGroupName=GROUP)
    watched.cloud.advance(120)
    watched.cloud.settle()
    assert watched.status == "FAILED"


def test_pages_of_anomalies(watched: Watched, logs: Any) -> None:
    watched.past(10, usual)
    watched.detect()
    watched.minute(["[ERROR] first broke", "[ERROR] and the second broke too", "[ERROR] as did the third one of them"])
    first = logs.list_anomalies(limit=2)
    second = logs.list_anomalies(limit=2, nextToken=first["nextToken"])
    every = [each["anomalyId"] for each in (*first["anomalies"], *second["anomalies"])]
    assert len(set(every)) == len(every) == len(watched.found())
    assert "nextToken" not in second


def test_what_is_refused(watched: Watched, logs: Any) -> None:
    with refused("InvalidParameterException", "You can specify only one log group ARN."):
        logs.create_log_anomaly_detector(logGroupArnList=[watched.group, watched.group])
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.create_log_anomaly_detector(logGroupArnList=[watched.group + "x"])
    with refused("InvalidParameterException", "Invalid filter pattern"):
        logs.create_log_anomaly_detector(logGroupArnList=[watched.group], filterPattern='"open')
    with refused("ResourceNotFoundException", "The specified anomaly detector does not exist."):
        logs.delete_log_anomaly_detector(
            anomalyDetectorArn=watched.group.rpartition(":log-group")[0] + ":anomaly-detector:x"
        )
    watched.detect()
    text = "You must specify either anomalyId or patternId, but you can't specify both."
    with refused("InvalidParameterException", text):
        logs.update_anomaly(anomalyDetectorArn=watched.arn)
    with refused("ResourceNotFoundException", "The specified anomaly does not exist."):
        logs.update_anomaly(anomalyDetectorArn=watched.arn, patternId="0" * 32)
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidParameterException"):
        logs.create_log_anomaly_detector(logGroupArnList=[watched.group.replace(GROUP, "rare")])


def test_findings_are_sealed_under_a_key(watched: Watched, cloud: Account) -> None:
    kms = cloud.client("kms")
    account = cloud.account
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {
                    "ArnLike": {
                        "kms:EncryptionContext:aws-crypto-ec:aws:logs:arn": (
                            f"arn:aws:logs:us-east-1:{account}:anomaly-detector:*"
                        )
                    }
                },
            },
        ],
    }
    key = kms.create_key(Policy=json.dumps(document))["KeyMetadata"]["Arn"]
    watched.past(10, usual)
    watched.detect(kmsKeyId=key)
    watched.minute(["[ERROR] a very secret thing broke", *usual(1)])
    assert watched.found()[0]["patternString"] == "[ERROR] a very secret thing broke"
    assert watched.logs.list_log_anomaly_detectors()["anomalyDetectors"][0]["kmsKeyId"] == key
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(allowed))
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = cloud.client("logs", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    with refused("AccessDeniedException"):
        reader.list_anomalies(anomalyDetectorArn=watched.arn)
    kms.disable_key(KeyId=key)
    watched.cloud.advance(400)  # a data key may be used for five minutes
    watched.cloud.settle()
    assert watched.status == "FAILED"
    other = kms.create_key()["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException"):
        watched.logs.create_log_anomaly_detector(logGroupArnList=[watched.group], kmsKeyId=other)
