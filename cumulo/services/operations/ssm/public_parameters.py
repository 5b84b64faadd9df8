"""Public parameters: what this cloud offers, under /aws/service/global-infrastructure.

Regions are AWS's; services are those of this cloud, which offers each of them in every region. Images and other
public parameters are left out: they would name what is not there.
Source: Systems Manager User Guide, "Discovering public parameters in Parameter Store".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import partition_of
from cumulo.services.operations.ssm import parameter_names

if TYPE_CHECKING:
    from cumulo.core.context import Context

ROOT = "/aws/service/global-infrastructure"
SINCE = 1_546_300_800.0  # 2019, when AWS began to publish them

# Source: AWS General Reference, "AWS service endpoints", "Regional endpoints".
REGIONS = {
    "af-south-1": "Africa (Cape Town)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "ap-east-2": "Asia Pacific (Taipei)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-south-2": "Asia Pacific (Hyderabad)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-southeast-3": "Asia Pacific (Jakarta)",
    "ap-southeast-4": "Asia Pacific (Melbourne)",
    "ap-southeast-5": "Asia Pacific (Malaysia)",
    "ap-southeast-6": "Asia Pacific (New Zealand)",
    "ap-southeast-7": "Asia Pacific (Thailand)",
    "ca-central-1": "Canada (Central)",
    "ca-west-1": "Canada West (Calgary)",
    "cn-north-1": "China (Beijing)",
    "cn-northwest-1": "China (Ningxia)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-central-2": "Europe (Zurich)",
    "eu-north-1": "Europe (Stockholm)",
    "eu-south-1": "Europe (Milan)",
    "eu-south-2": "Europe (Spain)",
    "eu-west-1": "Europe (Ireland)",
    "eu-west-2": "Europe (London)",
    "eu-west-3": "Europe (Paris)",
    "il-central-1": "Israel (Tel Aviv)",
    "me-central-1": "Middle East (UAE)",
    "me-south-1": "Middle East (Bahrain)",
    "mx-central-1": "Mexico (Central)",
    "sa-east-1": "South America (Sao Paulo)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-gov-east-1": "AWS GovCloud (US-East)",
    "us-gov-west-1": "AWS GovCloud (US-West)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
}

_made: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}


def every(partition: str, services: tuple[str, ...]) -> dict[str, str]:
    """All public parameters of a partition: values by name, in the order of names."""
    found = _made.get((partition, services))
    if found is None:
        found = _made[partition, services] = dict(sorted(_values(partition, services).items()))
    return found


def _values(partition: str, services: tuple[str, ...]) -> dict[str, str]:
    domain = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    regions = {region: name for region, name in REGIONS.items() if partition_of(region) == partition}
    values: dict[str, str] = {}
    for region, name in regions.items():
        base = f"{ROOT}/regions/{region}"
        values |= {base: region, f"{base}/longName": name, f"{base}/partition": partition, f"{base}/domain": domain}
        values |= {f"{base}/services/{service}": service for service in services}
    for service in services:
        base = f"{ROOT}/services/{service}"
        values |= {base: service, **{f"{base}/regions/{region}": region for region in regions}}
        values |= {f"{base}/regions/{region}/endpoint": f"{service}.{region}.{domain}" for region in regions}
    return values


def _mine(ctx: Context) -> dict[str, str]:
    return every(ctx.partition, tuple(sorted(ctx.runtime.registry.names)))


def find(ctx: Context, name: str, selector: str) -> Any:
    """A public parameter as GetParameter answers it, None when there is none."""
    value = _mine(ctx).get(name)
    if value is None or selector not in ("", "1"):
        return None
    answer = _shown(ctx, name, value)
    if selector:
        answer["Selector"] = f":{selector}"
    return answer


def under(ctx: Context, path: str, *, after: str, recursive: bool) -> list[Any]:
    """The public parameters of a path, by name, those after a name."""
    return [
        _shown(ctx, name, value)
        for name, value in _mine(ctx).items()
        if name > after and parameter_names.under(name, path, recursive=recursive)
    ]


def _shown(ctx: Context, name: str, value: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": SINCE,
        "ARN": parameter_names.arn(ctx.partition, ctx.region, "", name),
        "DataType": "text",
    }
