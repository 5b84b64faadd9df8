"""Tags of secrets."""

from collections.abc import Callable
from typing import Any


def test_tags_are_added_changed_and_removed(client: Any, refused: Callable[..., Any]) -> None:
    client.create_secret(Name="s", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.tag_resource(SecretId="s", Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}])
    client.untag_resource(SecretId="s", TagKeys=["a", "nothing"])
    assert client.describe_secret(SecretId="s")["Tags"] == [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    assert refused(client.tag_resource, SecretId="s", Tags=many).code == "InvalidParameterException"
    reserved = [{"Key": "aws:a", "Value": ""}]
    assert refused(client.tag_resource, SecretId="s", Tags=reserved).code == "InvalidParameterException"
