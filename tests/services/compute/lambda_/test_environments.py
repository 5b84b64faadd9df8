"""Environment variables: limits, reserved names, and a key that seals them."""

from cumulo.services.compute.lambda_.stored import versions
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused
from tests.services.compute.lambda_.test_build import build_of

INVALID = "InvalidParameterValueException"


def test_four_kilobytes_fit(create: Create) -> None:
    fits = {"LARGE_VAR": "x" * (4096 - len('{"LARGE_VAR":""}'))}
    assert create(Environment={"Variables": fits})["Environment"]["Variables"] == fits
    large = "x" * 4080
    refused(
        lambda: create("other", Environment={"Variables": {"SMALL_VAR": "ok", "LARGE_VAR": large}}),
        INVALID,
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        f'exceeded the 4KB limit. String measured: {{"SMALL_VAR":"ok","LARGE_VAR":"{large}"}}',
    )


def test_names_that_are_lambdas_own(create: Create) -> None:
    refused(
        lambda: create(Environment={"Variables": {"AWS_REGION": "x", "MINE": "y", "LAMBDA_TASK_ROOT": "z"}}),
        INVALID,
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
        "AWS_REGION, LAMBDA_TASK_ROOT",
    )
    assert refused(lambda: create(Environment={"Variables": {"1ST": "x"}}))["Error"]["Code"] == "ValidationException"


def _record(cloud: Account) -> versions.Version:
    async def found() -> versions.Version | None:
        ctx = cloud.running.cloud.runtime.internal_context("lambda", "Test", cloud.account, "us-east-1")
        return await ctx.transact(lambda ctx: versions.of(ctx, cloud.account, "us-east-1", "greeter"))

    version: versions.Version = cloud.running.run(found())
    return version


def test_variables_are_sealed_under_the_key(cloud: Account, create: Create) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    made = create(KMSKeyArn=key, Environment={"Variables": {"SECRET": "hidden words"}})
    assert (made["KMSKeyArn"], made["Environment"]) == (key, {"Variables": {"SECRET": "hidden words"}})
    record = _record(cloud)
    assert record.variables == {}
    assert b"hidden words" not in record.variables_sealed
    (grant,) = kms.list_grants(KeyId=key)["Grants"]
    assert grant["GranteePrincipal"] == f"arn:aws:iam::{cloud.account}:role/worker"
    assert build_of(cloud, "greeter").variables["SECRET"] == "hidden words"

    client = cloud.client("lambda")
    open_again = client.update_function_configuration(FunctionName="greeter", KMSKeyArn="")
    assert "KMSKeyArn" not in open_again
    assert open_again["Environment"] == {"Variables": {"SECRET": "hidden words"}}
    assert _record(cloud).variables == {"SECRET": "hidden words"}
    assert kms.list_grants(KeyId=key)["Grants"] == []


def test_who_may_not_use_the_key_sees_an_error_in_place_of_the_variables(cloud: Account, create: Create) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    create(KMSKeyArn=key, Environment={"Variables": {"SECRET": "hidden"}})
    kms.disable_key(KeyId=key)
    shown = cloud.client("lambda").get_function_configuration(FunctionName="greeter")["Environment"]
    assert "Variables" not in shown
    assert shown["Error"]["ErrorCode"] == "DisabledException"


def test_a_key_that_is_not_there(cloud: Account, create: Create) -> None:
    missing = f"arn:aws:kms:us-east-1:{cloud.account}:key/00000000-0000-0000-0000-000000000000"
    error = refused(lambda: create(KMSKeyArn=missing, Environment={"Variables": {"AB": "c"}}))["Error"]
    assert error["Code"] == INVALID
    assert "environment variables because the KMS key is invalid for CreateGrant." in error["Message"]
    assert "KMS Exception: NotFoundException" in error["Message"]
