"""Calls of the running cloud's own API, for commands: JSON, signed as any client signs."""

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from typing import Any

from cumulo.cli import Refusal

TIMEOUT_S = 60


class Caller:
    """Calls a service whose protocol is JSON, with the keys of the environment, or as root with test/test."""

    def __init__(self, url: str, service: str, target: str, version: str) -> None:
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
        body = json.dumps(request).encode()
        signed = urllib.request.Request(self.url + "/", data=body, headers=self._headers(operation, body))
        try:
            with urllib.request.urlopen(signed, timeout=TIMEOUT_S) as answer:
                return "", json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                found: dict[str, Any] = json.loads(error.read() or b"{}")
            return str(found.get("__type", error.code)).rpartition("#")[2], found
        except OSError as error:
            raise Refusal(f"the cloud at {self.url} does not answer: {error}")

    def _headers(self, operation: str, body: bytes) -> dict[str, str]:
        """The headers of a call, signed. Source: IAM User Guide, "AWS Signature Version 4 for API requests"."""
        from cumulo.wire.sigv4 import signing_key

        now = time.gmtime()
        date = time.strftime("%Y%m%d", now)
        headers = {
            "content-type": f"application/x-amz-json-{self.version}",
            "host": self.url.partition("://")[2],
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", now),
            "x-amz-target": f"{self.target}.{operation}",
        }
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = sorted(headers)
        lines = "".join(f"{name}:{headers[name]}\n" for name in names)
        listed = ";".join(names)
        canonical = f"POST\n/\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{date}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
        key = signing_key(self.secret, date, self.region, self.service)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.key}/{scope}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={listed}, Signature={signature}"
        return headers
