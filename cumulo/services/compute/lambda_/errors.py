"""Lambda's errors, in its own words. Source, where nothing else is said: observed in AWS's answers."""

from typing import Any

from cumulo.core.errors import Error, Fault


class UserError(Error):
    """An error of Lambda's own, which carries `Type` beside its text; what the model's checks refuse does not."""

    __slots__ = ()

    def __call__(
        self, message: str | None = None, /, *, members: dict[str, Any] | None = None, **values: object
    ) -> Fault:
        return super().__call__(message, members={"Type": "User", **(members or {})}, **values)


# --- finding ------------------------------------------------------------------------------------

FUNCTION_NOT_FOUND = UserError("ResourceNotFoundException", "Function not found: {arn}")
RESOURCE_NOT_FOUND = UserError("ResourceNotFoundException", "The resource you requested does not exist.")
ALIAS_NOT_FOUND = UserError("ResourceNotFoundException", "Cannot find alias arn: {arn}")
WRONG_REGION = UserError(
    "ResourceNotFoundException", "Functions from '{given}' are not reachable in this region ('{region}')"
)
QUALIFIER_MISMATCH = UserError(
    "InvalidParameterValueException",
    "The derived qualifier from the function name does not match the specified qualifier.",
)
VALIDATION = Error("ValidationException", status=400)
INVALID_PARAMETER = UserError("InvalidParameterValueException")
REVISION_MISMATCH = UserError(
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the {call} API to retrieve the latest "
    "Revision Id",
)

# --- functions ----------------------------------------------------------------------------------

FUNCTION_EXISTS = UserError("ResourceConflictException", "Function already exist: {name}")  # sic
UPDATE_IN_PROGRESS = UserError(
    "ResourceConflictException",
    "The operation cannot be performed at this time. An update is in progress for resource: {arn}",
)
CREATE_IN_PROGRESS = UserError(
    "ResourceConflictException",
    "The operation cannot be performed at this time. The function is currently in the following state: Pending",
)
ROLE_NOT_ASSUMABLE = UserError(
    "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
)
ROLE_NOT_ASSUMABLE_ANY_MORE = UserError(
    "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", status=403
)
BAD_ZIP = UserError(
    "InvalidParameterValueException",
    "Could not unzip uploaded file. Please check your file, then try to upload again.",
)
# Reported by users of AWS (dumrauf/serverless_static_website_with_basic_auth 17).
EMPTY_ZIP = UserError("InvalidParameterValueException", "Uploaded file must be a non-empty zip")
# The hints are of our own: why, and where images come from.
IMAGE_MISSING = UserError(
    "InvalidParameterValueException", "Source image {uri} does not exist. Provide a valid source image. {hint}"
)
IMAGE_INVALID = UserError(
    "InvalidParameterValueException", "Source image {uri} is not valid. Provide a valid source image."
)
IMAGE_UNSUPPORTED = UserError(
    "InvalidParameterValueException",
    "The image manifest, config or layer media type for the source image {uri} is not supported. {hint}",
)
# Reported by users of AWS (pulumi/pulumi-aws 5439).
IMAGE_BRINGS_ALL = UserError(
    "InvalidParameterValueException",
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
)
NEEDS_IMAGE = UserError(
    "InvalidParameterValueException", "Please provide ImageUri when {doing} a function with packageType Image."
)
# Reported by users of AWS (umihico/pythonista-chromeless 19).
NEEDS_NO_IMAGE = UserError(
    "InvalidParameterValueException", "Please don't provide ImageUri when updating a function with packageType Zip."
)
UNZIPPED_TOO_LARGE = UserError("InvalidParameterValueException", "Unzipped size must be smaller than {limit} bytes")
ZIPPED_TOO_LARGE = Error("RequestEntityTooLargeException", "Zipped size must be smaller than {limit} bytes", status=413)
REQUEST_TOO_LARGE = Error(
    "RequestEntityTooLargeException",
    "Request must be smaller than {limit} bytes for the {operation} operation",
    status=413,
)

# --- invocations --------------------------------------------------------------------------------

THROTTLED = UserError("TooManyRequestsException", "Rate Exceeded.")
NOT_ACTIVE = UserError(
    "ResourceConflictException",
    "The operation cannot be performed at this time. The function is currently in the following state: {state}",
)
INVALID_PAYLOAD = UserError(
    "InvalidRequestContentException",
    "Could not parse request body into json: Could not parse payload into json: {reason}",
)
# Source: answers quoted in serverless/serverless#2923 and in AWS's SDK for Android, "Client context must be …".
INVALID_CLIENT_CONTEXT = UserError(
    "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
)
PAYLOAD_TOO_LARGE = UserError(
    "RequestTooLargeException",
    "{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
)
# Source: Lambda Developer Guide, "Troubleshooting tenant isolation for Lambda functions": the code; the words are ours.
TENANT_MISSING = UserError(
    "InvalidParameterValueException",
    "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.",
)
TENANT_UNWANTED = UserError(
    "InvalidParameterValueException",
    "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try "
    "again.",
)
# Source: Lambda Developer Guide, "Tenant isolation", Supported features and limitations; the words are ours.
NOT_FOR_TENANTS = UserError(
    "InvalidParameterValueException", "{what} not supported for functions with tenant isolation."
)
# Source: Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops": the code.
RECURSIVE = UserError(
    "RecursiveInvocationException", "Lambda has detected that the function {arn} is being invoked in a recursive loop."
)
NO_ENVIRONMENT = Error("ServiceException", "No execution environment could be started: {reason}")
RUNTIME_MISSING = Error("InvalidRuntimeException", "cumulo cannot run this function on this machine: {reason}")

