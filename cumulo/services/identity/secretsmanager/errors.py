"""Secrets Manager's errors, in its own words.

Sources: answers of AWS; the error lists of the Secrets Manager API Reference.
"""

from cumulo.core.errors import Error

VALIDATION = Error("ValidationException", status=400)
INVALID_PARAMETER = Error("InvalidParameterException")
INVALID_REQUEST = Error("InvalidRequestException")
LIMIT_EXCEEDED = Error("LimitExceededException")
MALFORMED_POLICY = Error("MalformedPolicyDocumentException")
INVALID_NEXT_TOKEN = Error("InvalidNextTokenException", "The specified NextToken is invalid.")
ACCESS_DENIED = Error("AccessDeniedException", status=400)

NOT_FOUND = Error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
NO_SUCH_VALUE = Error(
    "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for {what}: {value}"
)
INVALID_NAME = Error(
    "ValidationException",
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    status=400,
)
TOKEN_TEXT = "You must provide a ClientRequestToken value. We recommend a UUID-type value."
MARKED_FOR_DELETION = Error(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was marked for deletion.",
)
ALREADY_SCHEDULED = Error(
    "InvalidRequestException",
    "You can't perform this operation on the secret because it was already scheduled for deletion.",
)
NAME_SCHEDULED = Error(
    "InvalidRequestException",
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
)
NAME_EXISTS = Error("ResourceExistsException", "The operation failed because the secret {name} already exists.")
TOKEN_IN_USE = Error(
    "ResourceExistsException",
    "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}.",
)
REPLICA = Error(
    "InvalidParameterException",
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
)
# Worded after the one above: AWS's own text for these is not known.
ACCOUNT_REPLICA = Error(
    "InvalidParameterException",
    "Operation not permitted on a replica secret. Call must be made on the primary secret in its account.",
)
NOT_A_REPLICA = Error("InvalidParameterException", "Operation not permitted on a primary secret.")
FOREIGN_DEFAULT_KEY = Error(
    "InvalidRequestException",
    "You can't access a secret from a different AWS account if you encrypt the secret "
    "with the default KMS service key.",
)
KMS_DENIED = Error("AccessDeniedException", "Access to KMS is not allowed", status=400)
ENCRYPTION_FAILURE = Error(
    "EncryptionFailure",
    "Secrets Manager can't encrypt the protected secret text using the provided KMS key. "
    "Check that the KMS key is available, enabled, and not in an invalid state.",
)
DECRYPTION_FAILURE = Error(
    "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
)
LAMBDA_DENIED = Error(
    "AccessDeniedException",
    "Secrets Manager cannot invoke the specified Lambda function. "
    "Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
    status=400,
)
NO_LAMBDA = Error("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
ROTATION_RUNS = Error(
    "InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted."
)
PUBLIC_POLICY = Error(
    "PublicPolicyException", "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent "
    "broad access to the secret.",
)  # fmt: skip
