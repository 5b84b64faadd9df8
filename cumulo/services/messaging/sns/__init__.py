"""Amazon SNS: topics, subscriptions, and the delivery of what is published."""

from cumulo.core.errors import Error

# What a caller without the right to do something is told.
ACCESS_DENIED = Error("AuthorizationError", status=403)
