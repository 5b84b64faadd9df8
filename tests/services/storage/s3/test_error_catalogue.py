"""Every error code that Amazon S3 documents: a test provokes it, or it stands here why no client can.

The codes are those of S3 API Reference, "Error responses", "List of error codes", of the errors that the operations
themselves name, and those AWS was seen to send without documenting them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cumulo.core.errors import Error
from cumulo.services.storage.s3 import errors
from cumulo.services.storage.s3control import errors as control_errors
from tests.conftest import Account
from tests.services.storage.s3.raw_requests import EMPTY, Signed

TESTS = Path(__file__).parents[3]

PROVOKED = set(
    """
    AccessControlListNotSupported AccessDenied AccessGrantAlreadyExists AccessGrantsInstanceAlreadyExists
    AccessGrantsInstanceNotEmptyError AccessGrantsInstanceNotExistsError AccessGrantsInstanceResourcePolicyNotExists
    AccessGrantsLocationAlreadyExistsError AccessGrantsLocationNotEmptyError AccessPointAlreadyOwnedByYou
    AnnotationLimitExceeded AnnotationNameTooLong AuthorizationHeaderMalformed AuthorizationQueryParametersError
    BadDigest BadRequest BadRequestException BucketAlreadyExists BucketAlreadyOwnedByYou
    BucketHasAccessPointsAttached BucketNotEmpty ConditionalRequestConflict ConnectionClosedByRequester
    CrossLocationLoggingProhibitted EntityTooLarge EntityTooSmall ExpiredToken IdempotencyParameterMismatch
    IllegalLocationConstraintException IllegalVersioningConfigurationException IncompleteBody InvalidAccessGrant
    InvalidAccessGrantsLocation InvalidAccessKeyId InvalidAnnotationName InvalidArgument
    InvalidBucketAclWithBlockPublicAccessError InvalidBucketAclWithObjectOwnership InvalidBucketName
    InvalidBucketOwnerAWSAccountID InvalidBucketState InvalidDigest InvalidEncryptionAlgorithmError InvalidIamRole
    InvalidLocationConstraint InvalidNextToken InvalidObjectState InvalidPart InvalidPartNumber InvalidPartOrder
    InvalidPolicyDocument InvalidPrefix InvalidRange InvalidRedirectLocation InvalidRequest InvalidResourcePolicy
    InvalidStorageClass InvalidTag InvalidTargetBucketForLogging InvalidToken InvalidURI InvalidWriteOffset
    JobStatusException KMS.DisabledException KMS.InvalidKeyUsageException KMS.KMSInvalidStateException
    KMS.NotFoundException KeyTooLongError LambdaInvalidResponse LambdaInvocationFailed LambdaNotFound
    LambdaPermissionError LambdaResponseNotReceived LambdaRuntimeError LambdaTimeout MalformedACLError
    MalformedPOSTRequest MalformedPolicy MalformedXML MaxPostPreDataLengthExceededError MetadataTooLarge
    MethodNotAllowed MissingContentLength MissingRequestBodyError MissingSecurityHeader
    MultiRegionAccessPointAlreadyOwnedByYou MultiRegionAccessPointSameBucketRegion NoSuchAccessGrantError
    NoSuchAccessGrantsLocationError NoSuchAccessPoint NoSuchAccessPointPolicy NoSuchAnnotation NoSuchAsyncRequest
    NoSuchBucket NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchConfiguration NoSuchKey
    NoSuchLifecycleConfiguration NoSuchMultiRegionAccessPoint NoSuchObjectLockConfiguration
    NoSuchPublicAccessBlockConfiguration NoSuchResource NoSuchTagSet NoSuchUpload NoSuchVersion
    NoSuchWebsiteConfiguration NotFoundException NotImplemented ObjectLockConfigurationNotFoundError
    ObjectNotInActiveTierError OperationAborted OwnershipControlsNotFoundError PermanentRedirect PreconditionFailed
    ReplicationConfigurationNotFoundError RequestHeaderSectionTooLarge RequestTimeTooSkewed RequestTimeout
    RestoreAlreadyInProgress SignatureDoesNotMatch SlowDown StsNotAuthorizedError TooManyAccessPoints TooManyBuckets
    TooManyConfigurations TooManyParts TooManyTagsException UnexpectedContent UnresolvableGrantByEmailAddress
    UnsupportedMediaType ValidationError XAmzContentSHA256Mismatch
    """.split()  # noqa: SIM905
)

# The others, and why no request gets them from cumulo.
NEVER = {
    "AccountProblem": "there is no contract that could be in arrears",
    "AllAccessDisabled": "nobody disables access to buckets by hand",
    "AmbiguousGrantByEmailAddress": "no two accounts share an address: no account has one",
    "ClientTokenConflict": "of AWS's own regions of access points: one request is one transaction here",
    "CredentialsNotSupported": "of SOAP",
    "DeviceNotActiveError": "of Outposts",
    "EndpointNotFound": "of Outposts",
    "EncryptionTypeMismatch": "an object's bytes are appended under the object's own encryption, whatever it is",
    "GlacierExpeditedRetrievalNotAvailable": "there is always capacity",
    "IncorrectEndpoint": "of buckets that moved, which none does",
    "IncorrectNumberOfFilesInPostRequest": "AWS answers InvalidArgument with this text (test_forms.py)",
    "InlineDataTooLarge": "of SOAP",
    "InternalError": "a fault of cumulo's own",
    "InvalidAccessPoint": "AWS answers NoSuchAccessPoint, or InvalidARN in clients",
    "InvalidAccessPointAliasError": "an alias that nobody has is the name of a bucket that is not there",
    "InvalidAddressingHeader": "of SOAP",
    "InvalidHostHeader": "a foreign host is refused before it is S3's",
    "InvalidHttpMethod": "a method that no resource knows is MethodNotAllowed",
    "InvalidPayer": "of DevPay, which is gone",
    "InvalidRegion": "of multi-region access points: a bucket of another Region is InvalidRequest",
    "InvalidSOAPRequest": "of SOAP",
    "InvalidSecurity": "of SOAP",
    "MaxMessageLengthExceeded": "larger bodies than the largest document are EntityTooLarge or MalformedXML",
    "MissingAttachment": "of SOAP",
    "MissingAuthenticationToken": "of DevPay, which is gone; unsigned requests are anonymous ones",
    "MissingSecurityElement": "of SOAP",
    "NoLoggingStatusForKey": "of SOAP",
    "NotModified": "304 has no body to carry a code (test_preconditions.py)",
    "NotSignedUp": "whoever has an account has signed up",
    "ObjectAlreadyInActiveTierError": "AWS answers InvalidObjectState (test_restorations.py)",
    "Redirect": "of buckets whose name is new in the DNS: names are known at once",
    "RequestIsNotMultiPartContent": "AWS answers PreconditionFailed with this condition (test_forms.py)",
    "RequestTorrentOfBucketError": "GetObjectTorrent is gone",
    "ResponseInterrupted": "a log's code",
    "ServerSideEncryptionConfigurationNotFoundError": "every bucket has a default encryption",
    "ServiceUnavailable": "of a server that is overloaded",
    "TemporaryRedirect": "of buckets whose name is new in the DNS: names are known at once",
    "TokenRefreshRequired": "of DevPay, which is gone",
    "UnauthorizedAccessError": "of Regions whose partitions do not share accounts: keys are known in all of them",
    "UnexpectedIPError": "of Regions in China",
    "UnsupportedArgument": "of SigV2 in Regions that never took it: all take it",
    "UnsupportedSignature": "of STS tokens in SigV2",
    "UserKeyMustBeSpecified": "AWS answers InvalidArgument with this text (test_forms.py)",
}


def _quoted() -> set[str]:
    """Every code that stands in quotes, or as an element, in another test."""
    own = Path(__file__)
    text = "\n".join([path.read_text() for path in TESTS.rglob("*.py") if path != own])
    return set(re.findall(r"[\"'](?:<Code>)?([A-Z][A-Za-z0-9.]+)(?:</Code>)?[\"']", text)) | set(
        re.findall(r"<Code>([A-Za-z.]+)<", text)
    )


HERE = {"PermanentRedirect"}


@pytest.mark.parametrize("code", sorted(PROVOKED))
def test_a_test_provokes_it(code: str) -> None:
    assert code in HERE or code in _quoted()


def test_every_error_of_ours_is_in_the_catalogue() -> None:
    ours = {
        each.code for module in (errors, control_errors) for each in vars(module).values() if isinstance(each, Error)
    }
    assert not ours - PROVOKED - NEVER.keys()
    assert not NEVER.keys() & PROVOKED


def test_a_path_in_the_wrong_region_is_sent_elsewhere(cloud: Account) -> None:
    name = f"abroad-{cloud.account}"
    cloud.client("s3", region="eu-west-1").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    answer = Signed(cloud.running.url, "GET", f"/{name}", EMPTY, key=cloud.account).send(b"")
    assert (answer.status, answer.code) == (301, "PermanentRedirect")
    assert answer.message == (
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all "
        "future requests to this endpoint."
    )
    assert f"<Endpoint>{name}.s3.eu-west-1.amazonaws.com</Endpoint>" in answer.body.decode()
