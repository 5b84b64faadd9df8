"""The errors of S3 Control with AWS's texts, as observed in its answers or in the S3 API Reference."""

from cumulo.core.errors import Error
from cumulo.core.s3.access import NO_SUCH_ACCESS_POINT as NO_SUCH_ACCESS_POINT

ACCESS_DENIED = Error("AccessDenied", "Access Denied", status=403)
INVALID_REQUEST = Error("InvalidRequest", status=400)
INVALID_ARGUMENT = Error("InvalidArgument")
INVALID_TAG = Error("InvalidTag", status=400)
INVALID_NEXT_TOKEN = Error("InvalidNextToken", "The continuation token is not valid.")
MALFORMED_XML = Error(
    "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
)
METHOD_NOT_ALLOWED = Error("MethodNotAllowed", "The specified method is not allowed against this resource.", status=405)
NO_SUCH_RESOURCE = Error("NoSuchResource", "The specified resource doesn't exist.", status=404)
NO_SUCH_PUBLIC_ACCESS_BLOCK = Error(
    "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", status=404
)  # AccountId
ACCESS_POINT_EXISTS = Error(
    "AccessPointAlreadyOwnedByYou",
    "Your previous request to create the named accesspoint succeeded and you already own it.",
    status=409,
)
TOO_MANY_ACCESS_POINTS = Error("TooManyAccessPoints", "You have attempted to create more access points than allowed")
NO_SUCH_ACCESS_POINT_POLICY = Error(
    "NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist", status=404
)
NO_SUCH_CONFIGURATION = Error("NoSuchConfiguration", "The specified configuration does not exist.", status=404)

# Of access grants. Source: S3 API Reference, "Error responses", "List of S3 Access Grants error codes".
NO_INSTANCE = Error("AccessGrantsInstanceNotExistsError", "Access Grants Instance does not exist", status=404)
INSTANCE_EXISTS = Error("AccessGrantsInstanceAlreadyExists", "Access Grants Instance already exists", status=409)
INSTANCE_NOT_EMPTY = Error(
    "AccessGrantsInstanceNotEmptyError", "Please clean up locations before deleting the access grants instance"
)
NO_RESOURCE_POLICY = Error(
    "AccessGrantsInstanceResourcePolicyNotExists", "Access Grants Instance Resource Policy does not exist", status=404
)
INVALID_RESOURCE_POLICY = Error("InvalidResourcePolicy", "The specified Resource Policy is invalid", status=400)
NO_SUCH_LOCATION = Error("NoSuchAccessGrantsLocationError", "The specified location does not exist", status=404)
LOCATION_EXISTS = Error(
    "AccessGrantsLocationAlreadyExistsError", "The specified access grants location already exists", status=409
)
LOCATION_NOT_EMPTY = Error(
    "AccessGrantsLocationNotEmptyError", "Please clean up access grants before deleting access grants location"
)
INVALID_LOCATION = Error("InvalidAccessGrantsLocation", "The specified Access Grants Location is invalid")
INVALID_ROLE = Error("InvalidIamRole", "The specified IAM Role does not exist")
NO_SUCH_GRANT = Error("NoSuchAccessGrantError", "The specified access grant does not exist", status=404)
GRANT_EXISTS = Error("AccessGrantAlreadyExists", "The specified access grant already exists", status=409)
INVALID_GRANT = Error("InvalidAccessGrant", "The specified Access Grant is invalid")
NOT_GRANTED = Error(
    "AccessDenied", "You do not have {permission} permissions to the requested S3 Prefix: {target}", status=403
)
STS_DENIED = Error(
    "StsNotAuthorizedError", "An error occurred (AccessDenied) when calling the AssumeRole operation", status=403
)

# Of batch operations.
NO_SUCH_JOB = Error("NotFoundException", "The specified job does not exist.", status=404)
TOO_MANY_JOB_TAGS = Error("TooManyTagsException", "The number of tags exceeds the limit of 50 tags.")
BAD_JOB = Error("BadRequestException")
JOB_STATUS = Error("JobStatusException", "The job's status does not allow it to become {status}.")

# Of multi-region access points, whose requests fail later, without a status. Source: S3 API Reference, "Error
# responses", "List of Amazon S3 asynchronous error codes".
MULTI_REGION_ACCESS_POINT_EXISTS = Error(
    "MultiRegionAccessPointAlreadyOwnedByYou", "You already have a Multi-Region Access Point with the same name."
)
SAME_BUCKET_REGION = Error(
    "MultiRegionAccessPointSameBucketRegion",
    "The buckets used to create a Multi-Region Access Point cannot be in the same Region.",
)
NO_SUCH_ASYNC_REQUEST = Error("NoSuchAsyncRequest", "The specified request does not exist.", status=404)
