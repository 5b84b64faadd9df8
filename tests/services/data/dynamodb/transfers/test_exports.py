"""Exports to S3 and imports from it: the files, the manifests, the states."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import INVALID, attributes, definition, index, invalid, keys, refused

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from backports import zstd


@pytest.fixture
def s3(cloud: Account) -> Any:
    """With a bucket of the account's own."""
    client = cloud.client("s3")
    client.create_bucket(Bucket=bucket(cloud))
    return client


def bucket(cloud: Account) -> str:
    return f"exports-{cloud.account}"


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    """With a table that has point-in-time recovery."""
    client = cloud.client("dynamodb")
    client.create_table(**definition())
    cloud.settle()
    wanted = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=wanted)
    return client


def put(dynamodb: Any, name: str, **more: Any) -> None:
    dynamodb.put_item(TableName="orders", Item={"id": {"S": name}, **more})


def export(cloud: Account, dynamodb: Any, **options: Any) -> dict[str, Any]:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    options.setdefault("S3Bucket", bucket(cloud))
    made: dict[str, Any] = dynamodb.export_table_to_point_in_time(TableArn=arn, **options)["ExportDescription"]
    return made


def ended(cloud: Account, dynamodb: Any, made: dict[str, Any]) -> dict[str, Any]:
    cloud.settle()
    found: dict[str, Any] = dynamodb.describe_export(ExportArn=made["ExportArn"])["ExportDescription"]
    return found


def read(s3: Any, cloud: Account, key: str) -> bytes:
    data: bytes = s3.get_object(Bucket=bucket(cloud), Key=key)["Body"].read()
    return data


def lines(s3: Any, cloud: Account, done: dict[str, Any]) -> list[dict[str, Any]]:
    """What the data files of an export hold, found by its manifests."""
    summary = json.loads(read(s3, cloud, done["ExportManifest"]))
    found: list[dict[str, Any]] = []
    for entry in read(s3, cloud, summary["manifestFilesS3Key"]).splitlines():
        file = json.loads(entry)
        data = read(s3, cloud, file["dataFileS3Key"])
        assert base64.b64decode(file["md5Checksum"]).hex() == hashlib.md5(data).hexdigest() == file["etag"]
        read_lines = [json.loads(line) for line in gzip.decompress(data).splitlines()]
        assert len(read_lines) == file["itemCount"]
        found += read_lines
    return found


def test_a_full_export(cloud: Account, dynamodb: Any, s3: Any) -> None:
    put(dynamodb, "a", data={"B": b"\x00\x01"}, count={"N": "3"})
    put(dynamodb, "b", list={"L": [{"S": "x"}, {"NULL": True}]})
    made = export(cloud, dynamodb, S3Prefix="daily")
    assert (made["ExportStatus"], made["ExportFormat"], made["S3SseAlgorithm"]) == (
        "IN_PROGRESS",
        "DYNAMODB_JSON",
        "AES256",
    )
    assert not {"ItemCount", "ExportManifest", "EndTime", "ExportType"} & set(made)
    done = ended(cloud, dynamodb, made)
    assert (done["ExportStatus"], done["ItemCount"]) == ("COMPLETED", 2)
    export_id = made["ExportArn"].rpartition("/")[2]
    assert done["ExportManifest"] == f"daily/AWSDynamoDB/{export_id}/manifest-summary.json"
    items = {line["Item"]["id"]["S"]: line["Item"] for line in lines(s3, cloud, done)}
    assert items["a"] == {"id": {"S": "a"}, "data": {"B": "AAE="}, "count": {"N": "3"}}
    summary = json.loads(read(s3, cloud, done["ExportManifest"]))
    assert (summary["version"], summary["exportArn"], summary["itemCount"]) == ("2020-06-30", made["ExportArn"], 2)
    assert (summary["outputFormat"], summary["s3SseKmsKeyId"]) == ("DYNAMODB_JSON", None)
    names = {entry["Key"].rpartition("/")[2] for entry in s3.list_objects_v2(Bucket=bucket(cloud))["Contents"]}
    assert {"_started", "manifest-summary.checksum", "manifest-files.checksum", "manifest-files.json"} <= names
    checksum = read(s3, cloud, done["ExportManifest"].replace(".json", ".checksum")).decode()
    assert checksum == hashlib.md5(read(s3, cloud, done["ExportManifest"])).hexdigest()
    listed = dynamodb.list_exports(TableArn=done["TableArn"])["ExportSummaries"]
    assert listed == [{"ExportArn": made["ExportArn"], "ExportStatus": "COMPLETED", "ExportType": "FULL_EXPORT"}]


