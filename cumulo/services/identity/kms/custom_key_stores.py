"""Custom key stores: cumulo has neither CloudHSM clusters nor external key managers, so none can be made.

CreateCustomKeyStore is left out and thereby refused by name. The others answer what is true where there is no custom
key store: none is listed, and none with a given name or id is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cumulo.core.operation import operation
from cumulo.services.identity.kms.conditions import of_caller
from cumulo.services.identity.kms.errors import CUSTOM_KEY_STORE_NOT_FOUND

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


def _missing(name: str) -> NoReturn:
    raise CUSTOM_KEY_STORE_NOT_FOUND(f"Custom key store '{name}' does not exist")


@operation(conditions=of_caller)
def describe_custom_key_stores(
    ctx: Context, request: t.DescribeCustomKeyStoresRequest
) -> t.DescribeCustomKeyStoresResponse:
    """None; CustomKeyStoreNotFoundException for one by id or name."""
    name = request.get("CustomKeyStoreId") or request.get("CustomKeyStoreName")
    if name:
        _missing(name)
    return {"CustomKeyStores": [], "Truncated": False}


@operation(conditions=of_caller)
def connect_custom_key_store(ctx: Context, request: t.ConnectCustomKeyStoreRequest) -> t.ConnectCustomKeyStoreResponse:
    """There is no such store."""
    _missing(request["CustomKeyStoreId"])


@operation(conditions=of_caller)
def disconnect_custom_key_store(
    ctx: Context, request: t.DisconnectCustomKeyStoreRequest
) -> t.DisconnectCustomKeyStoreResponse:
    """There is no such store."""
    _missing(request["CustomKeyStoreId"])


@operation(conditions=of_caller)
def delete_custom_key_store(ctx: Context, request: t.DeleteCustomKeyStoreRequest) -> t.DeleteCustomKeyStoreResponse:
    """There is no such store."""
    _missing(request["CustomKeyStoreId"])


@operation(
    unsupported=(
        "NewCustomKeyStoreName",
        "KeyStorePassword",
        "CloudHsmClusterId",
        "XksProxyUriEndpoint",
        "XksProxyUriPath",
        "XksProxyVpcEndpointServiceName",
        "XksProxyVpcEndpointServiceOwner",
        "XksProxyAuthenticationCredential",
        "XksProxyConnectivity",
    ),
    conditions=of_caller,
)
def update_custom_key_store(ctx: Context, request: t.UpdateCustomKeyStoreRequest) -> t.UpdateCustomKeyStoreResponse:
    """There is no such store."""
    _missing(request["CustomKeyStoreId"])
