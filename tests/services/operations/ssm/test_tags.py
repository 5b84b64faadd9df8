"""Tags of parameters."""

from collections.abc import Callable
from typing import Any


def test_tags(ssm: Any, put: Callable[..., Any], refused: Callable[..., Any]) -> None:
    put("/p", Tags=[{"Key": "a", "Value": "1"}])
    place = {"ResourceType": "Parameter", "ResourceId": "/p"}
    ssm.add_tags_to_resource(**place, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    assert ssm.list_tags_for_resource(**place)["TagList"] == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]
    ssm.remove_tags_from_resource(**place, TagKeys=["a"])
    assert ssm.list_tags_for_resource(**place)["TagList"] == [{"Key": "b", "Value": "3"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(ssm.add_tags_to_resource, **place, Tags=many).code == "TooManyTagsError"
    missing = {"ResourceType": "Parameter", "ResourceId": "/q"}
    assert refused(ssm.list_tags_for_resource, **missing).code == "InvalidResourceId"
