"""Calls of the running cloud's own API, for commands: signed as any client signs."""

import hashlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from cumulo.cli import Refusal

TIMEOUT_S = 60


class Answer(NamedTuple):
    """What came back; header fields by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Caller:
    """Calls a service with the keys of the environment, or as root with test/test.

    `target` and `version` are of services whose protocol is JSON (`call`); all others are asked with `request`.
    """

    def __init__(self, url: str, service: str, target: str = "", version: str = "") -> None:
        self.url = url
        self.service = service
        self.target = target
        self.version = version
        self.key = os.environ.get("AWS_ACCESS_KEY_ID") or "test"
        self.secret = os.environ.get("AWS_SECRET_ACCESS_KEY") or "test"
        self.token = os.environ.get("AWS_SESSION_TOKEN") or ""
        self.region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer, or a Refusal with the error's code and text."""
        code, answer = self.send(operation, request)
        if code:
            raise Refusal(f"{operation}: {code}: {answer.get('message', answer.get('Message', ''))}")
        return answer

    def send(self, operation: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The error's code ("" for none) and the answer."""
        headers = {
            "content-type": f"application/x-amz-json-{self.version}",
            "x-amz-target": f"{self.target}.{operation}",
        }
        answer = self.request("POST", "/", json.dumps(request).encode(), headers)
        found: dict[str, Any] = json.loads(answer.body or b"{}")
        if answer.status < 300:
            return "", found
        return str(found.get("__type", answer.status)).rpartition("#")[2], found

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Any answer of the service; a Refusal when there is none. `path` is percent-encoded, with its query."""
        signed = urllib.request.Request(
            self.url + path, data=body or None, headers=self._signed(method, path, body, headers or {}), method=method
        )
        try:
            with urllib.request.urlopen(signed, timeout=timeout_s) as answer:
                return Answer(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read())
        except OSError as error:
            raise Refusal(f"the cloud at {self.url} does not answer: {error}")

    def _signed(self, method: str, path: str, body: bytes, more: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request, signed. Source: IAM User Guide, "AWS Signature Version 4 for API requests"."""
        from cumulo.wire.canonical import paths, queries
        from cumulo.wire.macs import hmac_sha256
        from cumulo.wire.sigv4 import signing_key

        now = time.gmtime()
        date = time.strftime("%Y%m%d", now)
        headers = {
            **more,
            "host": self.url.partition("://")[2],
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", now),
        }
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = sorted(headers)
        lines = "".join(f"{name}:{headers[name]}\n" for name in names)
        listed = ";".join(names)
        place, _, query = path.partition("?")
        top = f"{method}\n{paths(place, single=False)[0]}\n{queries(query)[0]}"
        canonical = f"{top}\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
        signature = hmac_sha256(signing_key(self.secret, date, self.region, self.service), text.encode())
        credential = f"Credential={self.key}/{scope}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={listed}, Signature={signature}"
        return headers


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
