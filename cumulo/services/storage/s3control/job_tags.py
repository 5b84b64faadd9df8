"""Tags of batch operations' jobs.

Source: S3 User Guide, "Controlling access and labeling jobs using tags"; S3 API Reference, PutJobTagging: at most 50.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.tags import TAG_LIMIT
from cumulo.services.storage.s3control import tags
from cumulo.services.storage.s3control.errors import TOO_MANY_JOB_TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def checked(given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The tags as they are kept. Raises TooManyTagsException, InvalidTag."""
    if len(given) > TAG_LIMIT:
        raise TOO_MANY_JOB_TAGS()
    return tags.checked(given)
