"""How requests name a secret: by name, by its complete ARN, or by an ARN without the six random characters.

Source: Secrets Manager User Guide, "Finding a secret from a partial ARN".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulo.core.arns import Arn

NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
SUFFIX_LENGTH = 6
_COMPLETE = re.compile(r"(.+)-([A-Za-z0-9]{6})", re.DOTALL)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class SecretId(NamedTuple):
    """A secret as it was named. `account`, `region` and `suffix` are "" where the request left them out."""

    name: str
    suffix: str = ""
    account: str = ""
    region: str = ""

    @property
    def resource(self) -> str:
        """The name as an ARN writes it."""
        return f"{self.name}-{self.suffix}" if self.suffix else self.name


def parse(text: str) -> SecretId | None:
    """The secret that a SecretId names; None when it can name none.

    An ARN that ends with a hyphen and six characters is a complete one, whatever the secret's own name looks like.
    """
    if not text.startswith("arn:"):
        return SecretId(text) if NAME.fullmatch(text) else None
    try:
        arn = Arn.parse(text)
    except ValueError:
        return None
    kind, _, resource = arn.resource.partition(":")
    if arn.service != "secretsmanager" or kind != "secret" or not NAME.fullmatch(resource):
        return None
    complete = _COMPLETE.fullmatch(resource)
    name, suffix = complete.groups() if complete is not None else (resource, "")
    return SecretId(name, suffix, arn.account, arn.region)


def suffix(chance: bytes) -> str:
    """Six characters for a new secret's ARN, from at least six random bytes."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in chance[:SUFFIX_LENGTH])
