"""The errors of AWS KMS with AWS's texts.

Codes are error shapes of the model, but for ValidationException and NotAuthorizedException, which every service
may answer. Sources: the API reference's error lists, and answers seen from AWS where a text is not documented.
"""

from cumulo.core.errors import Error

NOT_FOUND = Error("NotFoundException", "Key '{arn}' does not exist")
INVALID_KEY_ID = Error("NotFoundException", "Invalid keyId {key_id}")
INVALID_REGION = Error("NotFoundException", "Invalid arn {region}")
INVALID_ARN = Error("InvalidArnException", "Invalid arn {arn}")
ALIAS_NOT_FOUND = Error("NotFoundException", "Alias {arn} is not found.")
NO_SUCH_POLICY = Error("NotFoundException", "No such policy exists")
GRANT_NOT_FOUND = Error("NotFoundException", "Grant ID {grant_id} not found")
# To another account's callers a key that is not there and one that lets nobody in look alike.
NOT_REACHABLE = Error(
    "AccessDeniedException",
    "User: {principal} is not authorized to perform: {action} on {what} because the resource does not exist in this "
    "Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
    status=400,
)
NOT_AUTHORIZED = Error("NotAuthorizedException", status=400)

VALIDATION = Error("ValidationException", status=400)
ALREADY_EXISTS = Error("AlreadyExistsException")
ALIAS_EXISTS = Error("AlreadyExistsException", "An alias with the name {arn} already exists")
INVALID_ALIAS_NAME = Error("InvalidAliasNameException")
INVALID_MARKER = Error("InvalidMarkerException", "Marker is invalid")
LIMIT_EXCEEDED = Error("LimitExceededException")
TAG = Error("TagException")
MALFORMED_POLICY = Error("MalformedPolicyDocumentException")
POLICY_LOCKS_OUT = Error(
    "MalformedPolicyDocumentException",
    "The new key policy will not allow you to update the key policy in the future.",
)
UNSUPPORTED = Error("UnsupportedOperationException")
WRONG_ORIGIN = Error("UnsupportedOperationException", "{arn} origin is {origin} which is not valid for this operation.")
WRONG_SPEC = Error("UnsupportedOperationException", "{arn} key spec is {spec} which is not valid for this operation.")
NOT_PRIMARY = Error("UnsupportedOperationException", "{arn} is not a multi-region primary key.")

DISABLED = Error("DisabledException", "{arn} is disabled.")
PENDING_IMPORT = Error("KMSInvalidStateException", "{arn} is pending import.")
PENDING_DELETION = Error("KMSInvalidStateException", "{arn} is pending deletion.")
NOT_PENDING_DELETION = Error("KMSInvalidStateException", "{arn} is not pending deletion.")
NOTHING_TO_ROTATE_TO = Error(
    "KMSInvalidStateException", "No available key material pending rotation for the key: {arn}."
)
ANOTHER_PENDING = Error(
    "KMSInvalidStateException",
    "New key material (id: {new}) cannot be imported into KMS key {arn}, because another key material "
    "(id: {pending}) is pending rotation.",
)
ROTATIONS_SPENT = Error(
    "LimitExceededException",
    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "
    "performed for this key: {arn}",
)

WRONG_USAGE = Error("InvalidKeyUsageException", "{arn} key usage is {usage} which is not valid for {operation}.")
WRONG_ALGORITHM = Error("InvalidKeyUsageException", "Algorithm {algorithm} is incompatible with key spec {spec}.")
INCORRECT_KEY = Error(
    "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation."
)
INVALID_CIPHERTEXT = Error("InvalidCiphertextException")
INVALID_SIGNATURE = Error("KMSInvalidSignatureException")
INVALID_MAC = Error("KMSInvalidMacException")
INVALID_GRANT_TOKEN = Error("InvalidGrantTokenException", "The grant token is not valid.")
INVALID_GRANT_ID = Error("InvalidGrantIdException", "The grant ID is not valid.")
INVALID_IMPORT_TOKEN = Error("InvalidImportTokenException", "The import token does not belong to this KMS key.")
EXPIRED_IMPORT_TOKEN = Error("ExpiredImportTokenException", "The import token has expired.")
INCORRECT_MATERIAL = Error("IncorrectKeyMaterialException")
CUSTOM_KEY_STORE_NOT_FOUND = Error("CustomKeyStoreNotFoundException")
DRY_RUN = Error("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
INTERNAL = Error("KMSInternalException", status=500, sender=False)
