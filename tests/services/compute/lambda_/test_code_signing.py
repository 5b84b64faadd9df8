"""Code signing configurations, and what they do to code without a signature."""

from typing import Any

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of

PROFILE = "arn:aws:signer:us-east-1:111122223333:/signing-profiles/ours/0123456789"
PUBLISHERS = {"SigningProfileVersionArns": [PROFILE]}


def _config(cloud: Account, policy: str) -> dict[str, Any]:
    client = cloud.client("lambda")
    found: dict[str, Any] = client.create_code_signing_config(
        AllowedPublishers=PUBLISHERS, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
    )["CodeSigningConfig"]
    return found


def test_a_configuration_is_made_changed_and_deleted(cloud: Account) -> None:
    client = cloud.client("lambda")
    made = client.create_code_signing_config(AllowedPublishers=PUBLISHERS, Tags={"team": "shop"})["CodeSigningConfig"]
    arn = made["CodeSigningConfigArn"]
    assert arn.endswith(f":code-signing-config:{made['CodeSigningConfigId']}")
    assert made["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
    assert made["AllowedPublishers"] == PUBLISHERS
    assert client.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == made
    assert client.list_code_signing_configs()["CodeSigningConfigs"] == [made]
    changed = client.update_code_signing_config(
        CodeSigningConfigArn=arn,
        Description="strict",
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]
    assert (changed["Description"], changed["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]) == (
        "strict",
        "Enforce",
    )
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "shop"}
    client.tag_resource(Resource=arn, Tags={"stage": "test"})
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "shop", "stage": "test"}
    client.delete_code_signing_config(CodeSigningConfigArn=arn)
    error = refused(lambda: client.get_code_signing_config(CodeSigningConfigArn=arn))
    assert error["Error"]["Code"] == "CodeSigningConfigNotFoundException"


def test_code_without_a_signature_is_refused_when_that_is_enforced(cloud: Account, create: Create) -> None:
    strict = _config(cloud, "Enforce")["CodeSigningConfigArn"]
    client = cloud.client("lambda")
    text = (
        "The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code "
        "signing policy is set to ENFORCE. Lambda blocks the deployment."
    )
    refused(lambda: create(CodeSigningConfigArn=strict), "CodeVerificationFailedException", text)
    create(CodeSigningConfigArn=_config(cloud, "Warn")["CodeSigningConfigArn"])
    client.put_function_code_signing_config(FunctionName="greeter", CodeSigningConfigArn=strict)
    assert client.get_function_code_signing_config(FunctionName="greeter")["CodeSigningConfigArn"] == strict
    arns = client.list_functions_by_code_signing_config(CodeSigningConfigArn=strict)["FunctionArns"]
    assert [arn.rpartition(":")[2] for arn in arns] == ["greeter"]
    code = zip_of({"index.py": "unsigned = True"})
    refused(
        lambda: client.update_function_code(FunctionName="greeter", ZipFile=code),
        "CodeVerificationFailedException",
        text,
    )
    error = refused(lambda: client.delete_code_signing_config(CodeSigningConfigArn=strict))
    assert error["Error"]["Code"] == "ResourceConflictException"
    client.delete_function_code_signing_config(FunctionName="greeter")
    assert client.get_function_code_signing_config(FunctionName="greeter")["CodeSigningConfigArn"] == ""
    client.update_function_code(FunctionName="greeter", ZipFile=code)


def test_a_configuration_must_be_there(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    missing = f"arn:aws:lambda:us-east-1:{cloud.account}:code-signing-config:csc-{'0' * 17}"
    error = refused(
        lambda: client.put_function_code_signing_config(FunctionName="greeter", CodeSigningConfigArn=missing)
    )
    assert error["Error"]["Code"] == "CodeSigningConfigNotFoundException"
