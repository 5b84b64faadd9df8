"""Forms with files, in whatever pieces they come."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire.faults import Fault
from cumulo.wire.form_uploads import Form, FormReader

TYPE = "multipart/form-data; boundary=----WebKitFormBoundaryabc"
BODY = (
    b"preamble\r\n"
    b'------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="key"\r\n\r\nuser/${filename}\r\n'
    b'------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="Content-Type"\r\n\r\ntext/plain\r\n'
    b'------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="x-amz-meta-a"\r\n\r\n\xc3\xa9\r\n'
    b'------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="file"; filename="C:\\a \xc3\xa9.txt"\r\n'
    b"Content-Type: text/html\r\n\r\nhello\r\n--not the boundary\r\n\r\nworld\r\n"
    b'------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="late"\r\n\r\nignored\r\n'
    b"------WebKitFormBoundaryabc--\r\n"
)


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def read(body: bytes, size: int, content_type: str = TYPE) -> tuple[Form, bytes]:
    reader = FormReader(content_type, pieces(body, size))
    form = await reader.form()
    return form, b"".join([piece async for piece in reader])


@given(st.integers(1, len(BODY)))
def test_a_form_reads_the_same_in_any_pieces(size: int) -> None:
    form, file = asyncio.run(read(BODY, size))
    assert form.fields == {"key": "user/${filename}", "content-type": "text/plain", "x-amz-meta-a": "é"}
    assert (form.file_name, form.file_type) == ("C:\\a é.txt", "text/html")
    assert file == b"hello\r\n--not the boundary\r\n\r\nworld"


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_come_through(data: bytes, size: int) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + data + b"\r\n--b--\r\n"
    if b"\r\n--b" not in data:
        assert asyncio.run(read(body, size, "multipart/form-data;boundary=b"))[1] == data


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no form at all", "MalformedPOSTRequest"),
        (BODY[:300], "MalformedPOSTRequest"),
        (BODY[:470], "MalformedPOSTRequest"),
        (b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n--b--\r\n', "InvalidArgument"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n", "MalformedPOSTRequest"),
        (
            b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n' + b"a" * 21_000 + b"\r\n--b--\r\n",
            "MaxPostPreDataLengthExceededError",
        ),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, code: str) -> None:
    kind = TYPE if b"WebKit" in body else "multipart/form-data; boundary=b"
    with pytest.raises(Fault) as raised:
        asyncio.run(read(body, 7, kind))
    assert (raised.value.code, raised.value.status) == (code, 400)


def test_a_form_has_a_boundary() -> None:
    with pytest.raises(Fault, match="well-formed"):
        FormReader("multipart/form-data", pieces(b"", 1))