def test_a_filtered_export(cloud: Account, dynamodb: Any, s3: Any) -> None:
    for number, name in enumerate("abc"):
        put(dynamodb, name, count={"N": str(number)}, data={"B": bytes([number])}, more={"S": "x"})

    def exported(**specification: Any) -> list[Any]:
        done = ended(cloud, dynamodb, export(cloud, dynamodb, FilterSpecification=specification))
        assert done["FilterSpecification"] == specification
        found = [line["Item"] for line in lines(s3, cloud, done)]
        assert done["ItemCount"] == len(found)
        return sorted(found, key=lambda item: item["id"]["S"])

    one, two = {":v": {"N": "1"}}, {":v": {"B": b"\x02"}}
    names = {"#c": "count"}
    found = exported(FilterExpression="#c >= :v", ExpressionAttributeNames=names, ExpressionAttributeValues=one)
    assert [item["id"]["S"] for item in found] == ["b", "c"]
    found = exported(
        FilterExpression="#d = :v",
        ProjectionExpression="id, #d",
        ExpressionAttributeNames={"#d": "data"},
        ExpressionAttributeValues=two,
    )
    assert found == [{"id": {"S": "c"}, "data": {"B": "Ag=="}}]
    found = exported(KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": {"S": "b"}})
    assert [item["count"]["N"] for item in found] == ["1"]
    key = {":v": {"S": "b"}}
    for wrong in (
        {"FilterExpression": "id ="},
        {"FilterExpression": "id = :v"},
        {"KeyConditionExpression": "more = :v", "ExpressionAttributeValues": key},
        {"KeyConditionExpression": "id = :v", "FilterExpression": "id <> :v", "ExpressionAttributeValues": key},
        {"ExpressionAttributeNames": {"#x": "id"}},
    ):
        with refused("ValidationException"):
            export(cloud, dynamodb, FilterSpecification=wrong)


def test_an_export_is_of_its_time(cloud: Account, dynamodb: Any, s3: Any) -> None:
    put(dynamodb, "a", value={"N": "1"})
    cloud.advance(10)
    when = int(cloud.running.clock.now())
    cloud.advance(10)
    put(dynamodb, "a", value={"N": "2"})
    put(dynamodb, "b")
    done = ended(cloud, dynamodb, export(cloud, dynamodb, ExportTime=when))
    assert [line["Item"]["value"] for line in lines(s3, cloud, done)] == [{"N": "1"}]


def test_an_incremental_export_has_each_change_once(cloud: Account, dynamodb: Any, s3: Any) -> None:
    put(dynamodb, "changed", value={"N": "1"})
    put(dynamodb, "removed")
    put(dynamodb, "same")
    cloud.advance(60)
    begin = int(cloud.running.clock.now())
    cloud.advance(60)
    put(dynamodb, "changed", value={"N": "2"})
    put(dynamodb, "changed", value={"N": "3"})
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "removed"}})
    put(dynamodb, "new")
    put(dynamodb, "gone")
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "gone"}})
    cloud.advance(900)
    end = int(cloud.running.clock.now())
    cloud.advance(60)
    put(dynamodb, "changed", value={"N": "4"})
    window = {"ExportFromTime": begin, "ExportToTime": end}
    made = export(cloud, dynamodb, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)
    assert made["ExportType"] == "INCREMENTAL_EXPORT"
    done = ended(cloud, dynamodb, made)
    found = {line["Keys"]["id"]["S"]: line for line in lines(s3, cloud, done)}
    assert set(found) == {"changed", "removed", "new"}
    assert found["changed"]["OldImage"]["value"] == {"N": "1"}
    assert found["changed"]["NewImage"]["value"] == {"N": "3"}
    assert "NewImage" not in found["removed"]
    assert "OldImage" not in found["new"]
    written = int(found["new"]["Metadata"]["WriteTimestampMicros"]["N"]) / 1e6
    assert begin < written < end
    summary = json.loads(read(s3, cloud, done["ExportManifest"]))
    assert (summary["outputView"], summary["exportType"]) == ("NEW_AND_OLD_IMAGES", "INCREMENTAL_EXPORT")


