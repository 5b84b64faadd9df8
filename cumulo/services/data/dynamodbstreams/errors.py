"""The errors of DynamoDB Streams.

Sources of the texts: the API reference's error lists; answers of AWS as clients' tests have them.
"""

from cumulo.core.errors import Error

VALIDATION = Error("ValidationException", status=400)
SHARD_NOT_FOUND = Error("ResourceNotFoundException", "Requested resource not found: Shard does not exist")
EXPIRED_ITERATOR = Error(
    "ExpiredIteratorException", "The shard iterator has expired and can no longer be used to retrieve stream records."
)
TRIMMED_DATA_ACCESS = Error(
    "TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard."
)
