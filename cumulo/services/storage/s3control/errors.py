"""The errors of S3 Control with AWS's texts, as observed in its answers or in the S3 API Reference."""

from cumulo.core.errors import Error

ACCESS_DENIED = Error("AccessDenied", "Access Denied", status=403)
INVALID_REQUEST = Error("InvalidRequest", status=400)
INVALID_ARGUMENT = Error("InvalidArgument")
INVALID_TAG = Error("InvalidTag", status=400)
INVALID_NEXT_TOKEN = Error("InvalidNextToken", "The continuation token is not valid.")
MALFORMED_XML = Error(
    "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
)
NO_SUCH_RESOURCE = Error("NoSuchResource", "The specified resource doesn't exist.", status=404)
NO_SUCH_PUBLIC_ACCESS_BLOCK = Error(
    "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", status=404
)  # AccountId
ACCESS_POINT_EXISTS = Error(
    "AccessPointAlreadyOwnedByYou",
    "Your previous request to create the named accesspoint succeeded and you already own it.",
    status=409,
)
NO_SUCH_ACCESS_POINT_POLICY = Error(
    "NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist", status=404
)
NO_SUCH_CONFIGURATION = Error("NoSuchConfiguration", "The specified configuration does not exist.", status=404)
