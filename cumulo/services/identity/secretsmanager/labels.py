"""Which version a staging label is attached to: labels move, and AWSPREVIOUS follows AWSCURRENT.

Sources: Secrets Manager User Guide, "What's in a Secrets Manager secret?", "Version"; API Reference,
PutSecretValue and UpdateSecretVersionStage; answers of AWS.
"""

from __future__ import annotations

from collections.abc import Iterable

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
LIMIT = 20  # labels of one secret. Source: User Guide, "Secrets Manager quotas"

Stages = dict[str, str]
"""Version ids by label."""


def attach(stages: Stages, version_id: str, labels: Iterable[str]) -> Stages:
    """The labels after a new version took some: when that ends a rotation, AWSPENDING goes with it."""
    after = dict(stages)
    for label in labels:
        old = stages.get(CURRENT)
        if label == CURRENT and old is not None and old != version_id:
            after[PREVIOUS] = old
            if after.get(PENDING) == old:
                del after[PENDING]
        after[label] = version_id
    return after


def move(stages: Stages, label: str, to: str) -> Stages:
    """The labels after one was moved to a version; AWSPREVIOUS goes where AWSCURRENT was."""
    after = dict(stages)
    old = stages.get(label)
    if label == CURRENT and old is not None and old != to:
        after[PREVIOUS] = old
    after[label] = to
    return after


def remove(stages: Stages, label: str) -> Stages:
    """The labels without one."""
    return {name: version for name, version in stages.items() if name != label}
