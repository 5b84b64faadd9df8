"""Access logs: their lines, and the objects that they become."""

import json
import re
from typing import Any

import pytest
import urllib3

from tests.conftest import Account

FIELD = r" (\S+)"
QUOTED = r' ("[^"]*")'
LINE = re.compile(
    rf'([0-9a-f]{{64}}){FIELD} \[([^\]]+)\]{FIELD * 5} "([^"]*)"{FIELD * 6}{QUOTED * 2}{FIELD * 9}', re.ASCII
)


def allow_logs(s3: Any, target: str) -> None:
    allow = {
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/logs/*",
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))


@pytest.fixture
def target(s3: Any, bucket: str, new_bucket: Any) -> str:
    """The bucket that the other one's logs go to."""
    name: str = new_bucket()
    allow_logs(s3, name)
    enabled = {"TargetBucket": name, "TargetPrefix": "logs/"}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
    return name


def lines(cloud: Account, s3: Any, target: str) -> list[tuple[str, ...]]:
    cloud.settle()
    cloud.advance(301)
    found = []
    for each in s3.list_objects_v2(Bucket=target).get("Contents", []):
        text = s3.get_object(Bucket=target, Key=each["Key"])["Body"].read().decode()
        for line in text.splitlines():
            match = LINE.fullmatch(line)
            assert match, line
            found.append(match.groups())
    return found


def test_requests_become_lines(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    s3.put_object(Bucket=bucket, Key="a b", Body=b"x" * 20_000)
    s3.get_object(Bucket=bucket, Key="a b", Range="bytes=0-9")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="gone")
    s3.list_objects_v2(Bucket=bucket)
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"})
    urllib3.request("GET", url, headers={"Referer": "http://page/", "User-Agent": "browser"})
    urllib3.request("GET", f"{cloud.url}/{bucket}/a%20b")
    s3.delete_object(Bucket=bucket, Key="a b")
    found = lines(cloud, s3, target)
    shown = [(f[6], f[7], f[9], f[10], f[12], f[19], f[21]) for f in found]
    assert shown == [
        ("REST.PUT.OBJECT", "a%20b", "200", "-", "20000", "SigV4", "AuthHeader"),
        ("REST.GET.OBJECT", "a%20b", "206", "-", "20000", "SigV4", "AuthHeader"),
        ("REST.GET.OBJECT", "gone", "404", "NoSuchKey", "-", "SigV4", "AuthHeader"),
        ("REST.GET.BUCKET", "-", "200", "-", "-", "SigV4", "AuthHeader"),
        ("REST.GET.OBJECT", "a%20b", "200", "-", "20000", "SigV2", "QueryString"),
        ("REST.GET.OBJECT", "a%20b", "403", "AccessDenied", "-", "-", "-"),
        ("REST.DELETE.OBJECT", "a%20b", "204", "-", "-", "SigV4", "AuthHeader"),
    ]
    assert found[1][11] == "10"
    assert (found[4][15], found[4][16]) == ('"http://page/"', '"browser"')
    assert found[5][4] == "-"
    assert found[0][8].startswith(f"PUT /{bucket}/a%20b")
    (key,) = [each["Key"] for each in s3.list_objects_v2(Bucket=target)["Contents"]]
    assert re.fullmatch(r"logs/\d{4}(-\d\d){5}-[0-9A-F]{16}", key)


def test_partitioned_keys(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    form = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    enabled = {"TargetBucket": target, "TargetPrefix": "logs/", "TargetObjectKeyFormat": form}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": enabled})
    s3.head_bucket(Bucket=bucket)
    assert lines(cloud, s3, target)
    (key,) = [each["Key"] for each in s3.list_objects_v2(Bucket=target)["Contents"]]
    pattern = rf"logs/{cloud.account}/us-east-1/{bucket}/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\d-00-00-00-[0-9A-F]{{16}}"
    assert re.fullmatch(pattern, key)


def test_a_target_that_does_not_let_logs_in_gets_none(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    s3.delete_bucket_policy(Bucket=target)
    s3.head_bucket(Bucket=bucket)
    assert lines(cloud, s3, target) == []
    allow_logs(s3, target)
    s3.head_bucket(Bucket=bucket)
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert lines(cloud, s3, target) == []  # whoever logs no more is delivered no more
