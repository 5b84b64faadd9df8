"""Documents in requests that are no documents: policies, configurations."""

from typing import Any

import pytest

from tests.services.operations.logs.conftest import refused

GROUP = "/shop/orders"
DEEP = "[" * 20_000


@pytest.mark.parametrize("document", [DEEP, "", "x", "null", "[1]", '"x"', "{", '{"a": NaN}', '{"Statement": [[]]}'])
def test_what_is_no_document_is_refused(logs: Any, stream: dict[str, str], document: str) -> None:
    for call in (logs.put_data_protection_policy, logs.put_index_policy):
        with refused("InvalidParameterException"):
            call(logGroupIdentifier=GROUP, policyDocument=document)
    with refused("InvalidParameterException"):
        logs.put_resource_policy(policyName="p", policyDocument=document)
    for kind in (
        "DATA_PROTECTION_POLICY",
        "SUBSCRIPTION_FILTER_POLICY",
        "TRANSFORMER_POLICY",
        "FIELD_INDEX_POLICY",
        "RETENTION_POLICY",
    ):
        with refused("InvalidParameterException"):
            logs.put_account_policy(policyName="p", policyType=kind, policyDocument=document)
    assert logs.describe_resource_policies()["resourcePolicies"] == []


def test_a_transformer_leaves_what_is_too_deep(logs: Any) -> None:
    config = [{"parseJSON": {}}]
    message = '{"a":' * 20_000 + "1" + "}" * 20_000
    [found] = logs.test_transformer(transformerConfig=config, logEventMessages=[message])["transformedLogs"]
    assert "transformedEventMessage" not in found
