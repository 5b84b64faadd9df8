"""IP addresses and networks, as SQL.

Source: CloudWatch Logs User Guide, "IP address string functions"; RFC 1918 for private ranges, IANA's IPv4 and IPv6
Special-Purpose Address Registries for reserved ones.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from cumulo.services.operations.logs.query.failures import Malformed, Unsupported
from cumulo.services.operations.logs.query.tree import Expression, Literal
from cumulo.services.operations.logs.query.values import NUMBER, TRUTH, Value

if TYPE_CHECKING:
    from cumulo.services.operations.logs.query.compiling import Compiler

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
RESERVED = (
    "0.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
_RESERVED_6 = ("::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8")


def within(text: str, network: Network) -> str:
    """Whether the address in a text is of the network; NULL or false where it is no address of its kind."""
    if isinstance(network, ipaddress.IPv4Network):
        return f"q_ip4({text}) BETWEEN {int(network.network_address)} AND {int(network.broadcast_address)}"
    low, high = (f"{int(each):032x}" for each in (network.network_address, network.broadcast_address))
    return f"q_ip6({text}) BETWEEN '{low}' AND '{high}'"


def network_of(text: str) -> Network | None:
    """The network in CIDR notation, or None."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _any_of(text: str, networks: tuple[str, ...]) -> str:
    return "(" + " OR ".join(within(text, ipaddress.ip_network(each)) for each in networks) + ")"


def _subnet(*versions: int) -> Callable[[Compiler, tuple[Expression, ...]], Value]:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        if not isinstance(arguments[1], Literal):
            raise Unsupported("a subnet that is no string")
        network = network_of(str(arguments[1].value))
        if network is None:
            raise Malformed(f"invalid subnet {arguments[1].value}", 0, 0)
        if network.version not in versions:
            return Value("false", TRUTH)
        return Value(f"coalesce({within(compiler.value(arguments[0]).text(), network)}, false)", TRUTH)

    return build


def _test(form: Callable[[str], str]) -> Callable[[Compiler, tuple[Expression, ...]], Value]:
    def build(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"coalesce({form(compiler.value(arguments[0]).text())}, false)", TRUTH)

    return build


def _to_number(compiler: Compiler, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"CAST(q_ip4({compiler.value(arguments[0]).text()}) AS DOUBLE)", NUMBER)


def _reserved(text: str) -> str:
    return f"({_any_of(text, RESERVED)} OR {_any_of(text, _RESERVED_6)})"


def _public(text: str) -> str:
    known = f"coalesce({_any_of(text, PRIVATE)}, false) OR coalesce({_reserved(text)}, false)"
    return f"(q_ip4({text}) IS NOT NULL OR q_ip6({text}) IS NOT NULL) AND NOT ({known})"


FUNCTIONS: dict[str, Callable[[Compiler, tuple[Expression, ...]], Value]] = {
    "isValidIp": _test(lambda text: f"(q_ip4({text}) IS NOT NULL OR q_ip6({text}) IS NOT NULL)"),
    "isValidIpV4": _test(lambda text: f"q_ip4({text}) IS NOT NULL"),
    "isValidIpV6": _test(lambda text: f"q_ip6({text}) IS NOT NULL"),
    "isIpInSubnet": _subnet(4, 6),
    "isIpv4InSubnet": _subnet(4),
    "isIpv6InSubnet": _subnet(6),
    "ipv4ToNumber": _to_number,
    "isPrivateIP": _test(lambda text: _any_of(text, PRIVATE)),
    "isPublicIP": _test(_public),
    "isReservedIP": _test(_reserved),
}
