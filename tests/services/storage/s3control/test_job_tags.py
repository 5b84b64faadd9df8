"""The tags of batch operations' jobs."""

from __future__ import annotations

from typing import Any

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3control.test_jobs import Batch

TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]


def test_tags_of_a_job(cloud: Account, control: Any) -> None:
    batch = Batch(cloud)
    batch.allow("s3:*")
    operation = {"S3PutObjectTagging": {"TagSet": TAGS}}
    job = batch.create(operation, Manifest=batch.manifest("in/001"), Tags=TAGS[:1])
    named = {"AccountId": cloud.account, "JobId": job}
    assert control.get_job_tagging(**named)["Tags"] == TAGS[:1]
    control.put_job_tagging(**named, Tags=TAGS)
    assert control.get_job_tagging(**named)["Tags"] == TAGS
    with refused("TooManyTagsException"):
        control.put_job_tagging(**named, Tags=[{"Key": str(number), "Value": ""} for number in range(51)])
    with refused("InvalidTag"):
        control.put_job_tagging(**named, Tags=[{"Key": "aws:a", "Value": ""}])
    control.delete_job_tagging(**named)
    assert control.get_job_tagging(**named)["Tags"] == []
    for call in (control.get_job_tagging, control.delete_job_tagging):
        with refused("NotFoundException", status=404):
            call(AccountId=cloud.account, JobId="none")