def test_tokens(cloud: Account, dynamodb: Any, s3: Any) -> None:
    first = export(cloud, dynamodb, ClientToken="once")
    assert export(cloud, dynamodb, ClientToken="once")["ExportArn"] == first["ExportArn"]
    text = "Export conflict: Duplicate request detected with conflicting parameters"
    with refused("ExportConflictException", text):
        export(cloud, dynamodb, ClientToken="once", S3Prefix="other")
    ended(cloud, dynamodb, first)


def test_a_bucket_that_is_not_there_fails_the_job(cloud: Account, dynamodb: Any) -> None:
    done = ended(cloud, dynamodb, export(cloud, dynamodb, S3Bucket="nowhere-to-be-found"))
    assert (done["ExportStatus"], done["FailureCode"]) == ("FAILED", "S3NoSuchBucket")


def test_what_exports_refuse(cloud: Account, dynamodb: Any) -> None:
    arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
    window = {"ExportFromTime": int(cloud.running.clock.now()) + 1}
    with invalid(
        "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"
    ):
        export(cloud, dynamodb, ExportType="INCREMENTAL_EXPORT")
    with invalid("Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"):
        export(cloud, dynamodb, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification={})
    with invalid(
        "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"
    ):
        export(cloud, dynamodb, ExportType="FULL_EXPORT", IncrementalExportSpecification=window)
    with refused("InvalidExportTimeException"):
        export(cloud, dynamodb, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)
    with invalid("Invalid Request: KMS Key Id is not supported for this encryption type"):
        export(cloud, dynamodb, S3SseKmsKeyId="alias/mine")
    with invalid(f"{INVALID}tableArn is not a valid ARN"):
        dynamodb.export_table_to_point_in_time(TableArn="orders", S3Bucket="some-bucket")
    missing = arn.replace("orders", "others")
    with refused("TableNotFoundException", f"Table not found: {missing}"):
        dynamodb.export_table_to_point_in_time(TableArn=missing, S3Bucket="some-bucket")
    with refused("InvalidExportTimeException", "Export Time is invalid"):
        export(cloud, dynamodb, ExportTime=1)
    with refused("ExportNotFoundException", f"Export not found: Export not found: {arn}/export/01-0a"):
        dynamodb.describe_export(ExportArn=f"{arn}/export/01-0a")
    with invalid("Invalid Export ARN"):
        dynamodb.describe_export(ExportArn=arn)
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    with refused("PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'orders'"):
        export(cloud, dynamodb)


def run_import(cloud: Account, dynamodb: Any, prefix: str, kind: str, **options: Any) -> dict[str, Any]:
    wanted = definition("copy", **options.pop("table", {}))
    made = dynamodb.import_table(
        S3BucketSource={"S3Bucket": options.pop("bucket", bucket(cloud)), "S3KeyPrefix": prefix},
        InputFormat=kind,
        TableCreationParameters=wanted,
        **options,
    )["ImportTableDescription"]
    assert made["ImportStatus"] == "IN_PROGRESS"
    cloud.settle()
    done: dict[str, Any] = dynamodb.describe_import(ImportArn=made["ImportArn"])["ImportTableDescription"]
    return done


def scanned(dynamodb: Any, table: str = "copy") -> dict[str, Any]:
    return {item["id"]["S"]: item for item in dynamodb.scan(TableName=table)["Items"]}


def test_what_was_exported_is_imported(cloud: Account, dynamodb: Any, s3: Any) -> None:
    put(dynamodb, "a", data={"B": b"\x00\x01"}, tags={"SS": ["x", "y"]})
    put(dynamodb, "b", nested={"M": {"n": {"N": "1.5"}}})
    made = ended(cloud, dynamodb, export(cloud, dynamodb))
    folder = made["ExportManifest"].replace("manifest-summary.json", "data/")
    done = run_import(cloud, dynamodb, folder, "DYNAMODB_JSON", InputCompressionType="GZIP")
    assert (done["ImportStatus"], done["ImportedItemCount"], done["ErrorCount"]) == ("COMPLETED", 2, 0)
    assert scanned(dynamodb) == scanned(dynamodb, "orders")
    (listed,) = dynamodb.list_imports()["ImportSummaryList"]
    assert (listed["ImportArn"], listed["ImportStatus"]) == (done["ImportArn"], "COMPLETED")


