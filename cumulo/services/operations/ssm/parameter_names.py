"""Names of parameters, their ARNs, hierarchies and selectors. Pure.

Sources: Systems Manager User Guide, "Requirements and constraints for parameter names", "Working with parameter
versions", "Working with parameter labels"; answers of AWS.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulo.core.arns import Arn
from cumulo.services.operations.ssm.errors import (
    INVALID_NAME,
    INVALID_PATH,
    NOT_QUALIFIED,
    RESERVED,
    TOO_DEEP,
    VALIDATION,
)

DEEPEST = 15
LONGEST_ARN = 1011  # characters, of the name and the rest of the ARN
PUBLIC = "/aws/service/"
SECRETS = "/aws/reference/secretsmanager/"

_NAME = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_NAMES_SECRET = re.compile(r"/aws/reference/secretsmanager/[A-Za-z0-9/_+=.@!-]+")
_PATH = re.compile(r"/|(/[A-Za-z0-9_.-]+)+/?")


class Reference(NamedTuple):
    """A parameter as a request names it.

    `names` are those it may mean: an ARN does not tell `/x` from `x`. `selector` is a version or a label, "" for
    the latest version. `account` and `region` are "" unless an ARN said them.
    """

    names: tuple[str, ...]
    selector: str = ""
    account: str = ""
    region: str = ""

    @property
    def name(self) -> str:
        """The name as it is shown."""
        return self.names[0]


def arn(partition: str, region: str, account: str, name: str) -> str:
    """The ARN of a parameter: a name that is no path gets a slash, too. Public ones belong to no account."""
    owner = "" if name.startswith(PUBLIC) else account
    return f"arn:{partition}:ssm:{region}:{owner}:parameter/{name.removeprefix('/')}"


def parse(text: str) -> Reference:
    """What a name or ARN with or without a selector means. ValidationException when it means nothing."""
    text = text.strip()
    if text.startswith("arn:"):
        return _parse_arn(text)
    name, _, selector = text.partition(":")
    if ":" in selector or not _readable(name):
        raise INVALID_NAME()
    return Reference((name,), selector)


def _readable(name: str) -> bool:
    if name.startswith(SECRETS):
        return _NAMES_SECRET.fullmatch(name) is not None
    return _NAME.fullmatch(name) is not None and ("/" not in name or name.startswith("/"))


def _parse_arn(text: str) -> Reference:
    try:
        found = Arn.parse(text)
    except ValueError:
        raise INVALID_NAME() from None
    path, _, selector = found.resource.removeprefix("parameter").partition(":")
    if found.service != "ssm" or not found.resource.startswith("parameter/") or not _readable(path) or ":" in selector:
        raise INVALID_NAME()
    names = (path,) if path.count("/") > 1 else (path[1:], path)
    return Reference(names, selector, found.account, found.region)


def check_new(name: str) -> str:
    """The name of a parameter to be put. ValidationException and others for what no parameter may be called."""
    name = name.strip()
    if "/" in name and not name.startswith("/"):
        raise NOT_QUALIFIED()
    first = name.removeprefix("/").lower()
    if first.startswith("aws"):
        raise RESERVED(name=name)
    if first.startswith("ssm") or not _NAME.fullmatch(name):
        raise INVALID_NAME()
    if name.count("/") > DEEPEST:
        raise TOO_DEEP()
    return name


def check_length(arn: str) -> None:
    """ValidationException when a name makes the ARN too long."""
    if len(arn) > LONGEST_ARN:
        raise VALIDATION(f"The parameter name, with its ARN, can have at most {LONGEST_ARN} characters.")


def check_path(path: str) -> str:
    """A path without its last slash, "" for the root. ValidationException when it is none."""
    path = path.strip()
    if not _PATH.fullmatch(path) or path.count("/") > DEEPEST + 1:
        raise INVALID_PATH()
    return path.removesuffix("/")


def under(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a parameter lies in a path: at any depth, or directly. Names without a slash lie in the root."""
    rest = name.removeprefix("/") if not path else name.removeprefix(path + "/")
    if path and rest == name:
        return False
    return recursive or "/" not in rest


def bounds(path: str) -> tuple[tuple[str], tuple[str]] | tuple[None, None]:
    """The first name of a path and the first after it, in the order of names."""
    return ((path + "/",), (path + "0",)) if path else (None, None)  # "0" follows "/"
