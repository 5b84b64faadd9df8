"""What a signature costs: `python bench/sigv4.py` prints microseconds of CPU for reading and verifying one request.

The request is SQS SendMessage over JSON as botocore signs it.
"""

import time
from collections.abc import Callable

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cumulo.wire import sigv4
from cumulo.wire.http import Headers, Request

BODY = b'{"QueueUrl": "http://localhost:4566/000000000000/orders", "MessageBody": "' + b"x" * 100 + b'"}'


def signed_request() -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Header fields and body of a SendMessage signed with test/test."""
    headers = {
        "X-Amz-Target": "AmazonSQS.SendMessage",
        "Content-Type": "application/x-amz-json-1.0",
        "User-Agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.7",
    }
    request = AWSRequest("POST", "http://localhost:4566/", headers=headers, data=BODY)
    SigV4Auth(Credentials("test", "test"), "sqs", "us-east-1").add_auth(request)
    fields = [(b"Host", b"localhost:4566")]
    fields += [(name.encode(), str(value).encode()) for name, value in request.headers.items()]
    return fields, BODY


def cpu_us(work: Callable[[], object], times: int = 20_000) -> float:
    """The least CPU of five runs, in microseconds a call."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - start) / times * 1e6)
    return best


def main() -> None:
    """Print the figures."""
    fields, body = signed_request()
    request = Request("POST", "/", Headers(fields), body=body)
    now = time.time()
    claim = sigv4.read(request)
    assert claim is not None
    sigv4.verify(request, claim, "test", now, "sqs")
    read = cpu_us(lambda: sigv4.read(request))
    verify = cpu_us(lambda: sigv4.verify(request, claim, "test", now, "sqs"))
    unsigned = cpu_us(lambda: sigv4.check_unsigned_parts(request, claim, now, "sqs"))
    print(
        f"read {read:.2f} µs, verify {verify:.2f} µs, together {read + verify:.2f} µs; unsigned parts {unsigned:.2f} µs"
    )


if __name__ == "__main__":
    main()
