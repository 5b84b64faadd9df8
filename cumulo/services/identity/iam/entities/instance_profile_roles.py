"""The records of instance profiles: a name under which machines get a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import ACCOUNT, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class InstanceProfile(Record):
    """One instance profile; `role` is the key of its role, "" while it has none."""

    name: str
    path: str
    profile_id: str
    arn: str
    created_at: float
    role: str = ""
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


INSTANCE_PROFILES = Table(
    InstanceProfile, name="iam.instance_profiles", key="key", scope=ACCOUNT, indexes={"by_role": ("role",)}
)


def profiles_of(ctx: Context, role: str) -> list[InstanceProfile]:
    """The instance profiles that hold the role with this key."""
    return INSTANCE_PROFILES.range(ctx, role, index="by_role")
