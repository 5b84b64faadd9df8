"""CloudWatch Logs' errors with AWS's texts.

Codes are error shapes of the model. Sources: answers seen from AWS, and the API reference where a text is not known.
"""

from cumulo.core.errors import Error

INVALID_PARAMETER = Error("InvalidParameterException")
VALIDATION = Error("ValidationException")
LIMIT_EXCEEDED = Error("LimitExceededException", "Resource limit exceeded.")
OPERATION_ABORTED = Error("OperationAbortedException")
INVALID_OPERATION = Error("InvalidOperationException")
RESOURCE_NOT_FOUND = Error("ResourceNotFoundException")
TOO_MANY_TAGS = Error("TooManyTagsException", "A resource can have at most 50 tags.")

GROUP_NOT_FOUND = Error("ResourceNotFoundException", "The specified log group does not exist.")
GROUP_EXISTS = Error("ResourceAlreadyExistsException", "The specified log group already exists")
STREAM_NOT_FOUND = Error("ResourceNotFoundException", "The specified log stream does not exist.")
STREAM_EXISTS = Error("ResourceAlreadyExistsException", "The specified log stream already exists")
NAME_TOO_LONG = Error(
    "InvalidParameterException", "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
)
INVALID_TOKEN = Error("InvalidParameterException", "The specified nextToken is invalid.")

# The text of CreateLogGroup and AssociateKmsKey, as users of Terraform and CloudFormation quote AWS's answers.
KEY_NOT_USABLE = Error(
    "AccessDeniedException",
    "The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'",
)
DELETION_PROTECTED = Error(
    "ValidationException",
    "The log group cannot be deleted because deletion protection is enabled. Disable it with "
    "PutLogGroupDeletionProtection first.",
)
METRIC_FILTER_NOT_FOUND = Error("ResourceNotFoundException", "The specified metric filter does not exist.")
SUBSCRIPTION_FILTER_NOT_FOUND = Error("ResourceNotFoundException", "The specified subscription filter does not exist.")
FUNCTION_NOT_USABLE = Error(
    "InvalidParameterException",
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function.",
)
# The two full stops are AWS's own.
DELIVERY_SOURCE_NOT_FOUND = Error(
    "ResourceNotFoundException", "Requested Delivery Source does not exist in this account.."
)
DELIVERY_DESTINATION_NOT_FOUND = Error(
    "ResourceNotFoundException", "Requested Delivery Destination does not exist in this account."
)
INVALID_DELIVERY_TOKEN = Error("ValidationException", "The specified nextToken is invalid.")
CONFLICT = Error("ConflictException")
DELIVERY_NOT_FOUND = Error("ResourceNotFoundException", "Requested Delivery does not exist in this account.")
DELIVERY_POLICY_NOT_FOUND = Error(
    "ResourceNotFoundException", "Requested Delivery Destination Policy does not exist in this account."
)
EXPORT_TASK_NOT_FOUND = Error("ResourceNotFoundException", "The specified export task does not exist.")
POLICY_NOT_FOUND = Error("ResourceNotFoundException", "Policy with name [{name}] does not exist.")
ANOMALY_DETECTOR_NOT_FOUND = Error("ResourceNotFoundException", "The specified anomaly detector does not exist.")
ANOMALY_NOT_FOUND = Error("ResourceNotFoundException", "The specified anomaly does not exist.")
DATA_SOURCE_NOT_FOUND = Error(
    "ResourceNotFoundException", "The specified data source {name} of the type {type} does not exist."
)
OBJECT_NOT_FOUND = Error("ResourceNotFoundException", "The specified log object does not exist.")
INVALID_POINTER = Error("InvalidParameterException", "The specified log object pointer is invalid.")
