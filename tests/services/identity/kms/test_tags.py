"""Tags of keys."""

from typing import Any

from tests.services.identity.kms.conftest import refused

TAGS = [{"TagKey": f"tag{number}", "TagValue": f"value{number}"} for number in (1, 2, 3)]


def listed(kms: Any, key: str) -> list[Any]:
    return list(kms.list_resource_tags(KeyId=key)["Tags"])


def test_tags_come_and_go(kms: Any) -> None:
    key = kms.create_key(Tags=TAGS[:2])["KeyMetadata"]["KeyId"]
    assert listed(kms, key) == TAGS[:2]
    kms.tag_resource(KeyId=key, Tags=[TAGS[2], {"TagKey": "tag1", "TagValue": "new"}])
    assert listed(kms, key) == [{"TagKey": "tag1", "TagValue": "new"}, *TAGS[1:]]
    kms.untag_resource(KeyId=key, TagKeys=["tag2", "never there"])
    assert [tag["TagKey"] for tag in listed(kms, key)] == ["tag1", "tag3"]
    kms.untag_resource(KeyId=key, TagKeys=["tag1", "tag3"])
    assert listed(kms, key) == []


def test_pages(kms: Any) -> None:
    key = kms.create_key(Tags=TAGS)["KeyMetadata"]["KeyId"]
    first = kms.list_resource_tags(KeyId=key, Limit=2)
    assert first["Tags"] == TAGS[:2] and first["Truncated"]
    second = kms.list_resource_tags(KeyId=key, Limit=2, Marker=first["NextMarker"])
    assert second["Tags"] == TAGS[2:] and not second["Truncated"] and "NextMarker" not in second


def test_what_is_refused(kms: Any, key: str) -> None:
    for name in ("aws:key1", "AWS:key1"):
        with refused("TagException", "Tags beginning with aws: are reserved"):
            kms.create_key(Tags=[{"TagKey": name, "TagValue": "value"}])
    with refused("TagException", "Duplicate tag keys"):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])
    long = "a" * 129
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{long}' at 'tags.1.member.tagKey' failed to satisfy constraint: "
        "Member must have length less than or equal to 128",
    ):
        kms.create_key(Tags=[{"TagKey": long, "TagValue": "value"}])
    long = "v" * 257
    with refused(
        "ValidationException",
        f"1 validation error detected: Value '{long}' at 'tags.1.member.tagValue' failed to satisfy constraint: "
        "Member must have length less than or equal to 256",
    ):
        kms.create_key(Tags=[{"TagKey": "a", "TagValue": long}])
    with refused("TagException"):
        kms.tag_resource(KeyId=key, Tags=[{"TagKey": str(n), "TagValue": ""} for n in range(51)])
