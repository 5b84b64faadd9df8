"""What to do about a function that failed: AWS's errors say what is wrong, in AWS's words, and no more."""

import re
from typing import NamedTuple


class _Rule(NamedTuple):
    """A failure whose type and text match is answered with `advice`, into which the groups of the text go."""

    error_type: str
    text: str
    advice: str


_RULES = (
    _Rule(r".*ImportModuleError", r"Unable to import module '([^'/]+)[^']*': No module named '\1'",
          "the archive has no {0}.py at its top: pack what is in the folder, not the folder itself"),
    _Rule(r".*ImportModuleError", r"No module named 'boto3'", "pip install boto3 beside cumulo, or into the archive"),
    _Rule(r".*ImportModuleError", r"No module named '([^'.]+)",
          "pip install {0} --target the folder that is packed, or put it into a layer below python/"),
    _Rule(r".*ImportModuleError", r"cannot open shared object file|wrong ELF class|invalid ELF header|partially init",
          "a compiled module of the archive was built for another system, processor or version of Python:"
          " pip install --platform manylinux2014_x86_64 --only-binary=:all: --target its folder"),
    _Rule(r".*ImportModuleError", r"Cannot find (?:package|module) '(@aws-sdk/[^']+)'",
          "npm install {0} beside the handler: the AWS SDK for JavaScript is AWS's image's, and not here by itself"),
    _Rule(r".*ImportModuleError", r"Cannot find (?:package|module) '([^'/.][^']*)'",
          "npm install {0} beside the handler, or put it into a layer below nodejs/node_modules"),
    _Rule(r".*ImportModuleError", r"Cannot find module '([^']+)'",
          "the handler names a file of the archive and an export of it: index.handler is index.mjs or index.js"),
    _Rule(r".*HandlerNotFound", r"", "the handler is FILE.NAME: a file at the archive's top, and a function in it"),
    _Rule(r".*MalformedHandlerName", r"", "the handler is FILE.NAME: app.handler is the function `handler` of app.py"),
    _Rule(r"java\.lang\.ClassNotFoundException", r"", "classes lie at the top by their packages, jars in lib/"),
    _Rule(r".*InvalidEntrypoint", r"permission denied", "chmod +x bootstrap, and a packer that keeps modes"),
    _Rule(r".*InvalidEntrypoint", r"find valid bootstrap", "the archive needs an executable `bootstrap` at its top"),
    _Rule(r".*InvalidEntrypoint", r"no such file", "its first line (#!) names a program that is not here, or ends in a"
          " carriage return (dos2unix mends that); a binary may want another libc: link it statically"),
    _Rule(r".*InvalidEntrypoint", r"exec format error",
          "it is built for another processor than this machine's, or a script without #! in its first line"),
    _Rule(r"Sandbox\.Timedout", r"", "aws lambda update-function-configuration --timeout 30 gives it more time"),
    _Rule(r".*OutOfMemory", r"", "aws lambda update-function-configuration --memory-size 512 gives it more"),
    _Rule(r".*", r"AccessDenied|is not authorized to perform", "`cumulo why` says which policy is missing"),
    _Rule(r".*", r"Read-only file system", "a function writes below /tmp alone"),
    _Rule(r".*", r"Name or service not known|name resolution|ENOTFOUND|EAI_AGAIN|Could not resolve host",
          "functions reach this cloud and nothing else: docs/isolation.md"),
    _Rule(r".*(AccessDenied|Unauthorized).*", r"", "`cumulo why` says which policy is missing"),
)  # fmt: skip


def about(error_type: str, message: str) -> str:
    """What helps against this error of a function; "" when nothing general does."""
    for rule in _RULES:
        found = re.search(rule.text, message) if re.fullmatch(rule.error_type, error_type) else None
        if found is not None:
            return rule.advice.format(*found.groups())
    return ""
