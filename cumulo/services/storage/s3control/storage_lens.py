"""Storage Lens configurations and their tags.

Source: S3 API Reference, PutStorageLensConfiguration; S3 User Guide, "Setting up Amazon S3 Storage Lens" (the
dashboard "default-account-dashboard", which cannot be deleted or export).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.arns import partition_of
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.tags import to_list
from cumulo.services.storage.s3control import accounts, pages, tags
from cumulo.services.storage.s3control.errors import INVALID_REQUEST, MALFORMED_XML
from cumulo.services.storage.s3control.storage_lens_records import CONFIGURATIONS, Configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

MOST = 50


def _document(configuration: Configuration) -> dict[str, Any]:
    return msgspec.msgpack.decode(configuration.document)  # type: ignore[no-any-return]


@operation
def put_storage_lens_configuration(ctx: Context, request: t.PutStorageLensConfigurationRequest) -> None:
    """Keep a configuration, in place of the one of the same id. Exports are refused by name: nothing writes them."""
    accounts.check(ctx, request)
    id = request["ConfigId"]
    given: Mapping[str, Any] = request["StorageLensConfiguration"]
    if given["Id"] != id:
        raise MALFORMED_XML()
    if given["IsEnabled"] and (given.get("DataExport") or given.get("ExpandedPrefixesDataExport")):
        raise not_implemented("s3control", "PutStorageLensConfiguration", "DataExport")
    if "Include" in given and "Exclude" in given:
        raise INVALID_REQUEST("A configuration may have Include or Exclude, but not both.")
    there = CONFIGURATIONS.peek(ctx, id)
    if there is None and len(CONFIGURATIONS.range(ctx, limit=MOST)) >= MOST:
        raise INVALID_REQUEST(f"An account may have at most {MOST} configurations.")
    kept = tags.checked(request.get("Tags", [])) if "Tags" in request or there is None else there.tags
    arn = f"arn:{partition_of(ctx.region)}:s3:{ctx.region}:{ctx.account}:storage-lens/{id}"
    document = {**given, "StorageLensArn": arn}
    CONFIGURATIONS.put(ctx, Configuration(ctx.account, ctx.region, id, msgspec.msgpack.encode(document), kept))


@operation
def get_storage_lens_configuration(
    ctx: Context, request: t.GetStorageLensConfigurationRequest
) -> t.GetStorageLensConfigurationResult:
    """The configuration of an id."""
    accounts.check(ctx, request)
    return {"StorageLensConfiguration": _document(CONFIGURATIONS.get(ctx, request["ConfigId"]))}  # type: ignore[typeddict-item]


@operation
def list_storage_lens_configurations(
    ctx: Context, request: t.ListStorageLensConfigurationsRequest
) -> t.ListStorageLensConfigurationsResult:
    """The configurations of the account, by id."""
    accounts.check(ctx, request)
    listed = CONFIGURATIONS.range(ctx, after=pages.begin(ctx, request), limit=pages.MOST_LISTED + 1)
    answer = pages.answer(ctx, "StorageLensConfigurationList", listed, pages.MOST_LISTED, _listed, lambda each: each.id)
    return answer  # type: ignore[return-value]


def _listed(configuration: Configuration) -> dict[str, Any]:
    document = _document(configuration)
    return {
        "Id": configuration.id,
        "StorageLensArn": document["StorageLensArn"],
        "HomeRegion": configuration.region,
        "IsEnabled": document["IsEnabled"],
    }


@operation
def delete_storage_lens_configuration(ctx: Context, request: t.DeleteStorageLensConfigurationRequest) -> None:
    """Remove the configuration of an id."""
    accounts.check(ctx, request)
    CONFIGURATIONS.delete(ctx, CONFIGURATIONS.get(ctx, request["ConfigId"]))


@operation
def put_storage_lens_configuration_tagging(
    ctx: Context, request: t.PutStorageLensConfigurationTaggingRequest
) -> t.PutStorageLensConfigurationTaggingResult:
    """Replace the tags of a configuration."""
    accounts.check(ctx, request)
    configuration = CONFIGURATIONS.get(ctx, request["ConfigId"])
    configuration.tags = tags.checked(request["Tags"])
    CONFIGURATIONS.put(ctx, configuration)
    return {}


@operation
def get_storage_lens_configuration_tagging(
    ctx: Context, request: t.GetStorageLensConfigurationTaggingRequest
) -> t.GetStorageLensConfigurationTaggingResult:
    """The tags of a configuration."""
    accounts.check(ctx, request)
    return {"Tags": to_list(CONFIGURATIONS.get(ctx, request["ConfigId"]).tags)}  # type: ignore[typeddict-item]


@operation
def delete_storage_lens_configuration_tagging(
    ctx: Context, request: t.DeleteStorageLensConfigurationTaggingRequest
) -> t.DeleteStorageLensConfigurationTaggingResult:
    """Remove the tags of a configuration."""
    accounts.check(ctx, request)
    configuration = CONFIGURATIONS.get(ctx, request["ConfigId"])
    configuration.tags = {}
    CONFIGURATIONS.put(ctx, configuration)
    return {}
