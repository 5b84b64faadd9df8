"""MFA devices: virtual ones, whose codes are really checked.

A user may have eight. A device is switched on with two consecutive codes, and each code counts once. Codes are those
of cloud time. Hardware tokens are refused by name: AWS knows their seeds from the maker, we cannot.
Source: "AWS Multi-factor authentication in IAM", "Resynchronize virtual and hardware MFA devices" (IAM User Guide).
"""

from __future__ import annotations

from base64 import b32encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cumulo.core.callers.identities import MFA_FAILED, MFA_WRONG_CODE
from cumulo.core.errors import Error, not_implemented
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import account_aliases, pages, permissions
from cumulo.services.identity.iam.credentials import totp
from cumulo.services.identity.iam.credentials.requested_users import find_by_id, user_of
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import (
    DELETE_CONFLICT,
    ENTITY_ALREADY_EXISTS,
    LIMIT_EXCEEDED,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.tag_rules import check_tags, laid_over, listed_tags, shown_tags, without

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 8
SEED_B = 40
# How far a device's clock may be off, in steps: when it is enabled or signs in, and when it is put right again.
NEAR_STEPS = 2
FAR_STEPS = 120

INVALID_CODE = Error("InvalidAuthenticationCode", "Authentication code for device is not valid.")
NO_DEVICE = Error("NoSuchEntityException", "VirtualMFADevice with serial number {serial} doesn't exist.")
NOT_THEIRS = Error("NoSuchEntityException", "MFA Device invalid for user.")


class MFADevice(Record):
    """A virtual device. Unassigned while `user_id` is "". `drift` is how many steps its clock is off; `last_step`
    the step of the newest code that was taken: that one and those before it are used up."""

    serial: str
    path: str
    name: str
    seed: bytes
    created_at: float
    user_id: str = ""
    enabled_at: float = 0
    drift: int = 0
    last_step: int = 0
    tags: dict[str, str] = {}


MFA_DEVICES = Table(MFADevice, name="iam.mfa_devices", key="serial", scope=ACCOUNT, indexes={"by_user": ("user_id",)})


users.BEFORE_DELETION.append(
    (
        Error("DeleteConflictException", "Cannot delete entity, must delete MFA device first."),
        lambda ctx, user: MFA_DEVICES.range(ctx, user.user_id, index="by_user", limit=1),
    )
)


def devices_of(ctx: Context, user_id: str) -> list[MFADevice]:
    """The devices that a user signs in with."""
    return MFA_DEVICES.range(ctx, user_id, index="by_user")


def _get(ctx: Context, serial: str) -> MFADevice:
    """The device, found and authorized by its own ARN."""
    device = MFA_DEVICES.peek(ctx, serial)
    permissions.ask(ctx, serial, tags=device.tags if device is not None else None)
    if device is None:
        raise NO_DEVICE(serial=serial)
    return device


def _virtual(ctx: Context, serial: str) -> MFADevice:
    if not serial.startswith("arn:"):
        raise not_implemented("iam", ctx.operation, "SerialNumber of a hardware device")
    device = MFA_DEVICES.peek(ctx, serial)
    if device is None:
        raise NO_DEVICE(serial=serial)
    return device


def _theirs(ctx: Context, user_id: str, serial: str) -> MFADevice:
    device = _virtual(ctx, serial)
    if device.user_id != user_id:
        raise NOT_THEIRS()
    return device


def _take(ctx: Context, device: MFADevice, one: str, two: str, reach: int) -> None:
    """Take two consecutive codes within reach of now; the device is in step from then on."""
    now = totp.step_at(ctx.now())
    first = max(now - reach, device.last_step + 1)
    step = totp.find_pair(device.seed, one, two, first, now + reach)
    if step is None:
        raise INVALID_CODE()
    device.last_step = step
    device.drift = step - now if abs(step - now) > NEAR_STEPS else 0


def check(ctx: Context, serial: str, code: str, *, of_account: bool = False) -> None:
    """Use up a code of the caller's own device (for STS), or of any in use in its account. Raises AccessDenied."""
    principal = ctx.principal
    if principal.kind is not PrincipalKind.USER and not of_account:
        raise MFA_FAILED()
    device = MFA_DEVICES.peek(ctx, serial, account=principal.account)
    if device is None or not device.user_id or (device.user_id != principal.user_id and not of_account):
        raise MFA_FAILED()
    due = totp.step_at(ctx.now()) + device.drift
    first = max(due - NEAR_STEPS, device.last_step + 1)
    step = totp.find(device.seed, code, first, due + NEAR_STEPS)
    if step is None:
        raise MFA_WRONG_CODE()
    device.last_step = step
    MFA_DEVICES.put(ctx, device, account=principal.account)


# --- virtual devices -------------------------------------------------------------------------------


@operation
def create_virtual_mfa_device(
    ctx: Context, request: t.CreateVirtualMFADeviceRequest
) -> t.CreateVirtualMFADeviceResponse:
    """A device and its seed, which is told only here: as base32 text, and as a QR code for an authenticator."""
    path, name = check_path(request.get("Path")), check_name(request["VirtualMFADeviceName"], "virtualMFADeviceName")
    serial = permissions.arn_of(ctx, "mfa", path, name)
    permissions.ask(ctx, serial)
    given = check_tags(request.get("Tags"))
    if MFA_DEVICES.peek(ctx, serial) is not None:
        raise ENTITY_ALREADY_EXISTS("MFADevice entity at the same path and name already exists.")
    device = MFADevice(serial, path, name, ctx.random_bytes(SEED_B), ctx.now(), tags=given)
    MFA_DEVICES.put(ctx, device)
    seed = b32encode(device.seed)
    shown: t.VirtualMFADevice = {
        "SerialNumber": serial,
        "Base32StringSeed": seed,
        "QRCodePNG": _qr_code(_label(ctx, name), seed.decode()),
    }
    if given:
        shown["Tags"] = shown_tags(given)
    return {"VirtualMFADevice": shown}


def _label(ctx: Context, name: str) -> str:
    return f"{name}@{account_aliases.alias_of(ctx) or ctx.account}"


def _qr_code(label: str, seed: str) -> bytes:
    """A PNG of the key URI that authenticators read. Source: CreateVirtualMFADevice, QRCodePNG."""
    import io

    import segno  # rare, and not small

    picture = io.BytesIO()
    uri = f"otpauth://totp/Amazon%20Web%20Services:{quote(label)}?secret={seed}&issuer=Amazon%20Web%20Services"
    segno.make_qr(uri, error="m").save(picture, kind="png", scale=4)
    return picture.getvalue()


@operation
def delete_virtual_mfa_device(ctx: Context, request: t.DeleteVirtualMFADeviceRequest) -> None:
    device = _get(ctx, request["SerialNumber"])
    if device.user_id:
        raise DELETE_CONFLICT("MFA VirtualDevice in use. Must deactivate first.")
    MFA_DEVICES.delete(ctx, device)


@operation
def list_virtual_mfa_devices(ctx: Context, request: t.ListVirtualMFADevicesRequest) -> t.ListVirtualMFADevicesResponse:
    wanted = request.get("AssignmentStatus", "Any")
    found = [each for each in MFA_DEVICES.range(ctx) if wanted == "Any" or bool(each.user_id) == (wanted == "Assigned")]
    answer: t.ListVirtualMFADevicesResponse = pages.of_list(
        ctx, found, request, "VirtualMFADevices", lambda each: _listed(ctx, each), lambda each: each.serial
    )
    return answer


def _listed(ctx: Context, device: MFADevice) -> dict[str, Any]:
    shown: dict[str, Any] = {"SerialNumber": device.serial}
    user = find_by_id(ctx, device.user_id) if device.user_id else None
    if user is not None:
        shown["User"] = users.shown(user)
        shown["EnableDate"] = device.enabled_at
    return shown


# --- devices of users ------------------------------------------------------------------------------


@operation
def enable_mfa_device(ctx: Context, request: t.EnableMFADeviceRequest) -> None:
    user = user_of(ctx, request)
    device = _virtual(ctx, request["SerialNumber"])
    if device.user_id:
        raise ENTITY_ALREADY_EXISTS("MFA Device is already in use.")
    if len(devices_of(ctx, user.user_id)) >= QUOTA:
        raise LIMIT_EXCEEDED(quota="MFADevicesPerUser", limit=QUOTA)
    _take(ctx, device, request["AuthenticationCode1"], request["AuthenticationCode2"], NEAR_STEPS)
    device.user_id = user.user_id
    device.enabled_at = ctx.now()
    MFA_DEVICES.put(ctx, device)


@operation
def resync_mfa_device(ctx: Context, request: t.ResyncMFADeviceRequest) -> None:
    user = user_of(ctx, request)
    device = _theirs(ctx, user.user_id, request["SerialNumber"])
    _take(ctx, device, request["AuthenticationCode1"], request["AuthenticationCode2"], FAR_STEPS)
    MFA_DEVICES.put(ctx, device)


@operation
def deactivate_mfa_device(ctx: Context, request: t.DeactivateMFADeviceRequest) -> None:
    user = user_of(ctx, request)
    device = _theirs(ctx, user.user_id, request["SerialNumber"])
    device.user_id = ""
    device.enabled_at = 0
    MFA_DEVICES.put(ctx, device)


@operation
def get_mfa_device(ctx: Context, request: t.GetMFADeviceRequest) -> t.GetMFADeviceResponse:
    """A user's device; virtual ones have no certifications."""
    user = user_of(ctx, request)
    device = _theirs(ctx, user.user_id, request["SerialNumber"])
    return {"UserName": user.name, "SerialNumber": device.serial, "EnableDate": device.enabled_at}


@operation
def list_mfa_devices(ctx: Context, request: t.ListMFADevicesRequest) -> t.ListMFADevicesResponse:
    """A user's devices. Root, asking for its own, has none: those are made in AWS's console only."""
    if "UserName" not in request and ctx.principal.kind is PrincipalKind.ROOT:
        permissions.ask(ctx, ctx.principal.arn)
        return {"MFADevices": [], "IsTruncated": False}
    user = user_of(ctx, request)

    def listed(device: MFADevice) -> t.MFADevice:
        return {"UserName": user.name, "SerialNumber": device.serial, "EnableDate": device.enabled_at}

    devices = devices_of(ctx, user.user_id)
    answer: t.ListMFADevicesResponse = pages.of_list(
        ctx, devices, request, "MFADevices", listed, lambda device: device.serial
    )
    return answer


# --- tags ------------------------------------------------------------------------------------------


@operation
def tag_mfa_device(ctx: Context, request: t.TagMFADeviceRequest) -> None:
    device = _get(ctx, request["SerialNumber"])
    device.tags = laid_over(device.tags, request["Tags"], "TagsPerMFADevice")
    MFA_DEVICES.put(ctx, device)


@operation
def untag_mfa_device(ctx: Context, request: t.UntagMFADeviceRequest) -> None:
    device = _get(ctx, request["SerialNumber"])
    device.tags = without(device.tags, request["TagKeys"])
    MFA_DEVICES.put(ctx, device)


@operation
def list_mfa_device_tags(ctx: Context, request: t.ListMFADeviceTagsRequest) -> t.ListMFADeviceTagsResponse:
    answer: t.ListMFADeviceTagsResponse = listed_tags(ctx, _get(ctx, request["SerialNumber"]).tags, request)
    return answer
