"""The forms in which a function is named: its name, a partial ARN, the whole ARN, each with or without a qualifier.

Source: Lambda API Reference, "FunctionName" of every operation; the texts were observed in AWS's answers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.compute.lambda_.errors import QUALIFIER_MISMATCH, WRONG_REGION
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context

_FORMS = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>[a-zA-Z0-9$_.-]+))?"
)


class FunctionName(NamedTuple):
    """Which function, and which version or alias of it: "" for none named."""

    account: str
    region: str
    name: str
    qualifier: str

    @property
    def arn(self) -> str:
        """The ARN of what was named, with the qualifier if there is one."""
        return arn_of(*self)

    @property
    def function_arn(self) -> str:
        """The ARN of the function itself."""
        return arn_of(self.account, self.region, self.name)


@lru_cache(4096)
def _parts(text: str) -> tuple[str, str, str, str]:
    found = _FORMS.fullmatch(text)
    if found is None:  # the model's pattern came first: this is for callers that do not come over the wire
        return "", "", text, ""
    return found["account"] or "", found["region"] or "", found["name"], found["qualifier"] or ""


def read(ctx: Context, text: str, qualifier: str | None = None) -> FunctionName:
    """What a FunctionName and a Qualifier name together."""
    account, region, name, derived = _parts(text)
    if region and region != ctx.region:
        raise WRONG_REGION(given=region, region=ctx.region)
    if derived and qualifier and derived != qualifier:
        raise QUALIFIER_MISMATCH()
    return FunctionName(account or ctx.account, ctx.region, name, qualifier or derived)
