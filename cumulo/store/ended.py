"""The write buffer of a transaction that is over."""

from typing import Any, NoReturn

from cumulo.store.overlay import Writes


class _Ended(dict[Any, Any]):
    """The write buffer of a transaction that is over: any use says so."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise RuntimeError("this transaction has ended: read and write inside `work` only")

    __contains__ = __iter__ = __getitem__ = __setitem__ = __bool__ = copy = _refuse


ENDED: Writes = _Ended()
