"""What is said to who asks for a delete marker as if it were an object."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.parametrize(
    ("operation", "more", "method"),
    [
        ("get_object", {}, "GET"),
        ("get_object_attributes", {"ObjectAttributes": ["ETag"]}, "GET"),
        ("get_object_tagging", {}, "GET"),
        ("put_object_tagging", {"Tagging": {"TagSet": []}}, "PUT"),
        ("delete_object_tagging", {}, "DELETE"),
        ("restore_object", {"RestoreRequest": {"Days": 1}}, "POST"),
        ("put_object_annotation", {"AnnotationName": "a", "AnnotationPayload": b"a"}, "PUT"),
        (
            "update_object_encryption",
            {"ObjectEncryption": {"SSEKMS": {"KMSKeyArn": "arn:aws:kms:us-east-1:1:key/k"}}},
            "PUT",
        ),
    ],
)
def test_a_delete_marker_does_not_take_the_method(
    s3: Any, bucket: str, operation: str, more: dict[str, Any], method: str
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with pytest.raises(ClientError) as failed:
        getattr(s3, operation)(Bucket=bucket, Key="k", VersionId=marker, **more)
    error: Any = failed.value.response["Error"]
    assert (error["Code"], error["Method"], error["ResourceType"]) == ("MethodNotAllowed", method, "DeleteMarker")
