"""A client that signs as AWS's own do and then sends whatever bytes a test likes."""

import http.client
import socket
from typing import Any
from urllib.parse import urlencode

import cbor2
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

JSON = "application/x-amz-json-1.0"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
TARGETS = {"sqs": "AmazonSQS"}
VERSIONS = {"sqs": "2012-11-05", "sns": "2010-03-31", "sts": "2011-06-15"}
ROOT = Credentials("test", "test")


class Answer:
    """What came back: `code` is the error's, in whichever protocol; "" when it is none."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self) -> str:
        kind = self.headers.get("Content-Type", "")
        if self.status < 400:
            return ""
        if "X-Amzn-ErrorType" in self.headers:
            return str(self.headers["X-Amzn-ErrorType"]).partition(":")[0]
        if "json" in kind:
            return str(msgspec.json.decode(self.body)["__type"]).rpartition("#")[2]
        if "cbor" in kind:
            return str(cbor2.loads(self.body)["__type"]).rpartition("#")[2]
        return self.body.decode().partition("<Code>")[2].partition("</Code>")[0]

    def __repr__(self) -> str:
        return f"{self.status} {self.code} {self.body[:300]!r}"


def json_fields(operation: str, service: str = "sqs") -> dict[str, str]:
    return {"Content-Type": JSON, "X-Amz-Target": f"{TARGETS[service]}.{operation}"}


def form(service: str, operation: str, **parameters: str) -> bytes:
    return urlencode({"Action": operation, "Version": VERSIONS[service], **parameters}).encode()


def signed(
    service: str,
    body: bytes,
    fields: dict[str, str] | None = None,
    *,
    host: str,
    target: str = "/",
    method: str = "POST",
    credentials: Credentials = ROOT,
    signer: Any = SigV4Auth,
) -> tuple[str, str, dict[str, str], bytes]:
    """Method, target, header fields and body of a request with a good signature; query's form by default."""
    fields = {"Content-Type": FORM} if fields is None else fields
    request = AWSRequest(method, f"http://{host}{target}", headers=fields, data=body)
    signer(credentials, service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    target = prepared.url.partition(host)[2]
    return method, target, {"Host": host, **dict(prepared.headers.items())}, body


def written(method: str, target: str, fields: dict[str, str], body: bytes) -> bytes:
    """The bytes of a request."""
    if "Transfer-Encoding" not in fields:
        fields = fields | {"Content-Length": str(len(body))}
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in fields.items()]]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def read(connection: socket.socket, method: str = "POST") -> Answer | None:
    """The next answer; None when the server closes without one. A hang is a TimeoutError."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read())
    except (http.client.RemoteDisconnected, ConnectionError):
        return None
    finally:
        response.close()


def send(port: int, data: bytes, *, half_close: bool = False) -> Answer | None:
    """Send bytes on a connection of their own."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # refused before it was all sent; the answer is there
            pass
        return read(connection)
