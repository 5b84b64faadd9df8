"""AWS Lambda: functions, their versions and aliases, layers, permissions, and the invocations of them."""

from cumulo.core.errors import Error

# What a caller without the right to do something is told.
ACCESS_DENIED = Error("AccessDeniedException", status=403)
