"""What CloudWatch is told of S3: requests by metrics configuration, and every bucket's storage once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cumulo.services.storage.s3.reports import storage_metrics
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import transact

DAY_S = 86_400


@pytest.fixture
def watch(cloud: Account) -> Any:
    return cloud.client("cloudwatch")


def now(cloud: Account) -> datetime:
    return datetime.fromtimestamp(cloud.running.clock.now(), UTC)


def statistics(cloud: Account, watch: Any, name: str, period: int = 60, **dimensions: str) -> list[dict[str, Any]]:
    midnight = now(cloud).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight - timedelta(days=1) if period == DAY_S else now(cloud) - timedelta(hours=12)
    points = watch.get_metric_statistics(
        Namespace="AWS/S3", MetricName=name, StartTime=begin, EndTime=now(cloud),
        Period=period, Statistics=["Sum", "SampleCount", "Average"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
    )["Datapoints"]  # fmt: skip
    return sorted(points, key=lambda point: point["Timestamp"])  # type: ignore[no-any-return]


def configure(s3: Any, bucket: str, id: str, given: dict[str, Any] | None = None) -> None:
    document = {"Id": id, **({"Filter": given} if given else {})}
    s3.put_bucket_metrics_configuration(Bucket=bucket, Id=id, MetricsConfiguration=document)


def test_requests_of_a_bucket(cloud: Account, s3: Any, watch: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="before", Body=b"x")
    configure(s3, bucket, "all")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 100)
    s3.put_object(Bucket=bucket, Key="large", Body=b"x" * 100_000)
    s3.get_object(Bucket=bucket, Key="k")["Body"].read()
    s3.get_object(Bucket=bucket, Key="large")["Body"].read()
    s3.head_object(Bucket=bucket, Key="k")
    s3.list_objects_v2(Bucket=bucket)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket=bucket, Key="gone")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="p", UploadId=upload)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "large"}]})
    cloud.advance(120)

    def total(name: str) -> tuple[float, float]:
        points = statistics(cloud, watch, name, BucketName=bucket, FilterId="all")
        return sum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)

    assert total("AllRequests") == (11, 11)
    counts = {
        "PutRequests": 2, "GetRequests": 3, "HeadRequests": 1, "ListRequests": 1, "PostRequests": 1,
        "DeleteRequests": 3,
    }  # fmt: skip
    assert {name: total(name)[0] for name in counts} == counts
    assert total("4xxErrors")[0] == 1
    assert total("4xxErrors")[1] == total("AllRequests")[1]
    assert total("5xxErrors")[0] == 0
    assert total("BytesUploaded")[0] >= 100_100
    down, samples = total("BytesDownloaded")
    assert down >= 100_100 and samples >= 3
    assert 9 <= total("FirstByteLatency")[1] <= 10  # not of bodies that were still on their way
    assert 10 <= total("TotalRequestLatency")[1] <= 11


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"Prefix": "logs/"}, 3),
        ({"Tag": {"Key": "team", "Value": "a"}}, 2),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "team", "Value": "a"}]}}, 1),
        ({"And": {"Prefix": "logs/", "Tags": [{"Key": "team", "Value": "b"}]}}, 0),
        ({"AccessPointArn": "arn:aws:s3:us-east-1:000000000000:accesspoint/another"}, 0),
    ],
)
def test_filters(cloud: Account, s3: Any, watch: Any, bucket: str, given: dict[str, Any], count: int) -> None:
    configure(s3, bucket, "some", given)
    s3.put_object(Bucket=bucket, Key="logs/a", Body=b"x", Tagging="team=a")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=a")
    s3.list_objects_v2(Bucket=bucket, Prefix="logs/")
    s3.list_objects_v2(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="logs/b", Body=b"x")
    cloud.advance(120)
    points = statistics(cloud, watch, "AllRequests", BucketName=bucket, FilterId="some")
    assert sum(point["Sum"] for point in points) == count


def test_nothing_is_counted_without_a_configuration(cloud: Account, s3: Any, watch: Any, bucket: str) -> None:
    configure(s3, bucket, "all")
    s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="all")
    cloud.advance(120)
    before = statistics(cloud, watch, "AllRequests", BucketName=bucket, FilterId="all")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    cloud.advance(120)
    assert statistics(cloud, watch, "AllRequests", BucketName=bucket, FilterId="all") == before


def test_storage_is_counted_every_day(
    cloud: Account, s3: Any, watch: Any, bucket: str, new_bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_metrics, "ROWS", 2)
    empty = new_bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"x" * 100)
    s3.put_object(Bucket=bucket, Key="a", Body=b"x" * 10)
    s3.put_object(Bucket=bucket, Key="b", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="b")
    s3.put_object(Bucket=bucket, Key="cold", Body=b"x" * 5, StorageClass="GLACIER")
    s3.put_object(Bucket=bucket, Key="small", Body=b"x" * 1072, StorageClass="STANDARD_IA")
    s3.put_object(Bucket=bucket, Key="tiered", Body=b"x" * 7, StorageClass="INTELLIGENT_TIERING")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="p", UploadId=upload, PartNumber=1, Body=b"x" * 1000)
    cloud.advance(DAY_S)
    cloud.advance(700)

    def size(kind: str, name: str = "BucketSizeBytes", bucket: str = bucket) -> float | None:
        points = statistics(cloud, watch, name, DAY_S, BucketName=bucket, StorageType=kind)
        assert all(point["Timestamp"].hour == point["Timestamp"].minute == 0 for point in points)
        return points[-1]["Average"] if points else None

    sizes = {
        "StandardStorage": 1111, "GlacierStorage": 5, "GlacierObjectOverhead": 32_768, "GlacierS3ObjectOverhead": 8192,
        "StandardIAStorage": 1072, "StandardIASizeOverhead": 130_000, "IntelligentTieringFAStorage": 7,
        "DeepArchiveStorage": None,
    }  # fmt: skip
    assert {kind: size(kind) for kind in sizes} == sizes
    assert size("AllStorageTypes", "NumberOfObjects") == 8
    assert size("AllStorageTypes", "NumberOfObjects", empty) is None


def test_a_day_that_is_long_gone(cloud: Account, s3: Any, watch: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    day = int(cloud.running.clock.now() // DAY_S) - 20
    counting = {"day": day, "bucket": "", "after": "", "sums": {}}
    transact(cloud, lambda ctx: ctx.later(storage_metrics.count_storage, counting))
    cloud.settle()
    metrics = watch.list_metrics(Namespace="AWS/S3", Dimensions=[{"Name": "BucketName", "Value": bucket}])
    assert metrics["Metrics"] == []
