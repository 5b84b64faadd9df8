"""The form of ciphertexts, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.identity.kms import ciphertexts
from cumulo.services.identity.kms.ciphertexts import Header, additional_data, read, write_header

KEY_IDS = st.uuids().map(str) | st.uuids().map(lambda uuid: f"mrk-{uuid.hex}")
HEADERS = st.builds(
    Header,
    st.integers(0, 10**12 - 1).map("{:012d}".format),
    st.sampled_from(["us-east-1", "eu-west-3", "us-gov-west-1", "cn-north-1"]),
    KEY_IDS,
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)
CONTEXTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5)


@given(HEADERS, st.binary(min_size=12, max_size=12), st.binary(min_size=16, max_size=64))
def test_what_is_written_is_read(header: Header, nonce: bytes, body: bytes) -> None:
    head = write_header(header)
    assert read(head + nonce + body) == ciphertexts.Ciphertext(header, head, nonce, body)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_a_value_error(blob: bytes) -> None:
    with pytest.raises(ValueError):
        read(blob)


@given(st.binary(max_size=200))
def test_broken_blobs_never_raise_anything_else(rest: bytes) -> None:
    try:
        found = read(ciphertexts.MAGIC + rest)
    except ValueError:
        return
    assert write_header(found.header) == found.head


@given(HEADERS, st.data())
def test_a_cut_blob_is_none(header: Header, data: st.DataObject) -> None:
    blob = write_header(header) + bytes(12 + 16)
    with pytest.raises(ValueError):
        read(blob[: data.draw(st.integers(0, len(blob) - 1))])


@given(CONTEXTS, CONTEXTS)
def test_contexts_are_told_apart_and_their_order_is_not(one: dict[str, str], two: dict[str, str]) -> None:
    same = additional_data(b"h", one) == additional_data(b"h", two)
    assert same == (one == two)
    assert additional_data(b"h", one) == additional_data(b"h", dict(reversed(one.items())))
