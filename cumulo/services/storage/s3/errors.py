"""The errors of Amazon S3 with AWS's texts; further members of the Error document are given as `members`.

Sources: S3 API Reference, "Error responses" (list of error codes), and answers seen from AWS where a text is not
documented.
"""

from cumulo.core.errors import Error
from cumulo.core.s3.buckets import NO_SUCH_BUCKET as NO_SUCH_BUCKET  # BucketName
from cumulo.core.s3.policy_checks import MALFORMED_POLICY as MALFORMED_POLICY

# Of requests.
ACCESS_DENIED = Error("AccessDenied", "Access Denied", status=403)
INVALID_ARGUMENT = Error("InvalidArgument", "Invalid Argument")  # ArgumentName, ArgumentValue
INVALID_REQUEST = Error("InvalidRequest", "Invalid Request")
INVALID_TAG = Error("InvalidTag")  # TagKey, TagValue
MALFORMED_XML = Error(
    "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
)
METHOD_NOT_ALLOWED = Error(
    "MethodNotAllowed", "The specified method is not allowed against this resource.", status=405
)  # Method, ResourceType
NOT_ASYMMETRIC = Error(
    "InvalidRequest",
    "The authorization mechanism you have provided is not supported. Please use AWS4-ECDSA-P256-SHA256.",
    status=400,
)  # of multi-region access points; the text is that of the regions without Version 2, with the algorithm that is wanted
MISSING_SECURITY_HEADER = Error("MissingSecurityHeader", "Your request was missing a required header")
NOT_IMPLEMENTED_HEADER = Error(
    "NotImplemented", "A header you provided implies functionality that is not implemented", status=501
)  # Header
NOT_IMPLEMENTED_PARAMETER = Error(
    "NotImplemented", "A parameter you provided implies functionality that is not implemented", status=501
)  # Parameter
UNEXPECTED_CONTENT = Error("UnexpectedContent", "This request does not support content")
INTERNAL_ERROR = Error("InternalError", "We encountered an internal error. Please try again.", status=500, sender=False)
INVALID_TOKEN = Error("InvalidToken", "The provided token is malformed or otherwise invalid.")
PRECONDITION_FAILED = Error(
    "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", status=412
)  # Condition

