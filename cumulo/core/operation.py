"""Marks on the functions that are operations, durable tasks and reconcilers of a service.

There is no registry to edit: `discovery` finds the marks when the service is first used.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, overload

CO_COROUTINE = 0x80  # inspect.CO_COROUTINE, without importing inspect at start-up

F = TypeVar("F", bound=Callable[..., Any])
Conditions = Callable[[Any, dict[str, Any]], Mapping[str, Any]]


class OperationMark:
    """What `@operation` says of a function."""

    __slots__ = ("conditions", "public", "streams", "unsupported")

    def __init__(
        self, unsupported: tuple[str, ...], public: bool, conditions: Conditions | None = None, streams: bool = False
    ) -> None:
        self.unsupported = unsupported
        self.public = public
        self.conditions = conditions
        self.streams = streams


class TaskMark:
    """What `@task` says of a function: its durable name and how often it is tried."""

    __slots__ = ("attempts", "backoff_s", "name")

    def __init__(self, name: str, attempts: int, backoff_s: float) -> None:
        self.name = name
        self.attempts = attempts
        self.backoff_s = backoff_s


class ReconcilerMark:
    """What `@reconciler` says of a function: its period and the signal that wakes it earlier."""

    __slots__ = ("every_s", "signal")

    def __init__(self, every_s: float, signal: str | None) -> None:
        self.every_s = every_s
        self.signal = signal


Mark = OperationMark | TaskMark | ReconcilerMark

# Beside the functions, not on them: a compiled function takes no attributes. Holding it keeps its id its own.
_marks: dict[int, tuple[object, Mark]] = {}


def mark_of(function: object) -> Mark | None:
    """What a decorator of this module said of the function; None of anything else."""
    found = _marks.get(id(function))
    return None if found is None else found[1]


class Retry(Exception):
    """Raised by a task: undo what this attempt did and try again after so many seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"again in {after_s} s")
        self.after_s = after_s


class Wait(Exception):
    """Raised by a `def` operation that finds it has to wait: undo what it did and go on with `then(ctx)`.

    So an operation that seldom waits, such as a poll, costs no more than one that never does.
    """

    def __init__(self, then: Callable[[Any], Awaitable[Any]]) -> None:
        super().__init__("this operation waits")
        self.then = then


@overload
def operation(function: F) -> F: ...
@overload
def operation(
    *,
    unsupported: tuple[str, ...] = (),
    public: bool = False,
    conditions: Conditions | None = None,
    streams: bool = False,
) -> Callable[[F], F]: ...
def operation(
    function: F | None = None,
    *,
    unsupported: tuple[str, ...] = (),
    public: bool = False,
    conditions: Conditions | None = None,
    streams: bool = False,
) -> Any:
    """The AWS operation of this function's name (`send_message` is `SendMessage`).

    `unsupported` names the request members that are refused, the only way not to honour one.
    `public`: no permission is asked for beforehand, and the call may come unsigned, because something in the
    request stands for it (a token that was sent out).
    `conditions(ctx, request)` are the service's own condition keys where permission is asked on "*" beforehand.
    `streams`: a large payload is given as a `core.bodies.Body`, read piece by piece, not as bytes.
    """

    def mark(function: F) -> F:
        _marks[id(function)] = (function, OperationMark(unsupported, public, conditions, streams))
        return function

    return mark(function) if function is not None else mark


@overload
def task(function: F) -> F: ...
@overload
def task(*, attempts: int = 10, backoff_s: float = 1.0) -> Callable[[F], F]: ...
def task(function: F | None = None, *, attempts: int = 10, backoff_s: float = 1.0) -> Any:
    """A durable task, started with `ctx.later(function, payload)`.

    A `def` task runs in one transaction with its own removal: exactly once. An `async def` task is at
    least once. After `attempts` failures it is set aside as dead; between them the wait doubles from `backoff_s`.
    """

    def mark(function: F) -> F:
        # The name says nothing of where in its service the function is, so that it may move: tasks on disk have it.
        package = function.__module__.removeprefix("cumulo.services.").split(".")[1]
        service = package.rstrip("_").replace("_", "-")  # as botocore names it: lambda_ is lambda
        _marks[id(function)] = (function, TaskMark(f"{service}.{function.__name__}", attempts, backoff_s))
        return function

    return mark(function) if function is not None else mark


def reconciler(*, every_s: float, signal: str | None = None) -> Callable[[F], F]:
    """An idempotent `async def (ctx)` that makes the real state the desired one; woken by period and by signal."""

    def mark(function: F) -> F:
        _marks[id(function)] = (function, ReconcilerMark(every_s, signal))
        return function

    return mark


def waits(function: Callable[..., Any]) -> bool:
    """Whether a function is `async def`."""
    return bool(function.__code__.co_flags & CO_COROUTINE) if hasattr(function, "__code__") else False


Handler = Callable[[Any, dict[str, Any]], dict[str, Any] | Awaitable[dict[str, Any]] | None]
