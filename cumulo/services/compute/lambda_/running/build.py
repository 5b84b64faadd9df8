"""From a version to what an execution environment is made of: unpacked code, layers, variables and credentials.

Source: Lambda Developer Guide, "Working with Lambda environment variables", Defined runtime environment variables.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.engines.environments.builds import ON_DEMAND, SNAP_START, Build
from cumulo.services.compute.lambda_.errors import KMS_ERRORS, ROLE_NOT_ASSUMABLE_ANY_MORE
from cumulo.services.compute.lambda_.packages import images, packages
from cumulo.services.compute.lambda_.stored import configurations, environments

if TYPE_CHECKING:
    from cumulo.core.callers.role_sessions import Credentials
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages.images import Unpacked
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.services.compute.lambda_.stored.versions import Version

# An environment has its credentials for good, so no call may begin in it that could outlast them.
ENVIRONMENT_S = 5 * 3600
SESSION_S = 12 * 3600

_SESSIONS = "lambda.sessions"


class _Inside(NamedTuple):
    """What is read in one transaction."""

    credentials: Credentials
    variables: dict[str, str]


def key_of(version: Version) -> str:
    """The key of the environments that a version's calls may share: changes with its code and its configuration."""
    return f"{version.qualified_arn}/{version.code_sha256}/{version.revision_id}"


async def build_of(ctx: Context, target: Target, *, init_type: str = ON_DEMAND) -> Build:
    """What an environment for this version is made of. It must be thrown away after `ENVIRONMENT_S`.

    AccessDeniedException where the role does not let Lambda in any more.
    """
    version = target.version
    program = await program_of(ctx, version)
    inside = await ctx.transact(partial(_inside, version=version))
    port = urlsplit(ctx.runtime.endpoint).port or 0
    endpoint = f"http://127.0.0.1:{port}" if port else ctx.runtime.endpoint
    snap_start = version.snap_start_status == "On"
    return msgspec.structs.replace(
        program,
        variables={**inside.variables, **_own_variables(version, inside.credentials, endpoint)},
        timeout_s=float(version.timeout_s),
        ephemeral_mb=version.ephemeral_mb,
        log_group=version.log_group,
        log_stream=new_log_stream(ctx, version),
        log_format=version.log_format,
        application_level=version.application_level,
        system_level=version.system_level,
        snap_start=snap_start,
        init_type=SNAP_START if snap_start else init_type,
        runtime_version_arn=version.runtime_version_arn,
        credentials_end_at=inside.credentials.ends_at,
        endpoint=endpoint,
        port=port,
    )


async def program_of(ctx: Context, version: Version) -> Build:
    """As much of a build as says which program it runs; nobody's rights are needed for that.

    Raises KeyError when the code is gone, BadArchive and ImageFailed when it cannot be unpacked.
    """
    if version.package_type == images.IMAGE:
        return _image(version, await images.unpacked(ctx, version.code_sha256))
    code = await packages.unpacked(ctx, version.code_sha256)
    layers = [await packages.unpacked(ctx, sha256) for sha256 in version.layer_sha256s]
    return Build(
        key=key_of(version),
        runtime=version.runtime,
        handler=version.handler,
        code=code,
        layers=tuple(layers),
        function_name=version.name,
        function_version=version.version,
        function_arn=version.arn,
        memory_mb=version.memory_mb,
    )


def _image(version: Version, unpacked: Unpacked) -> Build:
    """The image's own settings, each replaced by the function's where that has one."""
    root, settings = unpacked
    config: dict[str, Any] = version.image_config
    return Build(
        key=key_of(version),
        runtime="",
        handler="",
        code=root,
        image=root,
        image_variables=settings.variables,
        entry_point=tuple(config.get("EntryPoint") or settings.entry_point),
        command=tuple(config.get("Command") or settings.command),
        working_directory=config.get("WorkingDirectory") or settings.working_directory,
        function_name=version.name,
        function_version=version.version,
        function_arn=version.arn,
        memory_mb=version.memory_mb,
    )


def new_log_stream(ctx: Context, version: Version) -> str:
    """A name for an environment's log stream: "2024/05/01/[$LATEST]3893xmpl7fac4485b47bb75b671a283c"."""
    day = configurations.shown_time(ctx.now())[:10].replace("-", "/")
    return f"{day}/[{version.version}]{ctx.random_bytes(16).hex()}"


def _inside(ctx: Context, version: Version) -> _Inside:
    credentials = _session(ctx, version)
    variables = version.variables or {}
    if version.variables_sealed:
        variables = _opened(ctx, version, credentials)
    return _Inside(credentials, variables)


def _opened(ctx: Context, version: Version, credentials: Credentials) -> dict[str, str]:
    """The sealed variables: KMS is asked as the execution role, which has a grant."""
    acting = role_sessions.context(
        ctx, role_sessions.principal_of(ctx, credentials), "lambda", "GetFunctionConfiguration", region=version.region
    )
    try:
        return environments.opened(acting, version)
    except Fault as fault:
        error = KMS_ERRORS.get(fault.code)
        if error is None:
            raise
        raise error(text=f"KMS Exception: {fault.code} KMS Message: {fault.message}") from None


def _session(ctx: Context, version: Version) -> Credentials:
    """Credentials of the role: environments of one version share them while more than half of their time is left."""
    sessions: dict[tuple[str, str], Credentials] = ctx.runtime.memory.setdefault(_SESSIONS, {})
    place = version.qualified_arn, version.role
    found = sessions.get(place)
    if found is not None and found.ends_at - ctx.now() > SESSION_S / 2:
        return found
    try:
        made = role_sessions.credentials(
            ctx, version.role, "lambda", version.name, source_arn=version.arn, lasts_s=SESSION_S
        )
    except Fault as fault:
        if fault.code == "AccessDenied":
            raise ROLE_NOT_ASSUMABLE_ANY_MORE() from None
        raise
    ctx.txn.on_commit(partial(sessions.__setitem__, place, made))
    return made


def _own_variables(version: Version, credentials: Credentials, endpoint: str) -> dict[str, str]:
    """The variables that Lambda itself sets beside those that the runtime's engine knows."""
    return {
        "AWS_REGION": version.region,
        "AWS_DEFAULT_REGION": version.region,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",  # nobody listens there until X-Ray is here: segments are lost
    }
