"""Requests that no SDK makes: bodies in signed chunks, broken ones, ones that stop."""

from __future__ import annotations

import contextlib
import hmac
import http.client
import socket
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import Account

EMPTY = sha256(b"").hexdigest()


def status_at(cloud: Account, host: str, path: str) -> int:
    """The status of a GET under another host name, signed by the account's root."""
    request = AWSRequest("GET", f"http://{host}{path}", headers={"Host": host})
    S3SigV4Auth(Credentials(cloud.account, "test"), "s3", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"))
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    for name in ("X-Amz-Date", "X-Amz-Content-SHA256", "Authorization"):
        connection.putheader(name, request.headers[name])
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


class Answer:
    """What came back: the status, the header fields by lower-case names, the body."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        pairs = [line.partition(":") for line in lines[1:]]
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def code(self) -> str:
        """The code of an error document."""
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()

    @property
    def message(self) -> str:
        """Its text."""
        return self.body.partition(b"<Message>")[2].partition(b"</Message>")[0].decode()


class Signed:
    """A request signed by hand with the key `test`, whose secret the cloud knows."""

    def __init__(self, url: str, method: str, path: str, payload: str, key: str = "test", **headers: str) -> None:
        self.url = urlsplit(url)
        self.method, self.path = method, path
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        signed = AWSRequest(method, url + quote(path), headers={"x-amz-content-sha256": payload, **given})
        signer = S3SigV4Auth(Credentials(key, "test"), "s3", "us-east-1")
        signer.payload = lambda request: payload  # type: ignore[method-assign]
        signer.add_auth(signed)
        self.headers = dict(signed.headers.items())
        self.headers["X-Amz-Content-SHA256"] = payload
        self.signature = self.headers["Authorization"].rpartition("Signature=")[2]
        self.date = self.headers["X-Amz-Date"]
        self.last = self.signature

    def chunk(self, data: bytes) -> bytes:
        """The next chunk with its signature."""
        signature = self._sign("PAYLOAD", f"{EMPTY}\n{sha256(data).hexdigest()}")
        return b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), signature.encode(), data)

    def end(self, **trailers: str) -> bytes:
        """The last chunk, and the trailers with their signature."""
        last = self.chunk(b"")[:-2]
        if not trailers:
            return last + b"\r\n"
        block = "".join(f"{name.replace('_', '-')}:{value}\n" for name, value in sorted(trailers.items()))
        signature = self._sign("TRAILER", sha256(block.encode()).hexdigest())
        return last + block.replace("\n", "\r\n").encode() + f"x-amz-trailer-signature:{signature}\r\n\r\n".encode()

    def _sign(self, kind: str, rest: str) -> str:
        day = self.date[:8]
        key = b"AWS4test"
        for part in (day, "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        scope = f"{day}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256-{kind}\n{self.date}\n{scope}\n{self.last}\n{rest}"
        self.last = hmac.digest(key, text.encode(), "sha256").hex()
        return self.last

    def head(self, **more: str) -> bytes:
        """The head of the request."""
        fields = {**self.headers, "Host": self.url.netloc, **{k.replace("_", "-"): v for k, v in more.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{self.method} {quote(self.path)} HTTP/1.1\r\n{lines}\r\n".encode()

    def connect(self) -> socket.socket:
        """A connection to the cloud."""
        return socket.create_connection((self.url.hostname or "", self.url.port or 0), timeout=20)

    def send(self, body: bytes, *, length: int | None = None, **more: str) -> Answer:
        """Send it all on a connection of its own; the answer."""
        size = len(body) if length is None else length
        with self.connect() as connection:
            connection.sendall(self.head(Content_Length=str(size), Connection="close", **more))
            with contextlib.suppress(ConnectionError):  # refused before its end
                connection.sendall(body)
            return read(connection)


def read(connection: Any) -> Answer:
    """All that comes until the connection closes."""
    data = b""
    while piece := connection.recv(1 << 20):
        data += piece
    return Answer(data)
