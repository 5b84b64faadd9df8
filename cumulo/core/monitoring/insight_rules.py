"""Contributor Insights rules: what CloudWatch keeps of them, and what services that have rules of their own need.

A rule over log groups reads its events when a report is asked for. A service's rule (DynamoDB's most accessed keys) is
fed by the service: it adds up in memory who contributed how much in a minute, and adds that here now and then.
Source: Amazon CloudWatch User Guide, "Using Contributor Insights to analyze high-cardinality data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.counters import Slots
from cumulo.core.table import REGION, Codec, Record, Space, Table, prefix_range

if TYPE_CHECKING:
    from cumulo.core.context import Context

ENABLED, DISABLED = "ENABLED", "DISABLED"
LOG_RULE, SERVICE_RULE = "CloudWatchLogRule", "ServiceLogRule"
KEPT_S = 15 * 86_400
MAXIMUM_KEYS = 1000  # of a minute's row: beyond these, what is least is only counted

Keys = tuple[str, ...]


class InsightRule(Record):
    """A rule. `enabled` are the times (in cloud seconds) from when to when it looked at what came, 0 for "still"."""

    name: str
    definition: str
    state: str
    id: bytes  # of what was contributed: another rule of the same name later shares nothing with this one
    created_at: float
    enabled: list[tuple[float, float]]
    service: str = ""  # the service that made it and feeds it: users cannot change it
    template: str = ""  # of a managed rule
    resource_arn: str = ""
    transformed: bool = False
    tags: dict[str, str] = {}


class Contribution(Record):
    """What one contributor gave in a minute: the sum of its values, their number and the largest."""

    keys: Keys
    total: float
    count: float
    high: float


class ContributionMinute(Record):
    """What a rule was told of one minute (its start, in seconds): the contributors, and all values together."""

    start: int
    contributors: list[Contribution]
    samples: float = 0.0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0
    others: int = 0  # contributors that were left out

    def add(self, keys: Keys, total: float, count: float, low: float, high: float) -> None:
        """Take in values of a contributor that is not in it yet."""
        self.contributors.append(Contribution(keys, total, count, high))
        self.low = min(self.low, low) if self.samples else low
        self.high = max(self.high, high) if self.samples else high
        self.samples += count
        self.total += total

    def merge(self, other: ContributionMinute) -> None:
        """Take in all of another one."""
        if other.samples:
            self.low = min(self.low, other.low) if self.samples else other.low
            self.high = max(self.high, other.high) if self.samples else other.high
        known = {one.keys: one for one in self.contributors}
        for one in other.contributors:
            mine = known.get(one.keys)
            if mine is None:
                self.contributors.append(one)
            else:
                mine.total += one.total
                mine.count += one.count
                mine.high = max(mine.high, one.high)
        self.samples += other.samples
        self.total += other.total
        self.others += other.others

    def cut(self) -> None:
        """Leave out those that gave least, where there are too many."""
        if len(self.contributors) > MAXIMUM_KEYS:
            self.contributors.sort(key=lambda one: one.total, reverse=True)
            self.others += len(self.contributors) - MAXIMUM_KEYS
            del self.contributors[MAXIMUM_KEYS:]


RULES = Table(
    InsightRule,
    name="cloudwatch.insight_rules",
    key="name",
    scope=REGION,
    arn="arn:{partition}:cloudwatch:{region}:{account}:insight-rule/{name}",
    tags=lambda rule: rule.tags,
)
CONTRIBUTIONS = Space("cloudwatch.contributions")
CODEC = Codec(ContributionMinute)
SLOTS = Slots()


def enable(rule: InsightRule, now: float) -> None:
    """Let the rule look at what comes from now on."""
    if rule.state != ENABLED:
        rule.state = ENABLED
        rule.enabled.append((now, 0.0))


def disable(rule: InsightRule, now: float) -> None:
    """Let the rule look away. What it saw within the time that reports may ask for stays."""
    if rule.state == ENABLED:
        rule.state = DISABLED
        rule.enabled[-1] = (rule.enabled[-1][0], now)
    rule.enabled = [span for span in rule.enabled if span[1] == 0.0 or span[1] > now - KEPT_S]


def contribute(ctx: Context, rule_id: bytes, minute: ContributionMinute, *, account: str, region: str) -> None:
    """Add what came in a minute to what the rule was told already."""
    key = CONTRIBUTIONS.key(ctx, rule_id, minute.start, SLOTS.of(ctx), account=account, region=region)
    data = ctx.txn.get(key)
    if data is not None:
        known = CODEC.decode(data)
        known.merge(minute)
        minute = known
    else:  # the first of this minute: what is too old to be asked for goes
        begin, _ = prefix_range(CONTRIBUTIONS.key(ctx, rule_id, account=account, region=region))
        old = CONTRIBUTIONS.key(ctx, rule_id, minute.start - KEPT_S, account=account, region=region)
        for expired, _ in ctx.txn.range(begin, old, limit=100):
            ctx.txn.delete(expired)
    minute.cut()
    ctx.txn.put(key, CODEC.encode(minute))


def contributed(ctx: Context, rule_id: bytes, start: int, end: int) -> list[ContributionMinute]:
    """What a rule was told of the minutes from start to end."""
    begin, stop = CONTRIBUTIONS.key(ctx, rule_id, start), CONTRIBUTIONS.key(ctx, rule_id, end)
    return [CODEC.decode(data) for _, data in ctx.txn.range(begin, stop)]


def forget(ctx: Context, rule: InsightRule) -> None:
    """Delete a rule and all that it was told."""
    for key, _ in ctx.txn.range(*prefix_range(CONTRIBUTIONS.key(ctx, rule.id))):
        ctx.txn.delete(key)
    RULES.delete(ctx, rule)
