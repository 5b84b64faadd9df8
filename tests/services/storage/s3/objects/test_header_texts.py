"""User metadata beyond ASCII."""

from __future__ import annotations

from email.header import decode_header, make_header
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.storage.s3.objects import header_texts


def test_what_aws_was_seen_to_answer() -> None:
    assert header_texts.encode("non-ascii-%E2%80%94_—_é_") == "=?UTF-8?Q?non-ascii-%E2%80%94=5F=E2=80=94=5F=C3=A9=5F?="
    assert header_texts.encode("\ufffda\ufffd") == "=?UTF-8?B?77+9Ye+/vQ==?="
    assert header_texts.encode("plain = text?") == "plain = text?"


def test_encoded_words_are_read() -> None:
    assert header_texts.decode("=?UTF-8?Q?non=5Fascii_=E2=80=94?=") == "non_ascii —"
    assert header_texts.decode("=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=") == "éé"
    assert header_texts.decode("=?no-such-charset?q?x?=") == "=?no-such-charset?q?x?="
    assert header_texts.decode("=?UTF-8?B?_?=") == "=?UTF-8?B?_?="


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=200))
def test_any_text_comes_back(text: str) -> None:
    encoded = header_texts.encode(text)
    assert encoded.isascii()
    if encoded != text:
        assert header_texts.decode(encoded) == text
        assert str(make_header(decode_header(encoded))) == text
        assert all(len(word) <= 75 for word in encoded.split(" "))


def test_metadata_beyond_ascii_is_kept_as_text(s3: Any, bucket: str) -> None:
    import urllib.request

    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k", "Metadata": {"foo": "x"}})
    assert "x-amz-meta-foo" in url
    sent = urllib.request.Request(
        s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}), data=b"", method="PUT"
    )
    urllib.request.urlopen(sent).close()
    s3.put_object(Bucket=bucket, Key="k", Metadata={"foo": "=?UTF-8?B?4oCU?="})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"foo": "=?UTF-8?B?4oCU?="}
