"""What can go wrong with a store, each saying what the person can do about it."""


class StoreFailure(Exception):
    """The store could not do it; what was asked for has not happened, or its outcome is in the message."""


class StoreFull(StoreFailure):
    """No space is left where the store writes. It goes on by itself once there is space."""


class StoreReadOnly(StoreFailure):
    """The place of the store cannot be written."""


class StoreCorrupt(StoreFailure):
    """The stored bytes are damaged or are not cumulo's. They are never overwritten."""


class StoreNewer(StoreFailure):
    """A newer cumulo wrote the store; this one cannot read it and leaves it alone."""


class StoreLocked(StoreFailure):
    """Another process uses the data directory. `pid` is its process id, when it could be read."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class StoreUnavailable(StoreFailure):
    """The database server cannot be reached, or conflicts kept a transaction from ending in time."""


class StoreClosed(StoreFailure):
    """The store was closed; the server is stopping."""


def again(failure: BaseException) -> BaseException:
    """A fresh copy of a failure that many callers get: a raised exception collects its raiser's traceback."""
    if isinstance(failure, StoreLocked):
        return StoreLocked(str(failure), failure.pid)
    if isinstance(failure, StoreFailure):
        copy = type(failure)(*failure.args)
        copy.__cause__ = failure.__cause__
        return copy
    return failure
