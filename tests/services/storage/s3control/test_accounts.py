"""What belongs to an account: its public access block, tags by ARN, Storage Lens."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused


def test_the_public_access_block_of_an_account(cloud: Account, control: Any) -> None:
    account = cloud.account
    text = "The public access block configuration was not found"
    with refused("NoSuchPublicAccessBlockConfiguration", text, 404, AccountId=account):
        control.get_public_access_block(AccountId=account)
    with pytest.raises(ClientError) as caught:
        control.get_public_access_block(AccountId=account)
    assert "Type" not in caught.value.response["Error"]
    with refused("InvalidRequest", "Must specify at least one configuration."):
        control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={})
    given = {"BlockPublicAcls": True, "RestrictPublicBuckets": False}
    control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=given)
    found = control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
    assert found == {**given, "BlockPublicPolicy": False, "IgnorePublicAcls": False}
    for _ in range(2):
        answer = control.delete_public_access_block(AccountId=account)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchPublicAccessBlockConfiguration", text, 404):
        control.get_public_access_block(AccountId=account)
    with refused("AccessDenied", status=403):
        control.get_public_access_block(AccountId="999999999999")


def test_tags_of_a_bucket_by_its_arn(cloud: Account, control: Any, bucket: str) -> None:
    account, arn, s3 = cloud.account, f"arn:aws:s3:::{bucket}", cloud.client("s3")
    control.tag_resource(AccountId=account, ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    control.tag_resource(AccountId=account, ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    expected = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert control.list_tags_for_resource(AccountId=account, ResourceArn=arn)["Tags"] == expected
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == expected
    control.untag_resource(AccountId=account, ResourceArn=arn, TagKeys=["a"])
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == expected[1:]


def test_tags_of_access_points(cloud: Account, control: Any, bucket: str) -> None:
    answer = control.create_access_point(
        AccountId=cloud.account, Name="door", Bucket=bucket, Tags=[{"Key": "a", "Value": "1"}]
    )
    arn = answer["AccessPointArn"]
    control.tag_resource(AccountId=cloud.account, ResourceArn=arn, Tags=[{"Key": "b", "Value": ""}])
    found = control.list_tags_for_resource(AccountId=cloud.account, ResourceArn=arn)["Tags"]
    assert found == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]


def test_what_is_not_there_has_no_tags(cloud: Account, control: Any) -> None:
    for arn in (f"arn:aws:s3:::none-{cloud.account}", f"arn:aws:s3:us-east-1:{cloud.account}:accesspoint/none"):
        named = {"AccountId": cloud.account, "ResourceArn": arn}
        for call, more in (
            (control.list_tags_for_resource, {}),
            (control.tag_resource, {"Tags": [{"Key": "a", "Value": "1"}]}),
            (control.untag_resource, {"TagKeys": ["a"]}),
        ):
            with refused("NoSuchResource", "The specified resource doesn't exist.", 404):
                call(**named, **more)


INVALID = (
    "This request contains a tag key or value that isn't valid. Valid characters include the following: "
    "[a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters."
)


@pytest.mark.parametrize(
    ("tags", "code", "message"),
    [
        ([{"Key": "a,b", "Value": "x"}], "InvalidTag", INVALID),
        ([{"Key": "a", "Value": "x,y"}], "InvalidTag", INVALID),
        (
            [{"Key": "aws:a", "Value": "x"}],
            "InvalidTag",
            'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" '
            "from your tag keys and try again.",
        ),
        (
            [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
            "InvalidTag",
            "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.",
        ),
        (
            [{"Key": "a"}],
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
    ],
)
def test_tags_that_cannot_be(
    cloud: Account, control: Any, bucket: str, tags: list[dict[str, str]], code: str, message: str
) -> None:
    with refused(code, message):
        control.tag_resource(AccountId=cloud.account, ResourceArn=f"arn:aws:s3:::{bucket}", Tags=tags)


def test_storage_lens_configurations(cloud: Account, control: Any) -> None:
    account = cloud.account
    named = {"AccountId": account, "ConfigId": "mine"}
    configuration: dict[str, Any] = {
        "Id": "mine",
        "AccountLevel": {"ActivityMetrics": {"IsEnabled": True}, "BucketLevel": {}},
        "IsEnabled": True,
    }
    with refused("NoSuchConfiguration", status=404):
        control.get_storage_lens_configuration(**named)
    control.put_storage_lens_configuration(
        **named, StorageLensConfiguration=configuration, Tags=[{"Key": "a", "Value": "b"}]
    )
    found = control.get_storage_lens_configuration(**named)["StorageLensConfiguration"]
    arn = f"arn:aws:s3:us-east-1:{account}:storage-lens/mine"
    assert found == {**configuration, "StorageLensArn": arn}
    (listed,) = control.list_storage_lens_configurations(AccountId=account)["StorageLensConfigurationList"]
    assert listed == {"Id": "mine", "StorageLensArn": arn, "HomeRegion": "us-east-1", "IsEnabled": True}
    assert control.get_storage_lens_configuration_tagging(**named)["Tags"] == [{"Key": "a", "Value": "b"}]
    control.put_storage_lens_configuration_tagging(**named, Tags=[{"Key": "c", "Value": "d"}])
    assert control.get_storage_lens_configuration_tagging(**named)["Tags"] == [{"Key": "c", "Value": "d"}]
    control.delete_storage_lens_configuration_tagging(**named)
    assert control.get_storage_lens_configuration_tagging(**named).get("Tags", []) == []
    export = {"CloudWatchMetrics": {"IsEnabled": True}}
    with refused("NotImplemented", status=501):
        control.put_storage_lens_configuration(
            **named, StorageLensConfiguration={**configuration, "DataExport": export}
        )
    control.delete_storage_lens_configuration(**named)
    with refused("NoSuchConfiguration", status=404):
        control.get_storage_lens_configuration(**named)


def test_storage_lens_groups(cloud: Account, control: Any) -> None:
    account = cloud.account
    named = {"AccountId": account, "Name": "logs"}
    group = {"Name": "logs", "Filter": {"MatchAnyPrefix": ["logs/"]}}
    control.create_storage_lens_group(AccountId=account, StorageLensGroup=group, Tags=[{"Key": "a", "Value": "b"}])
    arn = f"arn:aws:s3:us-east-1:{account}:storage-lens-group/logs"
    assert control.get_storage_lens_group(**named)["StorageLensGroup"] == {**group, "StorageLensGroupArn": arn}
    assert control.list_tags_for_resource(AccountId=account, ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    with refused("MalformedXML"):
        both = {"MatchAnyPrefix": ["a"], "MatchAnySuffix": ["b"]}
        control.update_storage_lens_group(**named, StorageLensGroup={"Name": "logs", "Filter": both})
    changed = {"Name": "logs", "Filter": {"And": {"MatchAnyPrefix": ["a"], "MatchAnySuffix": ["b"]}}}
    control.update_storage_lens_group(**named, StorageLensGroup=changed)
    assert control.get_storage_lens_group(**named)["StorageLensGroup"]["Filter"] == changed["Filter"]
    (listed,) = control.list_storage_lens_groups(AccountId=account)["StorageLensGroupList"]
    assert listed["Name"] == "logs"
    control.delete_storage_lens_group(**named)
    with refused("NoSuchResource", status=404):
        control.get_storage_lens_group(**named)


OUTPOSTS = {
    "create_bucket": {"Bucket": "b"}, "delete_bucket": {"Bucket": "b"}, "get_bucket": {"Bucket": "b"},
    "get_bucket_policy": {"Bucket": "b"}, "get_bucket_tagging": {"Bucket": "b"}, "list_regional_buckets": {},
    "get_bucket_lifecycle_configuration": {"Bucket": "b"}, "get_bucket_versioning": {"Bucket": "b"},
    "put_bucket_lifecycle_configuration": {"Bucket": "b"}, "delete_bucket_policy": {"Bucket": "b"},
    "delete_bucket_lifecycle_configuration": {"Bucket": "b"}, "get_bucket_replication": {"Bucket": "b"},
    "delete_bucket_replication": {"Bucket": "b"}, "delete_bucket_tagging": {"Bucket": "b"},
}  # fmt: skip


@pytest.mark.parametrize("operation", OUTPOSTS)
def test_outposts_are_refused_by_name(cloud: Account, control: Any, operation: str) -> None:
    name = control.meta.method_to_api_mapping[operation]
    text = f"cumulo does not implement s3control:{name} yet. See: cumulo coverage s3control"
    given = {} if operation == "create_bucket" else {"AccountId": cloud.account}  # which the bucket's ARN tells there
    with refused("NotImplemented", text, 501):
        getattr(control, operation)(**given, **OUTPOSTS[operation])
