"""HMAC-SHA256 that begins with what it hashed before."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire import macs


@given(st.binary(max_size=200), st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_it_is_the_standard_librarys(key: bytes, messages: list[bytes]) -> None:
    for message in messages:
        assert macs.hmac_sha256(key, message) == hmac.digest(key, message, "sha256").hex()
