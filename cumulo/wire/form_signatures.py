"""The signature of a browser's upload form: of its policy, in Version 4 or 2.

Source: S3 API Reference, "Authenticating requests in browser-based uploads using POST (AWS Signature Version 4)";
S3 User Guide, "Browser-based uploads using POST (AWS signature version 2)".
"""

import hmac
from collections.abc import Mapping

from cumulo.wire import signature_faults as faults
from cumulo.wire import sigv2, sigv4
from cumulo.wire.claims import ALGORITHM, Claim
from cumulo.wire.faults import Fault
from cumulo.wire.signature_dates import timestamp_of

_VERSION_4 = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_VERSION_2 = ("AWSAccessKeyId", "signature")


def missing_field(name: str) -> Fault:
    """The refusal of a form without a field that it must have, or has it behind the file."""
    text = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return Fault("InvalidArgument", text, status=400, members={"ArgumentName": name, "ArgumentValue": ""})


def read(fields: Mapping[str, str]) -> Claim | None:
    """The claim that a form makes (fields by lower-case name), None for an anonymous one. Raises InvalidArgument.

    A policy that nobody signed makes no claim, as seen of AWS: what is not signed may be left out anyway.
    """
    version_4 = any(name.lower() in fields for name in _VERSION_4)
    version_2 = any(name.lower() in fields for name in _VERSION_2)
    if not version_4 and not version_2:
        return None
    if "policy" not in fields:
        raise missing_field("policy")
    required = _VERSION_2 if version_2 and not version_4 else _VERSION_4
    for name in required:
        if not fields.get(name.lower()):
            raise missing_field(name)
    token = fields.get("x-amz-security-token", "")
    if required is _VERSION_2:
        return Claim(
            fields["awsaccesskeyid"], "", "", "s3", "", (), fields["signature"], token, "", 0.0, None, True, "",
            sigv2.ALGORITHM,
        )  # fmt: skip
    if fields["x-amz-algorithm"] != ALGORITHM:
        if fields["x-amz-algorithm"] == sigv4.ALGORITHM_4A:
            raise faults.version_4a()
        raise faults.s3_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
    key_id, date, region, service, terminator = sigv4.credential_parts(fields["x-amz-credential"], True, presigned=True)
    amz_date = fields["x-amz-date"]
    return Claim(
        key_id, date, region, service, terminator, (), fields["x-amz-signature"], token, amz_date,
        timestamp_of(amz_date, True, presigned=True), None, True, "",
    )  # fmt: skip


def verify(claim: Claim, policy: str, secret: str) -> None:
    """Hold the signature against the policy's text, as the form has it. Raises SignatureDoesNotMatch."""
    if claim.algorithm == sigv2.ALGORITHM:
        wanted = sigv2.sign(secret, policy)
    else:
        key = sigv4.signing_key(secret, claim.date, claim.region, claim.service)
        wanted = hmac.digest(key, policy.encode("utf-8", "replace"), "sha256").hex()
    if not hmac.compare_digest(wanted.encode(), claim.signature.encode("utf-8", "replace")):
        raise faults.s3_mismatch(claim.access_key_id, policy, claim.signature, None)
