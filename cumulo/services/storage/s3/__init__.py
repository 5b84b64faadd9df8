"""Amazon Simple Storage Service: buckets, objects, their versions and their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.runtime import Runtime


def install(runtime: Runtime) -> None:
    """Let S3 Control's jobs do what S3's API has no operation for; called when the service is loaded."""
    from cumulo.core.s3 import jobs
    from cumulo.services.storage.s3.objects import object_checksums
    from cumulo.services.storage.s3.replication import existing_objects

    jobs.offer(runtime, jobs.Hand(existing_objects.replicate, existing_objects.find, object_checksums.compute))
