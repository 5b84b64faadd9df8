"""How much of what was used: the figures that the bill is made of."""

from __future__ import annotations


class Metering:
    """Calls counted by account, region, service and operation since this node started, and what services add."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str, str], int] = {}
        self._faults: dict[tuple[str, str, str, str], int] = {}
        self._amounts: dict[tuple[str, str, str, str], float] = {}

    def count(self, account: str, region: str, service: str, operation: str, refused: bool) -> None:
        """Count one call."""
        key = (account, region, service, operation)
        counts = self._faults if refused else self._counts
        counts[key] = counts.get(key, 0) + 1

    def add(self, account: str, region: str, service: str, kind: str, amount: float) -> None:
        """Add to what was used of a kind; its unit stands in its name ("TimedStorage-ByteHrs")."""
        key = (account, region, service, kind)
        self._amounts[key] = self._amounts.get(key, 0.0) + amount

    def amounts(self, account: str, service: str) -> dict[str, float]:
        """What an account used of a service, by kind, in all regions."""
        found: dict[str, float] = {}
        for (owner, _, name, kind), amount in sorted(self._amounts.items()):
            if (owner, name) == (account, service):
                found[kind] = found.get(kind, 0.0) + amount
        return found

    def usage(self) -> list[dict[str, str | int]]:
        """One row per account, region, service and operation."""
        keys = sorted(self._counts.keys() | self._faults.keys())
        return [
            {
                "account": account,
                "region": region,
                "service": service,
                "operation": operation,
                "answered": self._counts.get((account, region, service, operation), 0),
                "refused": self._faults.get((account, region, service, operation), 0),
            }
            for account, region, service, operation in keys
        ]
