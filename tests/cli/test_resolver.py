"""The names that `cumulo exec` answers itself."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.cli import resolver
from cumulo.gateway.hosts import Hosts


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize("name", ["sqs.us-east-1.amazonaws.com", "Bucket.s3.AMAZONAWS.com", "sqs.us-east-1.api.aws"])
def test_aws_names_have_our_address(name: str) -> None:
    reply = resolver.answer(query(name))
    assert reply is not None
    assert reply[:2] == b"\x12\x34"
    assert struct.unpack_from("!HHH", reply, 2) == (0x8580, 1, 1)
    assert socket.inet_ntoa(reply[-4:]) == resolver.AWS_ADDRESS


def test_only_an_address_record_exists() -> None:
    reply = resolver.answer(query("sqs.us-east-1.amazonaws.com", kind=28))
    assert reply is not None
    assert struct.unpack_from("!HHH", reply, 2) == (0x8580, 1, 0)


@pytest.mark.parametrize("name", ["example.com", "notamazonaws.com", "amazonaws.com.example.org", "com"])
def test_other_names_are_not_ours(name: str) -> None:
    assert resolver.answer(query(name)) is None


def test_excepted_names_keep_their_address() -> None:
    assert resolver.answer(query("a.s3.amazonaws.com"), excepted=("s3.amazonaws.com",)) is None
    assert resolver.answer(query("sqs.amazonaws.com"), excepted=("s3.amazonaws.com",)) is not None


@given(st.binary(max_size=600))
def test_any_bytes_are_safe(message: bytes) -> None:
    resolver.answer(message)


def test_every_name_led_here_is_let_in() -> None:
    ours = Hosts()
    assert all(ours.is_ours(f"some.{suffix}") for suffix in resolver.SUFFIXES)
