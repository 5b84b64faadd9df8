"""Whatever botocore signs verifies; whatever is changed afterwards does not."""

from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.wire import canonical, sigv4
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from tests.wire.signing import NOW, SECRET, TOKEN, request, sign

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), max_size=12)
segments = st.lists(
    st.one_of(text, st.sampled_from([".", "..", "", "a b", "ü+ö", "%2F", "(x)*!'", "~-_."])), max_size=5
)
params = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8), text, max_size=5
)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
header_names = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=12).map("x-test-".__add__)
headers = st.dictionaries(header_names, header_values, max_size=4)
bodies = st.binary(max_size=64)
tokens = st.sampled_from([None, TOKEN])
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])


def url_of(parts: list[str], port: str = ":4566") -> str:
    return f"http://localhost{port}/" + "/".join(quote(part, safe="~.") for part in parts)


def check(arrived: Request, now: float = NOW, secret: str = SECRET) -> None:
    claim = sigv4.read(arrived)
    assert claim is not None
    sigv4.verify(arrived, claim, secret, now)


@settings(max_examples=150, deadline=None)
@given(methods, segments, params, headers, bodies, tokens)
def test_what_botocore_signs_in_a_header_verifies(method, parts, query, fields, body, token) -> None:
    check(sign(SigV4Auth, method, url_of(parts), params=query, headers=fields, body=body, token=token))


@settings(max_examples=150, deadline=None)
@given(methods, segments, params, headers, bodies, tokens)
def test_what_botocore_signs_for_s3_verifies(method, parts, query, fields, body, token) -> None:
    check(sign(S3SigV4Auth, method, url_of(parts), params=query, headers=fields, body=body, token=token, service="s3"))


@settings(max_examples=100, deadline=None)
@given(segments, params, headers, tokens)
def test_what_botocore_presigns_verifies(parts, query, fields, token) -> None:
    for signer, service in ((SigV4QueryAuth, "sqs"), (S3SigV4QueryAuth, "s3")):
        url = url_of(parts) + ("?" + "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items()) if query else "")
        arrived = sign(signer, "GET", url, headers=fields, token=token, service=service, expires_s=600)
        claim = sigv4.read(arrived)
        assert claim is not None
        assert claim.presigned
        assert claim.expires_s == 600
        assert claim.session_token == (token or "")
        check(arrived, NOW + 599)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    bit %= len(data) * 8
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def forms(arrived: Request, single: bool) -> tuple[list[str], list[str]]:
    return canonical.paths(arrived.path, single), canonical.queries(arrived.query, ("X-Amz-Signature",))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["method", "target", "header", "body", "signature"]),
    st.integers(0, 10_000),
    segments,
    params,
    st.sampled_from([(SigV4Auth, "sqs"), (S3SigV4Auth, "s3"), (SigV4QueryAuth, "sqs"), (S3SigV4QueryAuth, "s3")]),
)
def test_a_single_changed_bit_is_found(part, bit, parts, query, kind) -> None:
    signer, service = kind
    presigns = "Query" in signer.__name__
    url = url_of(parts)
    if presigns and query:
        url += "?" + "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items())
    arrived = sign(
        signer,
        "POST",
        url,
        params={} if presigns else query,
        headers={"x-test": "some value"},
        body=b"" if presigns else b"the body",
        service=service,
        **({"expires_s": 60} if presigns else {}),
    )
    check(arrived)
    method, target, raw, body = arrived.method, arrived.target, list(arrived.headers.raw), arrived.body
    if part == "method":
        method = flipped(method.encode("latin-1"), bit).decode("latin-1")
    elif part == "target":
        target = flipped(target.encode("latin-1"), bit).decode("latin-1")
    elif part == "header":
        at = next(at for at, (name, _) in enumerate(raw) if name.lower() == b"x-test")
        raw[at] = (raw[at][0], flipped(raw[at][1], bit))
    elif part == "body":
        if presigns:
            return
        body = flipped(body, bit)
    elif presigns:
        before, _, rest = target.partition("X-Amz-Signature=")
        target = f"{before}X-Amz-Signature={flipped(rest.encode(), bit % 512).decode('latin-1')}"
    else:
        at = next(at for at, (name, _) in enumerate(raw) if name.lower() == b"authorization")
        value = raw[at][1]
        raw[at] = (raw[at][0], value[:-64] + flipped(value[-64:], bit))
    changed = Request(method, target, Headers(raw), body=body, scheme=arrived.scheme)
    # Clients of Python fold every kind of blank before they sign, the no-break space too: to them it is the same text.
    if part == "header" and changed.headers.get("x-test").split() == arrived.headers.get("x-test").split():
        return
    try:
        claim = sigv4.read(changed)
    except Fault:
        return
    if claim is None:
        return
    try:
        sigv4.verify(changed, claim, SECRET, NOW)
    except Fault:
        return
    # Another spelling of the same path and query has the same canonical form, for AWS too.
    assert part == "target"
    for before, after in zip(forms(arrived, service == "s3"), forms(changed, service == "s3"), strict=True):
        assert set(before) & set(after), "a changed request verified"