# Of buckets.
BUCKET_ALREADY_EXISTS = Error(
    "BucketAlreadyExists",
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
    "Please select a different name and try again.",
    status=409,
)  # BucketName
BUCKET_ALREADY_OWNED_BY_YOU = Error(
    "BucketAlreadyOwnedByYou",
    "Your previous request to create the named bucket succeeded and you already own it.",
    status=409,
)  # BucketName
BUCKET_NOT_EMPTY = Error("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)  # BucketName
BUCKET_HAS_ACCESS_POINTS = Error(
    "BucketHasAccessPointsAttached",
    "The bucket you are trying to delete has access points attached. Delete your access points before you delete your "
    "bucket.",
)  # BucketName
INVALID_BUCKET_NAME = Error("InvalidBucketName", "The specified bucket is not valid.")  # BucketName
INVALID_LOCATION_CONSTRAINT = Error(
    "InvalidLocationConstraint", "The specified location-constraint is not valid"
)  # LocationConstraint
ILLEGAL_LOCATION_CONSTRAINT = Error(
    "IllegalLocationConstraintException",
    "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to.",
)
WRONG_REGION = Error(
    "AuthorizationHeaderMalformed",
    "The authorization header is malformed; the region '{region}' is wrong; expecting '{expected}'",
)  # Region
WRONG_REGION_IN_QUERY = Error(
    "AuthorizationQueryParametersError",
    "Error parsing the X-Amz-Credential parameter; the region '{region}' is wrong; expecting '{expected}'",
)  # Region
PERMANENT_REDIRECT = Error(
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint. "
    "Please send all future requests to this endpoint.",
    status=301,
)  # Endpoint, Bucket
INVALID_EXPECTED_OWNER = Error(
    "InvalidBucketOwnerAWSAccountID",
    "The value of the expected bucket owner parameter must be an AWS Account ID... [{value}]",
)

# Of objects.
NO_SUCH_KEY = Error("NoSuchKey", "The specified key does not exist.", status=404)  # Key
NO_SUCH_VERSION = Error("NoSuchVersion", "The specified version does not exist.", status=404)  # Key, VersionId

# Of rights.
ACLS_NOT_SUPPORTED = Error("AccessControlListNotSupported", "The bucket does not allow ACLs")
MALFORMED_ACL = Error(
    "MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema"
)
UNRESOLVABLE_GRANT = Error(
    "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record."
)
BUCKET_ACL_WITH_OWNERSHIP = Error(
    "InvalidBucketAclWithObjectOwnership",
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
)
BUCKET_ACL_WITH_PUBLIC_ACCESS_BLOCK = Error(
    "InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
)
NO_SUCH_BUCKET_POLICY = Error("NoSuchBucketPolicy", "The bucket policy does not exist", status=404)  # BucketName
NO_SUCH_OWNERSHIP_CONTROLS = Error(
    "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", status=404
)  # BucketName
NO_SUCH_PUBLIC_ACCESS_BLOCK = Error(
    "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", status=404
)  # BucketName
# Of browsers' requests and forms.
INVALID_POLICY_DOCUMENT = Error("InvalidPolicyDocument", "Invalid Policy: {reason}")
OUTSIDE_POLICY = Error("AccessDenied", "Invalid according to Policy: {reason}", status=403)
ENTITY_TOO_LARGE = Error(
    "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"
)  # ProposedSize, MaxSizeAllowed
ENTITY_TOO_SMALL = Error(
    "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
)  # ProposedSize, MinSizeAllowed

# Of bucket configurations.
BAD_REQUEST = Error("BadRequest")
INVALID_BUCKET_STATE = Error("InvalidBucketState", status=409)
ILLEGAL_VERSIONING = Error("IllegalVersioningConfigurationException", "The Versioning element must be specified")
MFA_REQUIRED = Error("AccessDenied", "Mfa Authentication must be used for this request", status=403)
NO_SUCH_CONFIGURATION = Error("NoSuchConfiguration", "The specified configuration does not exist.", status=404)
NO_SUCH_CORS = Error("NoSuchCORSConfiguration", "The CORS configuration does not exist", status=404)  # BucketName
NO_SUCH_LIFECYCLE = Error(
    "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", status=404
)  # BucketName
NO_SUCH_OBJECT_LOCK = Error(
    "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", status=404
)  # BucketName
NO_SUCH_REPLICATION = Error(
    "ReplicationConfigurationNotFoundError", "The replication configuration was not found", status=404
)  # BucketName
NO_SUCH_TAG_SET = Error("NoSuchTagSet", "The TagSet does not exist", status=404)  # BucketName
NO_SUCH_WEBSITE = Error(
    "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", status=404
)  # BucketName
TOO_MANY_CONFIGURATIONS = Error(
    "TooManyConfigurations",
    "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.",
)
CROSS_LOCATION_LOGGING = Error(
    "CrossLocationLoggingProhibitted", "Cross S3 location logging not allowed. ", status=403
)  # SourceBucketLocation, TargetBucketLocation
INVALID_LOGGING_TARGET = Error("InvalidTargetBucketForLogging")
TOO_MANY_BUCKETS = Error("TooManyBuckets", "You have attempted to create more buckets than allowed")

# Of objects' bytes, and of what is said about them.
BAD_DIGEST = Error(
    "BadDigest", "The Content-MD5 you specified did not match what we received."
)  # ExpectedDigest, CalculatedDigest
INVALID_DIGEST = Error("InvalidDigest", "The Content-MD5 you specified was invalid.")  # Content-MD5
NOT_MODIFIED = Error("NotModified", "Not Modified", status=304)  # ETag, LastModified, VersionId
CONDITIONAL_REQUEST_CONFLICT = Error(
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
    status=409,
)  # Condition, Key
INVALID_RANGE = Error(
    "InvalidRange", "The requested range is not satisfiable", status=416
)  # RangeRequested, ActualObjectSize
INVALID_PART_NUMBER = Error(
    "InvalidPartNumber", "The requested partnumber is not satisfiable", status=416
)  # PartNumberRequested, ActualPartCount
METADATA_TOO_LARGE = Error(
    "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"
)  # Size, MaxSizeAllowed
INVALID_REDIRECT_LOCATION = Error(
    "InvalidRedirectLocation",
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
)
INVALID_STORAGE_CLASS = Error(
    "InvalidStorageClass", "The storage class you specified is not valid"
)  # StorageClassRequested
KEY_TOO_LONG = Error("KeyTooLongError", "Your key is too long")  # Size, MaxSizeAllowed
INVALID_OBJECT_STATE = Error(
    "InvalidObjectState", "The operation is not valid for the object's storage class", status=403
)  # StorageClass

# Of encryption.
INVALID_ENCRYPTION_ALGORITHM = Error(
    "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256."
)  # ArgumentName, ArgumentValue
WRONG_CUSTOMER_KEY = Error(
    "AccessDenied",
    "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
    status=403,
)
ENCRYPTION_REQUIRED = Error(
    "InvalidRequest",
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve "
    "the object.",
)
ENCRYPTION_NOT_APPLICABLE = Error("InvalidRequest", "The encryption parameters are not applicable to this object.")
# Of Object Lock.
OBJECT_LOCKED = Error("AccessDenied", "Access Denied because object protected by object lock.", status=403)
NO_BUCKET_LOCK = Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
NO_OBJECT_LOCK = Error(
    "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", status=404
)

# Of Object Lambda. Source: S3 API Reference, "Error responses", "List of Amazon S3 Object Lambda error codes"; of the
# last S3 User Guide, "Billing for Amazon S3 error responses".
LAMBDA_INVALID_RESPONSE = Error("LambdaInvalidResponse")
LAMBDA_INVOCATION_FAILED = Error("LambdaInvocationFailed", "Lambda function invocation failed.")
LAMBDA_NOT_FOUND = Error("LambdaNotFound", "The AWS Lambda function was not found.", status=404)
LAMBDA_PERMISSION = Error(
    "LambdaPermissionError", "The caller is not authorized to invoke the Lambda function.", status=403
)
LAMBDA_RESPONSE_NOT_RECEIVED = Error(
    "LambdaResponseNotReceived",
    "The Lambda exited without successfully calling WriteGetObjectResponse.",
    status=500,
    sender=False,
)
LAMBDA_RUNTIME = Error("LambdaRuntimeError", "The Lambda function failed during execution.", status=500, sender=False)
LAMBDA_TIMEOUT = Error(
    "LambdaTimeout", "The Lambda function did not respond in the allowed time.", status=500, sender=False
)
LAMBDA_THROTTLED = Error("SlowDown", "Reduce your request rate for operations involving AWS Lambda.", status=503)
VALIDATION_ERROR = Error("ValidationError")
CLOSED_BY_REQUESTER = Error(
    "ConnectionClosedByRequester", "An error was encountered while reading the WriteGetObjectResponse body."
)

# Of directory buckets. Source of the texts: botocore's model.
INVALID_WRITE_OFFSET = Error(
    "InvalidWriteOffset", "The write offset value that you specified does not match the current object size."
)
TOO_MANY_PARTS = Error(
    "TooManyParts",
    "You have attempted to add more parts than the maximum of 10000 that are allowed for this object. You can use the "
    "CopyObject operation to copy this object to another and then add more data to the newly copied object.",
)
IDEMPOTENCY_MISMATCH = Error(
    "IdempotencyParameterMismatch",
    "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).",
)

# Of uploads in parts and of copies.
NO_SUCH_UPLOAD = Error(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed.",
    status=404,
)  # UploadId
INVALID_PART = Error(
    "InvalidPart",
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
    "entity tag may not match the part's entity tag.",
)  # UploadId, PartNumber, ETag
INVALID_PART_ORDER = Error(
    "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number."
)  # UploadId
PART_TOO_SMALL = Error(
    "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
)  # ProposedSize, MinSizeAllowed, PartNumber, ETag
SOURCE_IS_ARCHIVED = Error(
    "ObjectNotInActiveTierError",
    "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.",
    status=403,
)
RESTORE_IN_PROGRESS = Error("RestoreAlreadyInProgress", "Object restore is already in progress", status=409)
OBJECT_LOCKED_ENCRYPTION = Error(
    "AccessDenied",
    "The encryption type for the specified object can't be updated because that object is protected by S3 Object Lock. "
    "If the object has a governance-mode retention period or a legal hold, you must first remove the Object Lock "
    "status on the object before you issue your UpdateObjectEncryption request. You can't use the "
    "UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period applied "
    "to them.",
    status=403,
)  # S3 API Reference, UpdateObjectEncryption

# Of annotations. Source: botocore's model.
NO_SUCH_ANNOTATION = Error("NoSuchAnnotation", "The specified annotation does not exist on this object.", status=404)
ANNOTATION_NAME_TOO_LONG = Error("AnnotationNameTooLong", "The annotation name exceeds 512 bytes.")
INVALID_ANNOTATION_NAME = Error("InvalidAnnotationName", "The annotation name you provided is invalid.")
INVALID_ANNOTATION_PREFIX = Error("InvalidPrefix", "The annotation prefix you provided is invalid.")
ANNOTATION_LIMIT = Error(
    "AnnotationLimitExceeded",
    "The request would exceed the maximum number of annotations allowed per object.",
)
UNSUPPORTED_MEDIA_TYPE = Error(
    "UnsupportedMediaType", "The annotation payload is not valid UTF-8 encoded text.", status=415
)
OPERATION_ABORTED = Error(
    "OperationAborted",
    "A conflicting conditional operation is currently in progress against this resource. Try again.",
    status=409,
)

# Of ours: what is not installed.
NO_INVENTORY_WRITER = Error(
    "NotImplemented", "Inventories in {format} cannot be written here: {hint}", status=501, sender=False
)
