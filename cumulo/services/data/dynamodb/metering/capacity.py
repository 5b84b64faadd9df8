"""Capacity units: what reads and writes consume, as DynamoDB counts it.

Sources: DynamoDB Developer Guide, "DynamoDB read and write operations", "Global secondary indexes", read and write
considerations, "Local secondary indexes", provisioned throughput considerations, "DynamoDB transactions", capacity.
"""

from __future__ import annotations

from typing import Any

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


def write_units(size: int) -> float:
    """What writing so many bytes takes; deleting what is not there takes one unit."""
    return float((size + WRITE_UNIT_BYTES - 1) // WRITE_UNIT_BYTES or 1)


def read_units(size: int, consistent: bool) -> float:
    """What reading so many bytes in one go takes; nothing at all takes as much as 4 KB."""
    units = (size + READ_UNIT_BYTES - 1) // READ_UNIT_BYTES or 1
    return float(units) if consistent else units / 2


class Usage:
    """What one table's part of a call consumed. `factor` is 2 for transactions."""

    __slots__ = ("factor", "globals", "locals", "reads", "table")

    def __init__(self, table: float = 0.0, *, reads: bool = False, factor: int = 1) -> None:
        self.table = table * factor
        self.locals: dict[str, float] = {}
        self.globals: dict[str, float] = {}
        self.reads = reads
        self.factor = factor

    def add(self, units: float) -> None:
        """Count units of the table itself."""
        self.table += units * self.factor

    def add_index(self, name: str, local: bool, units: float) -> None:
        """Count units of an index."""
        indexes = self.locals if local else self.globals
        indexes[name] = indexes.get(name, 0.0) + units * self.factor

    def merge(self, other: Usage) -> None:
        """Count what another part of the call consumed of the same table."""
        self.table += other.table
        for name, units in other.locals.items():
            self.locals[name] = self.locals.get(name, 0.0) + units
        for name, units in other.globals.items():
            self.globals[name] = self.globals.get(name, 0.0) + units

    @property
    def total(self) -> float:
        """Units of the table and its indexes together."""
        total = self.table
        if self.locals or self.globals:
            total += sum(self.locals.values(), 0.0) + sum(self.globals.values(), 0.0)
        return total

    def answer(self, table: str, mode: str) -> dict[str, Any]:
        """ConsumedCapacity for a table, called as the request called it; `mode` is TOTAL or INDEXES."""
        out: dict[str, Any] = {"TableName": table, **self._units(self.total)}
        if mode == "INDEXES":
            out["Table"] = self._units(self.table)
            if self.locals:
                out["LocalSecondaryIndexes"] = {name: self._units(units) for name, units in self.locals.items()}
            if self.globals:
                out["GlobalSecondaryIndexes"] = {name: self._units(units) for name, units in self.globals.items()}
        return out

    def _units(self, units: float) -> dict[str, float]:
        if self.factor == 1:
            return {"CapacityUnits": units}
        # Transactions also say of which kind the units are.
        return {"CapacityUnits": units, "ReadCapacityUnits" if self.reads else "WriteCapacityUnits": units}
