"""Amazon S3 Control: what belongs to accounts rather than to buckets: access points, public access blocks, grants."""

from cumulo.core.errors import Error

ACCESS_DENIED = Error("AccessDenied", status=403)
