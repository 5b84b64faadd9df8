"""A service's own condition keys, worked out only when a condition asks for one: most decisions ask for none."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any


class DeferredKeys(Mapping[str, Any]):
    """Condition keys and their values, as `work_out` finds them when the first is looked for."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, Any] | None = None

    @abstractmethod
    def work_out(self) -> dict[str, Any]:
        """All keys that there are, with their values; called once at the most."""

    def _all(self) -> dict[str, Any]:
        if self._found is None:
            self._found = self.work_out()
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
