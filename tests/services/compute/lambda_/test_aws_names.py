"""Functions that name AWS's own hosts reach this cloud, over TLS that they trust."""

import json

import pytest

from cumulo.engines.sandboxes.probe import abilities
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_hostile_functions import invoke
from tests.services.compute.lambda_.test_invocations import Create

CODE = """
import os, socket, ssl

def handshake(context, name):
    with context.wrap_socket(socket.create_connection((name, 443)), server_hostname=name) as made:
        return bool(made.getpeercert())

def names(name):
    try:
        return sorted({each[4][0] for each in socket.getaddrinfo(name, 443)})
    except socket.gaierror as error:
        return error.errno

def handler(event, context):
    import boto3
    os.environ.pop("AWS_ENDPOINT_URL")
    real = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
    plain = boto3.client("sts", endpoint_url="http://sts.amazonaws.com")
    bundles = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
    trusted = [ssl.create_default_context(cafile=file) for file in bundles if os.path.exists(file)]
    return {
        "names": [names("sqs.us-east-1.amazonaws.com"), names("example.com"), names("localhost")],
        "real": real.get_caller_identity()["Arn"],
        "plain": plain.get_caller_identity()["Arn"],
        "without": boto3.client("sts").get_caller_identity()["Arn"],
        "system": [handshake(context, "s3.amazonaws.com") for context in trusted],
    }
"""


@pytest.mark.skipif("net" not in abilities().namespaces, reason="functions have no network of their own here")
def test_aws_by_its_own_names(cloud: Account, create: Create) -> None:
    let(cloud)
    create("caller", Code={"ZipFile": zip_of({"index.py": CODE})}, Timeout=20)
    document = invoke(cloud, "caller")["document"]
    assert document["names"] == [["127.65.87.83"], -2, ["127.0.0.1"]], json.dumps(document)
    assert all(document["system"])
    for way in ("real", "plain", "without"):
        assert document[way].startswith(f"arn:aws:sts::{cloud.account}:assumed-role/worker/caller")