# --- events ---------------------------------------------------------------------------------------

FUNCTION_GONE = UserError("ResourceNotFoundException", "The function doesn't exist.")
NO_EVENT_INVOKE_CONFIG = UserError("ResourceNotFoundException", "The function {arn} doesn't have an EventInvokeConfig")
NOTHING_CONFIGURED = UserError(
    "InvalidParameterValueException", "You must specify at least one of error handling or destination setting."
)
INVALID_DESTINATIONS = UserError(
    "InvalidParameterValueException",
    "The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) is invalid.",
)
INVALID_DESTINATION = UserError("InvalidParameterValueException", "The destination ARN {arn} is invalid.")
# As Terraform's provider for AWS and exam questions quote it.
ROLE_CANNOT_TELL = UserError(
    "InvalidParameterValueException", "The function's execution role does not have permissions to call {call} on {arn}"
)
DESTINATION_IS_ITSELF = UserError(
    "InvalidParameterValueException", "You can't specify the function as a destination for itself."
)
INVALID_MARKER = UserError("InvalidParameterValueException", "Invalid pagination token")

# --- provisioned concurrency ------------------------------------------------------------------------

NO_PROVISIONED_CONCURRENCY = UserError(
    "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function"
)
PROVISIONED_UNPUBLISHED = UserError(
    "InvalidParameterValueException",
    "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
)
NOT_PUBLISHED = UserError(
    "InvalidParameterValueException", "The function resource provided must be an alias or a published version."
)
PROVISIONED_OVER_RESERVED = UserError(
    "InvalidParameterValueException",
    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
)
PROVISIONED_OVER_UNRESERVED = Error(
    "InvalidParameterValueException",
    "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{unreserved}].",
)
PROVISIONED_LEAVES_TOO_LITTLE = Error(
    "InvalidParameterValueException",
    "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
    "value of [{least}].",
)
FUNCTIONS_ONLY = UserError(
    "InvalidParameterValueException",
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please "
    "specify either a function name or an unqualified function ARN.",
)
RESERVED_UNDER_PROVISIONED = Error(
    "InvalidParameterValueException",
    " ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned concurrency "
    "[{provisioned}].",  # the spaces are AWS's
)
RESERVED_LEAVES_TOO_LITTLE = Error(
    "InvalidParameterValueException",
    "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
    "minimum value of [{least}].",
)
VERSION_BEHIND_ALIAS = UserError("ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
ALIAS_OF_PROVISIONED = UserError(
    "ResourceConflictException",
    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
)

# --- function URLs ----------------------------------------------------------------------------------

NO_FUNCTION = UserError("ResourceNotFoundException", "Function does not exist")
URL_EXISTS = UserError(
    "ResourceConflictException",
    "Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig exists for this "
    "Lambda function",
)

# --- the control plane ---------------------------------------------------------------------------

S3_FAILED = UserError(
    "InvalidParameterValueException",
    "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {text}",
)
CODE_STORAGE_EXCEEDED = UserError("CodeStorageExceededException", "Code storage limit exceeded.")
OTHER_CODE = UserError(
    "InvalidParameterValueException",
    "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({latest}). Please try again with the "
    "CodeSHA256 in $LATEST.",
)
# Reported by users of AWS (karl-cardenas-coding/go-lambda-cleanup issue 45).
ALIASES_REFER = UserError(
    "ResourceConflictException", "Unable to delete version because the following aliases reference it: [{names}]"
)
TOO_MANY_TAGS = UserError("InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
UNTAGGABLE = UserError(
    "InvalidParameterValueException",
    "Tags on function aliases and versions are not supported. Please specify a function ARN.",
)
CANNOT_PROCESS = UserError("InvalidParameterValueException", "An error occurred and the request cannot be processed.")

# --- layers -------------------------------------------------------------------------------------

LAYER_VERSION_NOT_FOUND = UserError("ResourceNotFoundException", "Layer version {arn} does not exist.")

# --- tags ---------------------------------------------------------------------------------------

# Of our own: what AWS says of such tags was not observed; most of them the model's patterns refuse before.
INVALID_TAGS = UserError("InvalidParameterValueException", "Tag keys must not start with aws:")
# What cannot be tagged here because there is none of it.
NONE_OF_A_KIND = {
    "capacity-provider": UserError("ResourceNotFoundException", "Capacity provider not found: {arn}"),
    "event-source-mapping": UserError("ResourceNotFoundException", "Event source mapping not found: {arn}"),
    "network-connector": UserError("ResourceNotFoundException", "Network connector not found: {arn}"),
}

# --- code signing -------------------------------------------------------------------------------

CODE_SIGNING_CONFIG_NOT_FOUND = UserError(
    "CodeSigningConfigNotFoundException",
    "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}.",
)
# Source: Lambda API Reference, DeleteCodeSigningConfig; the text is of our own.
CODE_SIGNING_CONFIG_IN_USE = UserError(
    "ResourceConflictException", "The code signing configuration is in use by one or more functions."
)
# Source: Lambda API Reference, CodeVerificationFailedException.
CODE_NOT_VERIFIED = UserError(
    "CodeVerificationFailedException",
    "The code signature failed one or more of the validation checks for signature mismatch or expiry, and the code "
    "signing policy is set to ENFORCE. Lambda blocks the deployment.",
)

# Reported by users of AWS (aws/aws-sam-cli 2786).
IMAGES_NOT_SIGNED = UserError(
    "InvalidParameterValueException", "Code signing is not supported for functions created with container images."
)

# --- aliases ------------------------------------------------------------------------------------

ALIAS_MISSING = UserError("ResourceNotFoundException", "Alias not found: {arn}")
ALIAS_EXISTS = UserError("ResourceConflictException", "Alias already exists: {arn}")

# --- keys ---------------------------------------------------------------------------------------

_KMS = "Lambda was unable to decrypt the environment variables because "
# By KMS's code, when an environment is made. Source: Lambda API Reference, Invoke, Errors.
KMS_ERRORS = {
    "AccessDeniedException": UserError(
        "KMSAccessDeniedException",
        _KMS + "KMS access was denied. Please check the function's KMS key settings. {text}",
    ),
    "DisabledException": UserError(
        "KMSDisabledException",
        _KMS + "the KMS key used is disabled. Please check the function's KMS key settings. {text}",
    ),
    "KMSInvalidStateException": UserError(
        "KMSInvalidStateException",
        _KMS + "the KMS key used is in an invalid state for Decrypt. Please check the function's KMS key settings. "
        "{text}",
    ),
    "NotFoundException": UserError(
        "KMSNotFoundException",
        _KMS + "the KMS key was not found. Please check the function's KMS key settings. {text}",
    ),
}

# --- permissions --------------------------------------------------------------------------------

LATEST_HAS_NO_POLICY = UserError(
    "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."
)
INVALID_PRINCIPAL = UserError(
    "InvalidParameterValueException",
    "The provided principal was invalid. Please check the principal and try again.",
)
# Reported by users of AWS (RJPearson94/terraform-aws-open-next 73).
URLS_ONLY = UserError(
    "InvalidParameterValueException", "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"
)
STATEMENT_EXISTS = UserError(
    "ResourceConflictException",
    "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing "
    "statement.",
)
NO_STATEMENT = UserError("ResourceNotFoundException", "Statement {sid} is not found in resource policy.")
NO_POLICY = UserError("ResourceNotFoundException", "No policy is associated with the given resource.")
NO_POLICY_FOR = UserError("ResourceNotFoundException", "No policy found for: {arn}")
# Source: Lambda API Reference, AddPermission, PolicyLengthExceededException; the text as users report it.
POLICY_TOO_LONG = UserError(
    "PolicyLengthExceededException", "The final policy size ({size}) is bigger than the limit ({limit})."
)

# --- durable executions -------------------------------------------------------------------------

# AWS's SDKs for durable functions know a token that counts no more by the beginning of this text.
INVALID_CHECKPOINT_TOKEN = UserError("InvalidParameterValueException", "Invalid checkpoint token")
# Of our own: what AWS says was not observed.
DURABLE_EXECUTION_NOT_FOUND = UserError("ResourceNotFoundException", "Durable execution not found: {arn}")
DURABLE_EXECUTION_UNKNOWN = UserError("InvalidParameterValueException", "Durable execution not found: {arn}")
DURABLE_EXECUTION_STARTED = UserError(
    "DurableExecutionAlreadyStartedException",
    "A durable execution of the name {name} was already started with another input.",
)
CALLBACK_NOT_FOUND = UserError("ResourceNotFoundException", "The callback does not exist, or is over.")
CALLBACK_TIMED_OUT = UserError("CallbackTimeoutException", "The callback has timed out.")
RESOURCE_CONFLICT = UserError("ResourceConflictException")
# Source: Lambda Developer Guide, "Configure Lambda durable functions": it is only enabled when a function is created.
DURABLE_FROM_THE_BEGINNING = UserError(
    "InvalidParameterValueException", "Durable execution can only be enabled when a function is created."
)
DURABLE_UNQUALIFIED = UserError(
    "InvalidParameterValueException",
    "A durable function must be invoked with a qualifier: a version, an alias or $LATEST.",
)
DURABLE_TOO_LONG = UserError(
    "InvalidParameterValueException",
    "A durable function with an execution timeout of more than 15 minutes cannot be invoked synchronously.",
)
NOT_DURABLE = UserError("InvalidParameterValueException", "DurableExecutionName is for durable functions only.")
DURABLE_ONLY_BY_INVOKE = UserError(
    "InvalidParameterValueException", "cumulo runs durable functions by Invoke only, not by this kind of invocation."
)
