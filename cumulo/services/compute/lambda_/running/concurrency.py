"""How many invocations may run at a time: of an account, of a function with reserved concurrency.

Provisioned environments that are free serve without being counted here: their capacity was taken from the limits when
it was asked for. Counted is what this process runs. Source: Lambda Developer Guide, "Understanding Lambda function
scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.compute.lambda_.errors import THROTTLED
from cumulo.services.compute.lambda_.running import provisioned_configs
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.services.compute.lambda_.stored.functions import Function

ACCOUNT_LIMIT = 1000
UNRESERVED_LEAST = 100  # what all functions without a reservation keep, whatever is reserved

LIMIT_S = 10.0
ACCOUNT_FULL = "ConcurrentInvocationLimitExceeded"
FUNCTION_FULL = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_FAST = "FunctionInvocationRateLimitExceeded"
FUNCTION_FAST = "ReservedFunctionInvocationRateLimitExceeded"
RATE = 10  # invocations a second for each that may run at a time
SCALING = 1000  # environments that a function may get at once, and more of them evenly over SCALING_S seconds
SCALING_S = 10.0


class Limits(NamedTuple):
    """What a function's invocations on demand may take: of its own reservation (None: it has none) and unreserved."""

    reserved: int | None
    unreserved: int


def limits_of(ctx: Context, function: Function) -> Limits:
    """The limits for a function as the state is; inside a transaction."""
    if function.reserved_concurrency is not None:
        provisioned = provisioned_configs.total(ctx, function.account, function.region, function.name)
        return Limits(max(0, function.reserved_concurrency - provisioned), 0)
    usage = usage_of(ctx.runtime, function.account, function.region)
    if usage.limit is None or usage.limit_until < ctx.now():
        usage.limit = unreserved(ctx, function.account, function.region)
        usage.limit_until = ctx.now() + LIMIT_S
    return Limits(None, usage.limit)


def usage_of(runtime: Runtime, account: str, region: str) -> Usage:
    """What is running of an account in a region."""
    usages: dict[tuple[str, str], Usage] = runtime.memory.setdefault("lambda.usages", {})
    found = usages.get((account, region))
    if found is None:
        found = usages[account, region] = Usage()
    return found


def changed(ctx: Context, account: str, region: str) -> None:
    """Reservations have changed in this transaction: what is left is counted anew."""

    def recount() -> None:
        usage_of(ctx.runtime, account, region).limit = None

    ctx.txn.on_commit(recount)


def unreserved(ctx: Context, account: str, region: str) -> int:
    """What is left of the account's concurrency for functions without a reservation, beside what is provisioned."""
    left = ACCOUNT_LIMIT
    reserving = set()
    for function in FUNCTIONS.range(ctx, account=account, region=region):
        if function.reserved_concurrency is not None:
            left -= function.reserved_concurrency
            reserving.add(function.name)
    for config in provisioned_configs.of_account(ctx, account, region):
        if config.name not in reserving:
            left -= config.requested
    return left


class Usage:
    """What one account's functions have running on demand in one region."""

    __slots__ = ("functions", "limit", "limit_until", "rates", "scaling", "total", "unreserved")

    def __init__(self) -> None:
        self.functions: dict[str, int] = {}
        self.total = 0
        self.unreserved = 0
        self.limit: int | None = None  # of unreserved ones, as it was counted last
        self.limit_until = 0.0  # cloud time; another node may have changed it
        self.rates: dict[str, tuple[int, int]] = {}  # the second, and how many began in it
        self.scaling: dict[str, tuple[float, float]] = {}  # cloud time, and how many environments might begin then

    def enter(self, name: str, limits: Limits) -> bool:
        """Count one more invocation; gives whether it was an unreserved one. Raises TooManyRequestsException."""
        running = self.functions.get(name, 0)
        if limits.reserved is not None:
            if running >= limits.reserved:
                raise THROTTLED(members={"Reason": FUNCTION_FULL})
        elif self.unreserved >= limits.unreserved:
            raise THROTTLED(members={"Reason": ACCOUNT_FULL})
        else:
            self.unreserved += 1
        self.functions[name] = running + 1
        self.total += 1
        return limits.reserved is None

    def begin(self, name: str, limits: Limits, now: float) -> None:
        """Hold a function to its invocations a second; only where the cloud is told to throttle.

        Raises TooManyRequestsException.
        """
        most = RATE * (ACCOUNT_LIMIT if limits.reserved is None else limits.reserved)
        second, begun = self.rates.get(name, (0, 0))
        begun = begun + 1 if second == int(now) else 1
        if begun > most:
            raise THROTTLED(members={"Reason": ACCOUNT_FAST if limits.reserved is None else FUNCTION_FAST})
        self.rates[name] = int(now), begun

    def allocate(self, name: str, now: float) -> None:
        """Hold a function to its new environments in ten seconds. Raises TooManyRequestsException.

        Source: Lambda Developer Guide, "Lambda scaling behavior"; it names no Reason, and this is the one whose
        meaning is nearest.
        """
        then, left = self.scaling.get(name, (now, SCALING))
        left = min(SCALING, left + (now - then) * SCALING / SCALING_S)
        if left < 1:
            raise THROTTLED(members={"Reason": ACCOUNT_FULL})
        self.scaling[name] = now, left - 1

    def give_back(self, name: str) -> None:
        """An environment was not needed, or died: one that takes its place, as on AWS, is no new one."""
        then, left = self.scaling.get(name, (0.0, SCALING))
        self.scaling[name] = then, left + 1

    def leave(self, name: str, was_unreserved: bool) -> None:
        """The end of one that entered."""
        self.total -= 1
        left = self.functions[name] - 1
        if left:
            self.functions[name] = left
        else:
            del self.functions[name]
        if was_unreserved:
            self.unreserved -= 1
