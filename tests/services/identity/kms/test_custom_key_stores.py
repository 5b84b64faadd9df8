"""Custom key stores: none can be made, and so none is there."""

from typing import Any

from tests.services.identity.kms.conftest import refused


def test_there_are_none(kms: Any) -> None:
    assert kms.describe_custom_key_stores()["CustomKeyStores"] == []
    with refused("NotImplemented"):
        kms.create_custom_key_store(CustomKeyStoreName="mine")
    text = "Custom key store 'cks-1' does not exist"
    for call in (
        kms.connect_custom_key_store,
        kms.disconnect_custom_key_store,
        kms.delete_custom_key_store,
        kms.update_custom_key_store,
        kms.describe_custom_key_stores,
    ):
        with refused("CustomKeyStoreNotFoundException", text):
            call(CustomKeyStoreId="cks-1")
    with refused("CustomKeyStoreNotFoundException"):
        kms.describe_custom_key_stores(CustomKeyStoreName="mine")
