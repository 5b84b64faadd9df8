"""Buckets, as the rest of this package names them; the record is the core's, since S3 Control reads it too."""

from cumulo.core.s3_access import PublicAccessBlock as PublicAccessBlock
from cumulo.core.s3_buckets import BUCKET_OWNER_ENFORCED as BUCKET_OWNER_ENFORCED
from cumulo.core.s3_buckets import BUCKETS as BUCKETS
from cumulo.core.s3_buckets import ENABLED as ENABLED
from cumulo.core.s3_buckets import SUSPENDED as SUSPENDED
from cumulo.core.s3_buckets import Bucket as Bucket
from cumulo.core.s3_buckets import Grants as Grants
from cumulo.core.s3_buckets import count as count
from cumulo.core.s3_buckets import keep as keep
from cumulo.core.s3_buckets import known as known
