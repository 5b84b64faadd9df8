"""Encryption of objects: under KMS keys, which decide who reads, and under keys of the customer."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.storage.s3.stored import sealed_bytes
from tests.conftest import Account, RunningCloud
from tests.services.storage.s3.conftest import refused

SECRET = b"a secret nobody may find at rest"
SIZES = (0, 40, 9000, 65_536, 65_537, 1_000_000)
KEY = os.urandom(32)


def body(size: int) -> bytes:
    return (SECRET * (size // len(SECRET) + 1))[:size]


def make_key(cloud: Account, *statements: dict[str, Any]) -> str:
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"}, "Action": "kms:*"}
    policy = {"Version": "2012-10-17", "Statement": [{**own, "Resource": "*"}, *statements]}
    return str(cloud.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"])


def kms_calls(cloud: Account) -> list[str]:
    journal = cloud.running.cloud.runtime.journal
    return [
        call.operation
        for call in list(journal._calls)
        if call.service == "kms" and call.account == cloud.account and call.operation in ("GenerateDataKey", "Decrypt")
    ]


def at_rest(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
@pytest.mark.parametrize("size", SIZES)
def test_objects_under_kms(cloud: Account, s3: Any, bucket: str, algorithm: str, size: int) -> None:
    key, data = make_key(cloud), body(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data, ServerSideEncryption=algorithm, SSEKMSKeyId=key)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == (algorithm, key)
    assert put["ETag"] != f'"{md5(data).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data and got["ContentLength"] == size
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == (algorithm, key)
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == key
    for begin, end in ((0, 1), (size // 2, size), (size - 1, size), (size // 3, size // 2 + 2)):
        if size > end - 1 >= begin:
            part = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={begin}-{end - 1}")["Body"].read()
            assert part == data[begin:end]


@pytest.mark.parametrize("how", ["kms", "customer"])
def test_nothing_of_it_is_at_rest(start_cloud: Callable[..., RunningCloud], tmp_path: Path, how: str) -> None:
    running = start_cloud(tmp_path)
    s3 = Account(running, "111122223333").client("s3")
    s3.create_bucket(Bucket="sealed")
    options: dict[str, Any] = {"ServerSideEncryption": "aws:kms"} if how == "kms" else customer(KEY)
    read = {} if how == "kms" else customer(KEY)
    for size in (100, 100_000):
        s3.put_object(Bucket="sealed", Key=str(size), Body=body(size), **options)
    s3.put_object(Bucket="sealed", Key="plain", Body=b"here it can be found")
    running.stop()
    kept = at_rest(tmp_path)
    assert b"here it can be found" in kept
    assert SECRET not in kept and KEY not in kept and b64encode(KEY) not in kept
    again = Account(start_cloud(tmp_path), "111122223333").client("s3")
    for size in (100, 100_000):
        assert again.get_object(Bucket="sealed", Key=str(size), **read)["Body"].read() == body(size)


def test_kms_is_asked_for_each_object_or_once_for_the_bucket(cloud: Account, s3: Any, bucket: str) -> None:
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": make_key(cloud)}
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="k", Body=SECRET, **options)
        s3.get_object(Bucket=bucket, Key="k")
    assert kms_calls(cloud) == ["GenerateDataKey", "Decrypt"] * 2
    s3.head_object(Bucket=bucket, Key="k")
    assert len(kms_calls(cloud)) == 4
    for _ in range(2):
        put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET, BucketKeyEnabled=True, **options)
        got = s3.get_object(Bucket=bucket, Key="k")
        assert put["BucketKeyEnabled"] is got["BucketKeyEnabled"] is True
        assert got["Body"].read() == SECRET
    assert kms_calls(cloud)[4:] == ["GenerateDataKey", "Decrypt"]
    cloud.advance(301)
    s3.get_object(Bucket=bucket, Key="k")
    assert kms_calls(cloud)[6:] == ["Decrypt"]


def test_the_encryption_context_names_the_object_or_the_bucket(cloud: Account, s3: Any, bucket: str) -> None:
    def only(arn: str) -> str:
        return make_key(
            cloud,
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringNotEquals": {"kms:EncryptionContext:aws:s3:arn": arn}},
            },
        )

    options = {"Bucket": bucket, "Body": SECRET, "ServerSideEncryption": "aws:kms"}
    key = only(f"arn:aws:s3:::{bucket}/a/b")
    s3.put_object(Key="a/b", SSEKMSKeyId=key, **options)
    with refused("AccessDenied", None, 403):
        s3.put_object(Key="c", SSEKMSKeyId=key, **options)
    key = only(f"arn:aws:s3:::{bucket}")
    s3.put_object(Key="c", SSEKMSKeyId=key, BucketKeyEnabled=True, **options)
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == SECRET


def test_a_context_of_the_caller(cloud: Account, s3: Any, bucket: str) -> None:
    context = b64encode(b'{"team": "shop"}').decode()
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSEncryptionContext": context}
    assert s3.put_object(Bucket=bucket, Key="k", Body=SECRET, **options)["SSEKMSEncryptionContext"] == context
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == SECRET
    for broken in ("no base64", b64encode(b"[]").decode()):
        with refused("InvalidArgument", None, ArgumentName="x-amz-server-side-encryption-context"):
            s3.put_object(Bucket=bucket, Key="k", **{**options, "SSEKMSEncryptionContext": broken})


@pytest.mark.parametrize("size", [100, 100_000])
def test_the_state_of_the_key_decides(cloud: Account, s3: Any, bucket: str, size: int) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    s3.put_object(Bucket=bucket, Key="k", Body=body(size), **options)
    kms.disable_key(KeyId=key)
    with refused("KMS.DisabledException", f"{key} is disabled."):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("KMS.DisabledException", f"{key} is disabled."):
        s3.put_object(Bucket=bucket, Key="k", Body=body(size), **options)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size
    kms.schedule_key_deletion(KeyId=key)
    with refused("KMS.KMSInvalidStateException", f"{key} is pending deletion."):
        s3.get_object(Bucket=bucket, Key="k")
    missing = "00000000-0000-0000-0000-000000000000"
    text = f"Key 'arn:aws:kms:us-east-1:{cloud.account}:key/{missing}' does not exist"
    with refused("KMS.NotFoundException", text):
        s3.put_object(Bucket=bucket, Key="k", Body=body(size), ServerSideEncryption="aws:kms", SSEKMSKeyId=missing)


def test_the_policy_of_the_key_decides(cloud: Account, s3: Any, bucket: str) -> None:
    reader = f"arn:aws:iam::{cloud.account}:user/reader"
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="s3", PolicyDocument=json.dumps(allowed))
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    other = cloud.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    key = make_key(cloud)
    s3.put_object(Bucket=bucket, Key="k", Body=SECRET, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3.put_object(Bucket=bucket, Key="plain", Body=SECRET)
    assert other.get_object(Bucket=bucket, Key="plain")["Body"].read() == SECRET
    assert other.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == key
    with refused("AccessDenied", None, 403):
        other.get_object(Bucket=bucket, Key="k")
    with refused("403", None, 403):
        other.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    allowed["Statement"].append(  # type: ignore[attr-defined]
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key,
            "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        }
    )
    iam.put_user_policy(UserName="reader", PolicyName="s3", PolicyDocument=json.dumps(allowed))
    assert other.get_object(Bucket=bucket, Key="k")["Body"].read() == SECRET
    with refused("AccessDenied", None, 403):
        other.put_object(Bucket=bucket, Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert reader


def test_the_bucket_s_default(cloud: Account, s3: Any, bucket: str) -> None:
    key = make_key(cloud)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key.rpartition("/")[2]}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET)
    assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == (key, True)
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["SSEKMSKeyId"], got["BucketKeyEnabled"]) == (key, True) and got["Body"].read() == SECRET
    put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET, BucketKeyEnabled=False)
    assert "BucketKeyEnabled" not in put and put["SSEKMSKeyId"] == key
    put = s3.put_object(Bucket=bucket, Key="k", Body=SECRET, ServerSideEncryption="AES256")
    assert put["ServerSideEncryption"] == "AES256" and "SSEKMSKeyId" not in put


def test_the_key_that_s3_makes_for_itself(cloud: Account, s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=body(100_000), ServerSideEncryption="aws:kms")
    managed = cloud.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert put["SSEKMSKeyId"] == managed["Arn"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body(100_000)


def test_what_no_request_may_say(s3: Any, bucket: str) -> None:
    field = "x-amz-server-side-encryption"
    text = f"Server Side Encryption with AWS KMS managed key requires HTTP header {field} : aws:kms"
    for asked in ({}, {"ServerSideEncryption": "AES256"}):
        with refused("InvalidArgument", text, ArgumentName=field):
            s3.put_object(Bucket=bucket, Key="k", SSEKMSKeyId="alias/aws/s3", **asked)
    text = "The encryption method specified is not supported"
    with refused("InvalidArgument", text, ArgumentName=field, ArgumentValue="aws:fsx"):
        s3.put_object(Bucket=bucket, Key="k", ServerSideEncryption="aws:fsx")
    text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
    with refused("InvalidArgument", text, ArgumentName=field, ArgumentValue="AES256"):
        s3.put_object(Bucket=bucket, Key="k", ServerSideEncryption="AES256", **customer(KEY))


# --- keys of the customer


def customer(key: bytes, **changed: str) -> dict[str, str]:
    digest = b64encode(md5(key).digest()).decode()
    given = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key.decode("latin-1"), "SSECustomerKeyMD5": digest}
    return {**given, "SSECustomerKey": b64encode(key).decode(), **changed}


@pytest.fixture
def plain(cloud: Account) -> Any:
    """A client that sends the three headers as they are given."""
    client = cloud.client("s3")
    for operation in ("PutObject", "GetObject", "HeadObject"):
        client.meta.events.unregister(f"before-parameter-build.s3.{operation}", _sse_md5())
    return client


def _sse_md5() -> Any:
    from botocore.handlers import sse_md5

    return sse_md5


@pytest.mark.parametrize("size", SIZES)
def test_objects_under_the_customer_s_key(plain: Any, bucket: str, size: int) -> None:
    data = body(size)
    put = plain.put_object(Bucket=bucket, Key="k", Body=data, **customer(KEY))
    digest = b64encode(md5(KEY).digest()).decode()
    assert (put["SSECustomerAlgorithm"], put["SSECustomerKeyMD5"]) == ("AES256", digest)
    assert "ServerSideEncryption" not in put
    got = plain.get_object(Bucket=bucket, Key="k", **customer(KEY))
    assert got["Body"].read() == data and got["SSECustomerKeyMD5"] == digest
    head = plain.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", **customer(KEY))
    assert head["ContentLength"] == size and head["ChecksumCRC32"]
    if size > 10:
        part = plain.get_object(Bucket=bucket, Key="k", Range=f"bytes=5-{size - 2}", **customer(KEY))
        assert part["Body"].read() == data[5 : size - 1]


def test_refusals_of_customers_keys(plain: Any, bucket: str) -> None:
    plain.put_object(Bucket=bucket, Key="k", Body=SECRET, **customer(KEY))
    plain.put_object(Bucket=bucket, Key="open", Body=SECRET)
    field = "x-amz-server-side-encryption"
    text = (
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
        "retrieve the object."
    )
    with refused("InvalidRequest", text):
        plain.get_object(Bucket=bucket, Key="k")
    with refused("400", "Bad Request"):
        plain.head_object(Bucket=bucket, Key="k")
    text = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
    with refused("AccessDenied", text, 403):
        plain.get_object(Bucket=bucket, Key="k", **customer(os.urandom(32)))
    with refused("403", "Forbidden", 403):
        plain.head_object(Bucket=bucket, Key="k", **customer(os.urandom(32)))
    without = {name: value for name, value in customer(KEY).items() if name != "SSECustomerKeyMD5"}
    with refused("AccessDenied", text, 403):
        plain.get_object(Bucket=bucket, Key="k", **without)
    text = "The Encryption request you specified is not valid. Supported value: AES256."
    with refused("InvalidEncryptionAlgorithmError", text, ArgumentName=field, ArgumentValue="KMS"):
        plain.get_object(Bucket=bucket, Key="k", **customer(KEY, SSECustomerAlgorithm="KMS"))
    text = "The secret key was invalid for the specified algorithm."
    with refused("InvalidArgument", text, ArgumentName=field):
        plain.get_object(Bucket=bucket, Key="k", **customer(b"short"))
    text = "The calculated MD5 hash of the key did not match the hash that was provided."
    with refused("InvalidArgument", text, ArgumentName=field):
        plain.get_object(Bucket=bucket, Key="k", **customer(KEY, SSECustomerKeyMD5="AAAAAAAAAAAAAAAAAAAAAA=="))
    with refused("InvalidRequest", "The encryption parameters are not applicable to this object."):
        plain.get_object(Bucket=bucket, Key="open", **customer(KEY))
    said = "Requests specifying Server Side Encryption with Customer provided keys must provide"
    for missing, rest in (
        ("SSECustomerAlgorithm", "a valid encryption algorithm."),
        ("SSECustomerKey", "an appropriate secret key."),
        ("SSECustomerKeyMD5", "the client calculated MD5 of the secret key."),
    ):
        given = {name: value for name, value in customer(KEY).items() if name != missing}
        with refused("InvalidArgument", f"{said} {rest}"):
            plain.put_object(Bucket=bucket, Key="k", **given)


# --- how bytes lie


@given(st.data(), st.sampled_from([0, 1, 100, 65_536, 65_537, 200_000]), st.sampled_from([32, 64]))
def test_any_range_opens(data: st.DataObject, size: int, key_size: int) -> None:
    key, plaintext = os.urandom(key_size), os.urandom(size)
    sealed = sealed_bytes.seal(key, os.urandom(8), plaintext)
    tags = ceil(size / sealed_bytes.CHUNK_B) * key_size // sealed_bytes.KEY_B
    assert len(sealed) == sealed_bytes.PREFIX_B + size + tags * sealed_bytes.TAG_B
    offset = data.draw(st.integers(0, size))
    count = data.draw(st.integers(0, size - offset))
    pieces = sealed_bytes.opened(key, size, offset, count, lambda at, n: sealed[at : at + n])
    assert b"".join(pieces) == plaintext[offset : offset + count]


@given(st.lists(st.binary(max_size=90_000), max_size=6))
def test_sealing_in_pieces_is_sealing_whole(pieces: list[bytes]) -> None:
    key, prefix = os.urandom(32), os.urandom(8)
    sealer = sealed_bytes.Sealer(key, prefix)
    out = [part for piece in pieces for part in sealer.update([piece])] + sealer.finish()
    assert b"".join(out) == sealed_bytes.seal(key, prefix, b"".join(pieces))


def test_damaged_bytes_do_not_open() -> None:
    key, plaintext = os.urandom(32), os.urandom(100_000)
    sealed = bytearray(sealed_bytes.seal(key, os.urandom(8), plaintext))
    sealed[70_000] ^= 1
    read = lambda at, n: bytes(sealed[at : at + n])  # noqa: E731
    assert b"".join(sealed_bytes.opened(key, 100_000, 0, 65_536, read)) == plaintext[:65_536]
    with pytest.raises(sealed_bytes.DamagedBytes):
        b"".join(sealed_bytes.opened(key, 100_000, 0, 100_000, read))


def test_a_sealed_object_is_queried_with_its_key(cloud: Account, plain: Any, bucket: str) -> None:
    pytest.importorskip("duckdb")
    question = {
        "Bucket": bucket,
        "ExpressionType": "SQL",
        "Expression": "SELECT s.b FROM S3Object s WHERE s.a = '2'",
        "InputSerialization": {"CSV": {"FileHeaderInfo": "USE"}},
        "OutputSerialization": {"CSV": {}},
    }
    plain.put_object(Bucket=bucket, Key="kms", Body=b"a,b\n1,x\n2,y\n", ServerSideEncryption="aws:kms")
    plain.put_object(Bucket=bucket, Key="own", Body=b"a,b\n1,x\n2,z\n", **customer(KEY))
    for key, secret, found in (("kms", {}, b"y\n"), ("own", customer(KEY), b"z\n")):
        events = plain.select_object_content(Key=key, **question, **secret)["Payload"]
        assert b"".join(event["Records"]["Payload"] for event in events if "Records" in event) == found
    with refused("InvalidRequest"):
        plain.select_object_content(Key="own", **question)
