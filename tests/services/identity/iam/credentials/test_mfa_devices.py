"""Virtual MFA devices: real codes of RFC 6238, from enabling to sessions."""

import base64
import hmac
import struct
from typing import Any

import pytest

from cumulo.services.identity.iam.credentials import totp
from tests.services.identity.iam.conftest import House, document, refused, trust

WRONG = ("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403)


def code_at(seed: bytes, moment: float) -> str:
    """RFC 6238 written down a second time."""
    mac = hmac.new(seed, struct.pack(">Q", int(moment) // 30), "sha1").digest()
    start = mac[19] & 15
    return str((struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000).zfill(6)


class Device:
    """A virtual device and the clock of its owner, which follows the cloud's."""

    def __init__(self, house: House, name: str = "phone", **known: Any) -> None:
        made = house.iam.create_virtual_mfa_device(VirtualMFADeviceName=name, **known)["VirtualMFADevice"]
        self.made = made
        self.serial = made["SerialNumber"]
        self.seed = base64.b32decode(made["Base32StringSeed"])
        self.clock = house.cloud.running.clock

    def code(self, later_s: float = 0) -> str:
        return code_at(self.seed, self.clock.now() + later_s)

    def pair(self, later_s: float = 0) -> dict[str, str]:
        return {"AuthenticationCode1": self.code(later_s - 30), "AuthenticationCode2": self.code(later_s)}

    def enable(self, iam: Any, name: str) -> None:
        iam.enable_mfa_device(UserName=name, SerialNumber=self.serial, **self.pair())


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924")],
)
def test_the_vectors_of_the_rfc(moment: int, code: str) -> None:
    """RFC 6238, appendix B (eight digits there; ours are its last six)."""
    assert totp.code(b"12345678901234567890", totp.step_at(moment)) == code[2:]


def test_a_device_is_made_with_its_secret(house: House) -> None:
    device = Device(house, Path="/phones/", Tags=[{"Key": "of", "Value": "alice"}])
    assert device.serial == house.arn("mfa/phones/phone")
    assert len(device.seed) == 40
    assert device.made["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")
    assert device.made["Tags"] == [{"Key": "of", "Value": "alice"}]
    again = refused(house.iam.create_virtual_mfa_device, VirtualMFADeviceName="phone", Path="/phones/")
    assert again == ("EntityAlreadyExists", "MFADevice entity at the same path and name already exists.", 409)
    listed = house.iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert listed == [{"SerialNumber": device.serial}]
    house.iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    gone = ("NoSuchEntity", f"VirtualMFADevice with serial number {device.serial} doesn't exist.", 404)
    assert refused(house.iam.delete_virtual_mfa_device, SerialNumber=device.serial) == gone


def test_enabling_takes_two_codes_in_a_row(house: House) -> None:
    iam, device = house.iam, Device(house)
    house.user("alice")
    named = {"UserName": "alice", "SerialNumber": device.serial}
    twice = {"AuthenticationCode1": device.code(), "AuthenticationCode2": device.code()}
    assert refused(iam.enable_mfa_device, **named, **twice) == WRONG
    swapped = {"AuthenticationCode1": device.code(), "AuthenticationCode2": device.code(-30)}
    assert refused(iam.enable_mfa_device, **named, **swapped) == WRONG
    assert refused(iam.enable_mfa_device, **named, **device.pair(later_s=3600)) == WRONG
    iam.enable_mfa_device(**named, **device.pair())
    (listed,) = iam.list_mfa_devices(UserName="alice")["MFADevices"]
    assert (listed["UserName"], listed["SerialNumber"]) == ("alice", device.serial)
    (assigned,) = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert assigned["User"]["UserName"] == "alice"
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"] == []
    assert iam.get_mfa_device(SerialNumber=device.serial, UserName="alice")["EnableDate"] == listed["EnableDate"]
    house.user("bob")
    taken = refused(iam.enable_mfa_device, UserName="bob", SerialNumber=device.serial, **device.pair())
    assert taken[0] == "EntityAlreadyExists"
    assert refused(iam.delete_virtual_mfa_device, SerialNumber=device.serial) == (
        "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.", 409,
    )  # fmt: skip
    wrong_user = refused(iam.deactivate_mfa_device, UserName="bob", SerialNumber=device.serial)
    assert wrong_user == ("NoSuchEntity", "MFA Device invalid for user.", 404)
    iam.deactivate_mfa_device(**named)
    assert iam.list_mfa_devices(UserName="alice")["MFADevices"] == []
    iam.delete_virtual_mfa_device(SerialNumber=device.serial)


def test_a_clock_that_went_wrong_is_put_right(house: House) -> None:
    key = house.user("alice", document("sts:GetSessionToken"))
    device = Device(house)
    device.enable(house.iam, "alice")
    sts = house.client("sts", key)
    house.cloud.advance(60)
    slow_s = -1200.0
    signing = {"SerialNumber": device.serial}
    assert refused(sts.get_session_token, TokenCode=device.code(slow_s), **signing)[0] == "AccessDenied"
    house.cloud.advance(3600)
    house.iam.resync_mfa_device(UserName="alice", **signing, **device.pair(slow_s))
    house.cloud.advance(60)
    sts.get_session_token(TokenCode=device.code(slow_s), **signing)


def test_a_session_with_mfa(house: House) -> None:
    device = Device(house)
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    key = house.user("alice", document("sqs:ListQueues", Condition=condition), document("sts:AssumeRole"))
    device.enable(house.iam, "alice")
    sts, signing = house.client("sts", key), {"SerialNumber": device.serial}
    assert refused(house.client("sqs", key).list_queues)[0] == "AccessDenied"
    text = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    used_up = refused(sts.get_session_token, TokenCode=device.code(), **signing)
    assert used_up == ("AccessDenied", text, 403)  # enabling took this code
    house.cloud.advance(30)
    session = sts.get_session_token(TokenCode=device.code(), **signing)["Credentials"]
    house.client("sqs", session).list_queues()
    assert refused(sts.get_session_token, TokenCode=device.code(), **signing)[0] == "AccessDenied"
    bob = house.client("sts", house.user("bob"))
    house.cloud.advance(30)
    assert refused(bob.get_session_token, TokenCode=device.code(), **signing) == (
        "AccessDenied",
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid "
        "and associated with this user.",
        403,
    )
    arn = house.role("guarded", trust({"AWS": house.arn("root")}, Condition=condition))
    assert refused(sts.assume_role, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    sts.assume_role(RoleArn=arn, RoleSessionName="me", TokenCode=device.code(), **signing)


def test_devices_keep_users(house: House) -> None:
    house.iam.create_user(UserName="alice")
    Device(house).enable(house.iam, "alice")
    assert refused(house.iam.delete_user, UserName="alice")[0] == "DeleteConflict"


def test_hardware_is_refused_by_name(house: House) -> None:
    house.user("alice")
    code, text, _ = refused(
        house.iam.enable_mfa_device, UserName="alice", SerialNumber="GAHT12345678",
        AuthenticationCode1="123456", AuthenticationCode2="654321",
    )  # fmt: skip
    assert code == "NotImplemented"
    assert "hardware" in text


def test_root_has_no_devices(house: House) -> None:
    assert house.iam.list_mfa_devices()["MFADevices"] == []


def test_devices_are_tagged(house: House) -> None:
    iam, device = house.iam, Device(house)
    iam.tag_mfa_device(SerialNumber=device.serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_mfa_device(SerialNumber=device.serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=device.serial)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_users_may_handle_their_own_devices_only(house: House) -> None:
    own = "arn:aws:iam::*:user/${aws:username}"
    key = house.user("alice", document("iam:EnableMFADevice", "iam:ListMFADevices", resource=own))
    alice, device = house.client("iam", key), Device(house)
    house.user("bob")
    assert refused(alice.list_mfa_devices, UserName="bob")[0] == "AccessDenied"
    device.enable(alice, "alice")
    assert len(alice.list_mfa_devices()["MFADevices"]) == 1
