"""`cumulo workbench`: the tables of a NoSQL Workbench model, made in a running cloud."""

import json
from pathlib import Path

import boto3

from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture

MODEL = {
    "ModelName": "Shop",
    "ModelMetadata": {"Author": "", "Version": "3.0"},
    "DataModel": [
        {
            "TableName": "Orders",
            "KeyAttributes": {
                "PartitionKey": {"AttributeName": "PK", "AttributeType": "S"},
                "SortKey": {"AttributeName": "SK", "AttributeType": "N"},
            },
            "NonKeyAttributes": [{"AttributeName": "kind", "AttributeType": "S"}],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "kinds",
                    "KeyAttributes": {"PartitionKey": {"AttributeName": "kind", "AttributeType": "S"}},
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]},
                }
            ],
            "TableData": [
                {"PK": {"S": "a"}, "SK": {"N": str(number)}, "kind": {"S": "k"}, "empty": {}} for number in range(30)
            ],
            "DataAccess": {"MySql": {}},
            "BillingMode": "PROVISIONED",
            "ProvisionedCapacitySettings": {
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                "AutoScalingRead": {},
                "AutoScalingWrite": {},
            },
        }
    ],
}


def test_a_model_is_made(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    model = tmp_path / "model.json"
    model.write_text(json.dumps(MODEL))
    refused = cumulo("workbench", str(model))
    assert refused.returncode != 0
    assert cumulo("start", "--detach").returncode == 0
    made = cumulo("workbench", str(model))
    assert (made.returncode, made.stdout) == (0, "Orders: made, 30 items\n"), made.stderr
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    dynamodb = boto3.client("dynamodb", endpoint_url=f"http://localhost:{cumulo.port}", **keys)
    assert dynamodb.scan(TableName="Orders")["Count"] == 30
    table = dynamodb.describe_table(TableName="Orders")["Table"]
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 30
    assert cumulo("workbench", str(model)).stdout == "Orders: there already\n"
    again = cumulo("workbench", str(model), "--replace", "--no-data")
    assert again.stdout == "Orders: made, 0 items\n", again.stderr
    assert dynamodb.scan(TableName="Orders")["Count"] == 0
    dynamodb.close()


def test_what_is_no_model(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    other = tmp_path / "other.json"
    other.write_text('{"DataModel": [{"TableName": "x"}]}')
    refused = cumulo("workbench", str(other))
    assert (refused.returncode, "no model of NoSQL Workbench" in refused.stderr) == (2, True)
    assert cumulo("workbench", str(tmp_path / "missing.json")).returncode == 2
