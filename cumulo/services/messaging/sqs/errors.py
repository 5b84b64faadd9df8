"""The errors of Amazon SQS with AWS's texts.

Codes are error shapes of the model where there is one; how each travels on the json and the query
wire (`AWS.SimpleQueueService.NonExistentQueue`, …) is data in wire/patches/sqs.json.
Sources: the API reference's error lists, and answers seen from AWS where a text is not documented.
"""

from cumulo.core.errors import Error

QUEUE_DOES_NOT_EXIST = Error("QueueDoesNotExist", "The specified queue does not exist.")
ACCESS_DENIED = Error(
    "AccessDenied",
    "User: {principal} is not authorized to perform: sqs:{action} on resource: {arn} because no "
    "identity-based policy allows the sqs:{action} action",
    status=403,
)
INVALID_ADDRESS = Error("InvalidAddress", "The address {url} is not valid for this endpoint.")
QUEUE_NAME_EXISTS = Error(
    "QueueNameExists", "A queue already exists with the same name and a different value for attribute {name}"
)
QUEUE_DELETED_RECENTLY = Error(
    "QueueDeletedRecently",
    "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
)
PURGE_QUEUE_IN_PROGRESS = Error(
    "PurgeQueueInProgress", "Only one PurgeQueue operation on {name} is allowed every 60 seconds."
)

INVALID_ATTRIBUTE_NAME = Error("InvalidAttributeName", "Unknown Attribute {name}.")
INVALID_ATTRIBUTE_VALUE = Error("InvalidAttributeValue", "Invalid value for the parameter {name}.")

# Two faults of SQS that its model lacks; both are shapes of AWS's service framework.
INVALID_PARAMETER = Error("InvalidParameterValue", "Value {value} for parameter {name} is invalid. Reason: {reason}")
MISSING_PARAMETER = Error("MissingParameter", "The request must contain the parameter {name}.")

INVALID_MESSAGE_CONTENTS = Error(
    "InvalidMessageContents",
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF",
)
UNSUPPORTED_OPERATION = Error("UnsupportedOperation")
OVER_LIMIT = Error("OverLimit")

RECEIPT_HANDLE_IS_INVALID = Error(
    "ReceiptHandleIsInvalid", 'The input receipt handle "{handle}" is not a valid receipt handle.'
)
RECEIPT_HANDLE_OF_ANOTHER_QUEUE = Error(
    "ReceiptHandleIsInvalid", 'The receipt handle "{handle}" is not valid for this queue.'
)

EMPTY_BATCH_REQUEST = Error("EmptyBatchRequest", "There should be at least one {entry} in the request.")
TOO_MANY_ENTRIES = Error(
    "TooManyEntriesInBatchRequest", "Maximum number of entries per request are {limit}. You have sent {count}."
)
INVALID_BATCH_ENTRY_ID = Error(
    "InvalidBatchEntryId",
    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
    "It can be at most 80 letters long.",
)
BATCH_ENTRY_IDS_NOT_DISTINCT = Error("BatchEntryIdsNotDistinct", "Id {id} repeated.")
BATCH_REQUEST_TOO_LONG = Error(
    "BatchRequestTooLong", "Batch requests cannot be longer than {limit} bytes. You have sent {count} bytes."
)

# What KMS answered to SQS, in its words: see sealing.py.
KMS_ACCESS_DENIED = Error("KmsAccessDenied")
KMS_DISABLED = Error("KmsDisabled")
KMS_INVALID_STATE = Error("KmsInvalidState")
KMS_INVALID_KEY_USAGE = Error("KmsInvalidKeyUsage")
KMS_NOT_FOUND = Error("KmsNotFound")

RESOURCE_NOT_FOUND = Error("ResourceNotFoundException")

NOT_FOR_THIS_QUEUE_TYPE = "The request include parameter that is not valid for this queue type."
