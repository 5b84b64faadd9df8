"""The errors of SNS and AWS's texts for them."""

from cumulo.core.errors import Error

# Nearly everything that SNS refuses is this one code; the text after the colon says what.
INVALID_PARAMETER = Error("InvalidParameter", "Invalid parameter: {what}")
INVALID_TOKEN = Error("InvalidParameter", "Invalid token")
INVALID_VALUE = Error("InvalidParameterValueException")
NOT_FOUND_TOPIC = Error("NotFound", "Topic does not exist")
NOT_FOUND_SUBSCRIPTION = Error("NotFound", "Subscription does not exist")
NOT_FOUND_APPLICATION = Error("NotFound", "PlatformApplication does not exist")
NOT_FOUND_ENDPOINT = Error("NotFound", "Endpoint does not exist")
NOT_FOUND_RESOURCE = Error("ResourceNotFound", "Resource does not exist")
ENDPOINT_DISABLED = Error("EndpointDisabled", "Endpoint is disabled")
APPLICATION_DISABLED = Error("PlatformApplicationDisabled", "Platform application is disabled")
INVALID_TAG = Error("InvalidParameter", "Invalid parameter: Tags Reason: invalid tag key or value")
TAG_LIMIT_EXCEEDED = Error("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
AUTHORIZATION_ERROR = Error("AuthorizationError", status=403)

# What KMS says of a topic's key, by KMS's code. A key of another kind than symmetric encryption has no code of its own
# in SNS's model: it is told as a state that does not do.
KMS_ERRORS = {
    "AccessDeniedException": Error("KMSAccessDenied"),
    "DisabledException": Error("KMSDisabled"),
    "InvalidArnException": Error("KMSNotFound"),
    "InvalidKeyUsageException": Error("KMSInvalidState"),
    "KMSInvalidStateException": Error("KMSInvalidState"),
    "NotFoundException": Error("KMSNotFound"),
}

EMPTY_BATCH = Error("EmptyBatchRequest", "The batch request doesn't contain any entries.")
TOO_MANY_ENTRIES = Error("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
BATCH_TOO_LONG = Error("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
IDS_NOT_DISTINCT = Error("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
ENTRY_ID_TOO_LONG = Error("InvalidBatchEntryId", "The Id of a batch entry in the batch request is too long: {id}")
ENTRY_ID_CHARACTER = Error(
    "InvalidBatchEntryId", "The Id of a batch entry in the batch request contains an impermissible character: {id}"
)
INVALID_SMS_ENDPOINT = Error("InvalidParameter", "Invalid SMS endpoint: {endpoint}")
FILTER_POLICY_LIMIT = Error("FilterPolicyLimitExceeded", "Filter policy limit exceeded")
UNKNOWN_SMS_ATTRIBUTE = Error("InvalidParameter", "{name} is not a valid attribute")
INVALID_SMS_ATTRIBUTE = Error("InvalidParameter", "{name} is invalid")
INVALID_DEFAULT_SENDER = Error("InvalidParameter", "DefaultSendID is not a valid attribute")  # sic
NOT_FOUND_PHONE_NUMBER = Error("ResourceNotFound", "Phone number does not exist in the SMS sandbox")
TOO_MANY_PHONE_NUMBERS = Error("UserError", "The SMS sandbox holds at most 10 phone numbers")
VERIFICATION_FAILED = Error("VerificationException", "The one-time password is wrong or has expired")