def test_csv_has_the_types_of_the_keys(cloud: Account, dynamodb: Any, s3: Any) -> None:
    text = 'id,at,text\na,1,"one, ""quoted"""\nb,2,two\nbad,no number,three\nshort,3\n'
    s3.put_object(Bucket=bucket(cloud), Key="csv/1.csv.zst", Body=zstd.compress(text.encode()))
    table = {
        "AttributeDefinitions": attributes("id", "at:N"),
        "KeySchema": keys("id"),
        "GlobalSecondaryIndexes": [index("by_at", "at")],
    }
    done = run_import(cloud, dynamodb, "csv/", "CSV", InputCompressionType="ZSTD", table=table)
    assert (done["ProcessedItemCount"], done["ImportedItemCount"], done["ErrorCount"]) == (4, 2, 2)
    assert (done["ImportStatus"], done["FailureCode"]) == ("FAILED", "ItemValidationError")
    assert done["FailureMessage"] == (
        "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more "
        "details."
    )
    assert scanned(dynamodb)["a"] == {"id": {"S": "a"}, "at": {"N": "1"}, "text": {"S": 'one, "quoted"'}}
    described = dynamodb.describe_table(TableName="copy")["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == 2


def test_csv_with_a_header_of_its_own(cloud: Account, dynamodb: Any, s3: Any) -> None:
    s3.put_object(Bucket=bucket(cloud), Key="csv/1", Body=b"a;1\nb;2\n")
    options = {"Csv": {"Delimiter": ";", "HeaderList": ["id", "value"]}}
    done = run_import(cloud, dynamodb, "csv/", "CSV", InputFormatOptions=options)
    assert done["ImportStatus"] == "COMPLETED"
    assert scanned(dynamodb)["b"] == {"id": {"S": "b"}, "value": {"S": "2"}}


def test_bad_lines_are_counted_and_the_others_kept(cloud: Account, dynamodb: Any, s3: Any) -> None:
    text = b'{"Item":{"id":{"S":"a"}}}\nnonsense\n{"Item":{"other":{"S":"b"}}}\n{"Item":{"id":{"S":"c"}}}\n'
    s3.put_object(Bucket=bucket(cloud), Key="data/1.json", Body=text)
    done = run_import(cloud, dynamodb, "data", "DYNAMODB_JSON")
    assert (done["ImportStatus"], done["ImportedItemCount"], done["ErrorCount"]) == ("FAILED", 2, 2)
    assert set(scanned(dynamodb)) == {"a", "c"}


def test_an_import_of_nothing_is_an_empty_table(cloud: Account, dynamodb: Any, s3: Any) -> None:
    done = run_import(cloud, dynamodb, "nothing/", "DYNAMODB_JSON")
    assert (done["ImportStatus"], done["ProcessedItemCount"]) == ("COMPLETED", 0)
    assert scanned(dynamodb) == {}


def test_what_imports_refuse(cloud: Account, dynamodb: Any, s3: Any) -> None:
    done = run_import(cloud, dynamodb, "x", "DYNAMODB_JSON", bucket="nowhere-to-be-found")
    assert (done["ImportStatus"], done["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    assert "copy" not in dynamodb.list_tables()["TableNames"]
    with invalid("Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON."):
        run_import(cloud, dynamodb, "x", "DYNAMODB_JSON", InputFormatOptions={"Csv": {"Delimiter": ";"}})
    with refused("ResourceInUseException", "Table already exists: orders"):
        run_import(cloud, dynamodb, "x", "CSV", table={"TableName": "orders"})
    with invalid("Invalid Import ARN"):
        dynamodb.describe_import(ImportArn=done["TableArn"])
    missing = done["ImportArn"][:-8] + "00000000"
    with refused("ImportNotFoundException"):
        dynamodb.describe_import(ImportArn=missing)