def test_paths_as_the_sdks_sign_them() -> None:
    # Go does not normalise, botocore and JavaScript do, S3 never.
    assert "/a/b/d/" in canonical.paths("/a/./b//c/../d/", False)
    assert "/a/./b//c/../d/" in canonical.paths("/a/./b//c/../d/", False)
    assert canonical.paths("/a/./b//c/../d/", True) == ["/a/./b//c/../d/"]
    assert canonical.paths("/k%C3%BC/a%20b", True) == ["/k%C3%BC/a%20b"]
    assert canonical.paths("/k%C3%BC/a%20b", False)[0] == "/k%25C3%25BC/a%2520b"
    assert canonical.paths("/f(1)", False)[:2] == ["/f%281%29", "/f%25281%2529"]
    assert canonical.paths("/f(1)", True) == ["/f(1)", "/f%281%29"]
    assert canonical.paths("", False) == canonical.paths("/", True) == ["/"]


def test_queries_sort_by_name_and_then_value() -> None:
    assert canonical.queries("b=2&a=2&a=1&a-b=0") == ["a=1&a=2&a-b=0&b=2"]
    assert canonical.queries("lifecycle") == ["lifecycle="]
    assert canonical.queries("a=b+c") == ["a=b+c", "a=b%20c", "a=b%2Bc"]
    assert canonical.queries("X-Amz-Signature=1&z=1", ("X-Amz-Signature",)) == ["z=1"]


@pytest.mark.parametrize("value", ["a  b   c", "a\t b", "  a b  "])
def test_blanks_in_header_values_fold(value: str) -> None:
    check(sign(SigV4Auth, "POST", "http://localhost:4566/", headers={"x-note": value}))


def test_latin_1_and_utf_8_header_values() -> None:
    check(sign(SigV4Auth, "POST", "http://localhost:4566/", headers={"x-note": "caf\xe9 \xc3\xa0!"}))
    as_utf_8 = sign(SigV4Auth, "POST", "http://localhost:4566/", headers={"x-note": "café"})
    raw = [(n, "café".encode() if n == b"x-note" else v) for n, v in as_utf_8.headers.raw]
    check(Request("POST", "/", Headers(raw)))


def test_repeated_headers_are_joined() -> None:
    signed = sign(SigV4Auth, "POST", "http://localhost:4566/", headers={"x-note": "one,two"})
    raw = [pair for pair in signed.headers.raw if pair[0] != b"x-note"]
    check(Request("POST", "/", Headers([*raw, (b"x-note", b"one"), (b"X-Note", b"two")])))


def test_default_ports_may_be_named_in_host() -> None:
    signed = sign(SigV4Auth, "POST", "https://sqs.us-east-1.amazonaws.com/")
    raw = [(n, v + b":443" if n.lower() == b"host" else v) for n, v in signed.headers.raw]
    check(Request("POST", "/", Headers(raw), scheme="https"))


def test_http_2_has_an_authority_instead_of_a_host() -> None:
    signed = sign(SigV4Auth, "POST", "http://localhost:4566/")
    raw = [(b":authority" if n.lower() == b"host" else n, v) for n, v in signed.headers.raw]
    check(Request("POST", "/", Headers(raw), http_version="2"))


def test_a_token_added_after_presigning() -> None:
    signed = sign(SigV4QueryAuth, "GET", "http://localhost:4566/mqtt", service="iotdevicegateway", expires_s=60)
    arrived = Request("GET", f"{signed.target}&X-Amz-Security-Token=abc%2Fdef", signed.headers)
    claim = sigv4.read(arrived)
    assert claim is not None
    assert claim.session_token == "abc/def"
    check(arrived)


def test_the_date_header_alone_is_enough() -> None:
    signed = sign(SigV4Auth, "POST", "http://localhost:4566/", headers={"Date": "old"})
    assert signed.headers.get("date")
    check(signed)


def test_unsigned_payload_is_part_of_the_signature() -> None:
    signed = sign(
        S3SigV4Auth, "PUT", "https://b.s3.amazonaws.com/k", body=b"x", service="s3",
        context={"client_config": type("C", (), {"s3": {"payload_signing_enabled": False}})()},
    )  # fmt: skip
    assert signed.headers.get("x-amz-content-sha256") == "UNSIGNED-PAYLOAD"
    check(signed)
    check(Request("PUT", "/k", signed.headers, body=b"other", scheme="https"))


def test_anonymous_requests_make_no_claim() -> None:
    assert sigv4.read(request("GET", "/", [("Host", "localhost")])) is None
    assert sigv4.read(request("GET", "/?Signature=me&X-Amz-Meta=1", [("Host", "localhost")])) is None


def test_local_keys_are_checked_for_all_but_the_secret() -> None:
    signed = sign(SigV4Auth, "POST", "http://localhost:4566/", body=b"x", secret="who knows")
    claim = sigv4.read(signed)
    assert claim is not None
    sigv4.check_unsigned_parts(signed, claim, NOW, "sqs", signing_name="sqs")
    with pytest.raises(Fault, match="Signature expired"):
        sigv4.check_unsigned_parts(signed, claim, NOW + 901, "sqs")
    with pytest.raises(Fault, match="scoped to correct service: 'sns'"):
        sigv4.check_unsigned_parts(signed, claim, NOW, "sns", signing_name="sns")
