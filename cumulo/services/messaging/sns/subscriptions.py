"""Subscriptions: who receives what is published to a topic.

A subscription lies with its topic, under the topic's account; an entry under the subscriber's
account lets ListSubscriptions find it. Keys: (topic, id).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns, confirmations, subscription_endpoints, topics
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, NOT_FOUND_SUBSCRIPTION
from cumulo.services.messaging.sns.topics import Topic

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
_BATCH = 200
_MANAGED = ("sqs", "lambda", "firehose")
