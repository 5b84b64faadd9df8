"""Credentials of functions that begin as copies: fetched anew by SDKs, as those of an init would end in its snapshot.

An SDK that finds these variables asks the environment that it is in, and again before what it got ends. As on AWS, a
function with SnapStart has neither AWS_ACCESS_KEY_ID nor its like.
Sources: AWS Lambda Developer Guide, "Working with Lambda environment variables"; AWS SDKs and Tools Reference Guide,
"Container credential provider".
"""

from __future__ import annotations

import datetime
import json
import secrets
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.engines.environments.api_connections import ApiConnection, Request
    from cumulo.engines.environments.builds import Build

PATH = "/2021-04-23/credentials"
_KEYS = {"AccessKeyId": "AWS_ACCESS_KEY_ID", "SecretAccessKey": "AWS_SECRET_ACCESS_KEY", "Token": "AWS_SESSION_TOKEN"}


class ContainerCredentials:
    """What one environment hands out."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._token = secrets.token_urlsafe(24)

    def variables(self, given: dict[str, str], host: str, port: int) -> dict[str, str]:
        """The variables with the place of the credentials instead of the credentials."""
        rest = {name: value for name, value in given.items() if name not in _KEYS.values()}
        place = {
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{host}:{port}{PATH}",
        }
        return {**rest, **place}

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """A request for them. The connection ends: a copy of the process must not go on with it."""
        given = request.headers.get(b"authorization", b"")
        if not compare_digest(given, self._token.encode()):
            connection.refuse(403, "Forbidden", "Invalid authorization token")
            return
        end = datetime.datetime.fromtimestamp(self._build.credentials_end_at, datetime.UTC)
        document = {member: self._build.variables[name] for member, name in _KEYS.items()}
        document["Expiration"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        connection.send(200, b"Connection: close\r\n", json.dumps(document).encode())
