"""When objects of intelligent tiering were read, by which they are moved between its tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.storage.s3.stored import archives, versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

DAY_S = 86_400


def note(ctx: Context, version: ObjectVersion) -> None:
    """Remember, once a day, that an object of intelligent tiering was read."""
    if version.storage_class == archives.TIERING and version.accessed_at + DAY_S <= ctx.now():
        version.accessed_at = ctx.now()
        versions.update(ctx, version)
