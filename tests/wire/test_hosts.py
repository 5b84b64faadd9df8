"""What host names say."""

import pytest

from cumulo.wire import hosts


@pytest.mark.parametrize(
    ("host", "labels", "region"),
    [
        ("sqs.us-east-1.amazonaws.com", ("sqs",), "us-east-1"),
        ("sqs.localhost:4566", ("sqs",), ""),
        ("b.s3.us-gov-west-1.amazonaws.com", ("b", "s3"), "us-gov-west-1"),
        ("b.c.s3-eu-west-1.amazonaws.com", ("b", "c", "s3"), "eu-west-1"),
        ("b.s3.dualstack.eu-west-1.amazonaws.com:443", ("b", "s3"), "eu-west-1"),
        ("sqs-fips.us-east-2.amazonaws.com", ("sqs",), "us-east-2"),
        ("api.ecr.eu-west-1.amazonaws.com", ("api", "ecr"), "eu-west-1"),
        ("eu-west-1.queue.amazonaws.com", ("queue",), "eu-west-1"),
        ("sts.cn-north-1.amazonaws.com.cn", ("sts",), "cn-north-1"),
        ("lambda.eu-west-1.api.aws", ("lambda",), "eu-west-1"),
        ("abc123.execute-api.localhost.localstack.cloud:4566", ("abc123", "execute-api"), ""),
        ("my-bucket-1.s3.us-west-2.amazonaws.com", ("my-bucket-1", "s3"), "us-west-2"),
        ("my-bucket-1.s3.amazonaws.com", ("my-bucket-1", "s3"), ""),
        ("my-bucket-1.s3.dualstack.us-west-2.amazonaws.com", ("my-bucket-1", "s3"), "us-west-2"),
        ("my-bucket-1.s3-us-west-2.amazonaws.com", ("my-bucket-1", "s3"), "us-west-2"),
        ("my-bucket-1.s3-fips.us-west-2.amazonaws.com", ("my-bucket-1", "s3"), "us-west-2"),
        ("my-bucket-1.s3-website-us-west-2.amazonaws.com", ("my-bucket-1", "s3-website-us-west-2"), ""),
        ("my-door-1.s3-accesspoint.us-west-2.amazonaws.com", ("my-door-1", "s3-accesspoint"), "us-west-2"),
        ("data.my-app-1.s3.us-west-2.amazonaws.com", ("data", "my-app-1", "s3"), "us-west-2"),
        ("my-data-fips.s3.localhost:4566", ("my-data-fips", "s3"), ""),
        ("fips.s3.amazonaws.com", ("fips", "s3"), ""),
        ("eu-west-1.s3.s3.eu-north-1.amazonaws.com", ("eu-west-1", "s3", "s3"), "eu-north-1"),
        ("localhost:4566", (), ""),
        ("127.0.0.1", (), ""),
        ("[::1]:4566", (), ""),
        ("example.com", (), ""),
        ("", (), ""),
    ],
)
def test_hosts(host: str, labels: tuple[str, ...], region: str) -> None:
    found = hosts.read(host)
    assert (found.labels, found.region) == (labels, region)


def test_the_cache_does_not_grow_with_its_clients() -> None:
    for number in range(10_000):
        hosts.read(f"b{number}.s3.localhost")
    assert len(hosts._cache) <= 5000
