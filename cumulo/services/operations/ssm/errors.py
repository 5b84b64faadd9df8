"""Parameter Store's errors, in its own words.

Sources: answers of AWS; the error lists of the Systems Manager API Reference.
"""

from cumulo.core.errors import Error

VALIDATION = Error("ValidationException", status=400)
RESERVED = Error("AccessDeniedException", "No access to reserved parameter name: {name}.", status=400)
INVALID_NAME = Error(
    "ValidationException",
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
    "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following "
    "3 symbols .-_",
    status=400,
)
INVALID_PATH = Error(
    "ValidationException",
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
    '"/". It can\'t be prefixed with \\"aws\\" or \\"ssm\\" (case-insensitive). It must use only letters, numbers, or '
    "the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, "
    'if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.',
    status=400,
)
NOT_QUALIFIED = Error("ValidationException", "Parameter name must be a fully qualified name.", status=400)
TOO_DEEP = Error(
    "HierarchyLevelLimitExceededException",
    "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for "
    "parameter names in the AWS Systems Manager User Guide.",
)
NOT_FOUND = Error("ParameterNotFound")  # AWS sends no text with it
NOT_FOUND_BY_NAME = Error("ParameterNotFound", "Parameter {name} not found.")
NO_VERSION = Error(
    "ParameterVersionNotFound",
    "Systems Manager could not find version {version} of {name}. Verify the version and try again.",
)
NO_LABEL = Error(
    "ParameterVersionNotFound",
    "Systems Manager could not find label {label} for parameter {name}. Verify the label and try again.",
)
ALREADY_EXISTS = Error(
    "ParameterAlreadyExists",
    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
)
TAGS_AND_OVERWRITE = Error(
    "ValidationException",
    "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
    "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
    status=400,
)
TYPE_MISSING = Error("ValidationException", "A parameter type is required when you create a parameter.", status=400)
TYPE_CHANGE = Error(
    "HierarchyTypeMismatchException",
    "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a "
    "parameter from a String type to a SecureString type. You must create a new, unique parameter.",
)
KEY_WITHOUT_SECURE_STRING = Error(
    "ValidationException", "KeyId is required for SecureString type parameter only.", status=400
)
NESTED = Error(
    "ValidationException",
    "Parameter value '{value}' can't nest another parameter. Do not use \"{{{{}}}}\" in the value.",
    status=400,
)
TOO_LONG_FOR_STANDARD = Error(
    "ValidationException",
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter "
    "value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    status=400,
)
TOO_LONG_FOR_ADVANCED = Error(
    "ValidationException",
    "Advanced tier parameters support a maximum parameter value of 8192 characters.",
    status=400,
)
DOWNGRADE = Error(
    "ValidationException",
    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter "
    "tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a "
    "standard parameter.",
    status=400,
)
TOO_MANY_STANDARD = Error(
    "ParameterLimitExceeded",
    "You have reached the maximum number of standard parameters for this AWS account and Region (10000). To add more "
    "parameters, either delete existing parameters or upgrade to the advanced-parameter tier (charges apply).",
)
TOO_MANY_ADVANCED = Error(
    "ParameterLimitExceeded",
    "You have reached the maximum number of advanced parameters for this AWS account and Region (100000).",
)
OLDEST_IS_LABELLED = Error(
    "ParameterMaxVersionLimitExceeded",
    "You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. Version "
    "{version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to "
    "another version of the parameter, and try again.",
)
INVALID_PATTERN = Error(
    "InvalidAllowedPatternException", "The request does not meet the regular expression requirement."
)
PATTERN_MISMATCH = Error(
    "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: {pattern}"
)
TOO_MANY_LABELS = Error(
    "ParameterVersionLabelLimitExceeded",
    "A parameter version can have maximum 10 labels. Move one or more labels to another version and try again.",
)
INVALID_KEY_ID = Error("InvalidKeyId")
DENIED_BY_KEY = Error(
    "AccessDeniedException",
    "{reason} (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)",
    status=400,
)
INVALID_NEXT_TOKEN = Error("InvalidNextToken", "The specified token is not valid.")
INVALID_FILTER_KEY = Error("InvalidFilterKey")
INVALID_FILTER_OPTION = Error("InvalidFilterOption")
INVALID_FILTER_VALUE = Error("InvalidFilterValue")
INVALID_RESOURCE_ID = Error(
    "InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again."
)
TOO_MANY_TAGS = Error("TooManyTagsError", "The Targets parameter includes too many tags.")
INVALID_TAG = Error("ValidationException", "The tag keys or values are not valid.", status=400)
INVALID_POLICY_TYPE = Error("InvalidPolicyTypeException")
INVALID_POLICY_ATTRIBUTE = Error("InvalidPolicyAttributeException")
INCOMPATIBLE_POLICY = Error("IncompatiblePolicyException")
TOO_MANY_POLICIES = Error(
    "PoliciesLimitExceededException",
    "You specified more than the maximum number of allowed policies for the parameter. The maximum is 10.",
)
RESOURCE_NOT_FOUND = Error("ResourceNotFoundException", "The specified parameter to be shared could not be found.")
POLICY_NOT_FOUND = Error(
    "ResourcePolicyNotFoundException", "No policies with the specified policy ID and hash could be found."
)
POLICY_CONFLICT = Error(
    "ResourcePolicyConflictException", "The hash provided in the call doesn't match the stored hash."
)
POLICY_INVALID = Error("ResourcePolicyInvalidParameterException")
POLICY_LIMIT = Error("ResourcePolicyLimitExceededException")
POLICY_MALFORMED = Error("MalformedResourcePolicyDocumentException")
WITHOUT_DECRYPTION = Error(
    "ValidationException",
    "WithDecryption flag must be True for retrieving a Secret Manager secret.",
    status=400,
)
