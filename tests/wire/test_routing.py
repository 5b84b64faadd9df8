"""Every way in which a client says where it wants to go."""

import pytest

from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.routing import Router
from tests.wire.calls import request

SERVICES = "sqs sns sts s3 s3control lambda ec2 cloudwatch iam elb elbv2 dynamodb"
ROUTER = Router(SERVICES.split())
ELB = "elasticloadbalancing"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def where(sent: Request) -> str:
    route = ROUTER.route(sent)
    return f"{route.service.name}.{route.operation.name} {route.protocol} {route.region}"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (request(headers={"X-Amz-Target": "AmazonSQS.SendMessage"}, service="sqs"), "sqs.SendMessage json eu-west-1"),
        (
            request(headers={"X-Amz-Target": "com.amazonaws.AmazonSQS.SendMessage"}),
            "sqs.SendMessage json us-east-1",
        ),
        (request(headers=FORM, body=b"Action=SendMessage", service="sqs"), "sqs.SendMessage query eu-west-1"),
        (request("GET", "/1/q?Action=SendMessage", service="sqs"), "sqs.SendMessage query eu-west-1"),
        (
            request("GET", "/?Action=GetCallerIdentity&Version=2011-06-15"),
            "sts.GetCallerIdentity query us-east-1",
        ),
        (
            request(
                "GET",
                "/?Action=GetCallerIdentity&X-Amz-Credential=AKIA%2F20260101%2Feu-north-1%2Fsts%2Faws4_request",
            ),
            "sts.GetCallerIdentity query eu-north-1",
        ),
        (
            request(headers=FORM, body=b"Action=DescribeInstances", host="ec2.ap-south-1.amazonaws.com"),
            "ec2.DescribeInstances ec2 ap-south-1",
        ),
        (
            request(headers=FORM, body=b"Action=SendMessage", host="eu-west-3.queue.amazonaws.com"),
            "sqs.SendMessage query eu-west-3",
        ),
        (
            request(headers=FORM, body=b"Action=DescribeLoadBalancers&Version=2015-12-01", service=ELB),
            "elbv2.DescribeLoadBalancers query eu-west-1",
        ),
        (
            request(headers=FORM, body=b"Action=DescribeLoadBalancers&Version=2012-06-01", service=ELB),
            "elb.DescribeLoadBalancers query eu-west-1",
        ),
        (
            request(
                target="/service/GraniteServiceVersion20100801/operation/ListMetrics",
                headers={"smithy-protocol": "rpc-v2-cbor"},
                service="monitoring",
            ),
            "cloudwatch.ListMetrics smithy-rpc-v2-cbor eu-west-1",
        ),
        (request("GET", "/", service="s3"), "s3.ListBuckets rest-xml eu-west-1"),
        (request("GET", "/"), "s3.ListBuckets rest-xml us-east-1"),
        (request("PUT", "/bucket", service="s3"), "s3.CreateBucket rest-xml eu-west-1"),
        (request("GET", "/bucket/", service="s3"), "s3.ListObjects rest-xml eu-west-1"),
        (request("GET", "/bucket?list-type=2", service="s3"), "s3.ListObjectsV2 rest-xml eu-west-1"),
        (request("GET", "/bucket?acl", service="s3"), "s3.GetBucketAcl rest-xml eu-west-1"),
        (request("GET", "/bucket/key?acl", service="s3"), "s3.GetObjectAcl rest-xml eu-west-1"),
        (
            request("PUT", "/b/k?partNumber=1&uploadId=u", service="s3"),
            "s3.UploadPart rest-xml eu-west-1",
        ),
        (request("PUT", "/b/k", {"x-amz-copy-source": "/a/b"}, service="s3"), "s3.CopyObject rest-xml eu-west-1"),
        (request("PUT", "/b/k", service="s3"), "s3.PutObject rest-xml eu-west-1"),
        (request("POST", "/b?delete", service="s3"), "s3.DeleteObjects rest-xml eu-west-1"),
        (
            request("GET", "/b?lifecycle", service="s3"),
            "s3.GetBucketLifecycleConfiguration rest-xml eu-west-1",
        ),
        (
            request("GET", "/b?analytics&id=1", service="s3"),
            "s3.GetBucketAnalyticsConfiguration rest-xml eu-west-1",
        ),
        (
            request("GET", "/b?analytics", service="s3"),
            "s3.ListBucketAnalyticsConfigurations rest-xml eu-west-1",
        ),
        (
            request("GET", "/v20180820/bucket", {"x-amz-account-id": "1"}, service="s3"),
            "s3control.ListRegionalBuckets rest-xml eu-west-1",
        ),
        (request("GET", "/k", host="b.s3.eu-central-1.amazonaws.com"), "s3.GetObject rest-xml eu-central-1"),
        (request("GET", "/", host="b.s3-eu-west-1.amazonaws.com"), "s3.ListObjects rest-xml eu-west-1"),
        (request("GET", "/", host="a.b.s3.localhost:4566"), "s3.ListObjects rest-xml us-east-1"),
        (request("GET", "/", host="b.s3.localhost.localstack.cloud:4566"), "s3.ListObjects rest-xml us-east-1"),
        (request("GET", "/", host="a.b.localhost:4566"), "s3.ListObjects rest-xml us-east-1"),
        (request("GET", "/", host="b.s3.dualstack.us-west-2.amazonaws.com"), "s3.ListObjects rest-xml us-west-2"),
        (
            request("POST", "/2015-03-31/functions/f/invocations", service="lambda"),
            "lambda.Invoke rest-json eu-west-1",
        ),
        (request("GET", "/2015-03-31/functions/", service="lambda"), "lambda.ListFunctions rest-json eu-west-1"),
        (
            request("GET", "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af", service="lambda"),
            "lambda.ListTags rest-json eu-west-1",
        ),
        (
            request("GET", "/2015-03-31/functions/", host="lambda.us-east-2.amazonaws.com"),
            "lambda.ListFunctions rest-json us-east-2",
        ),
    ],
)
def test_routes(sent: Request, expected: str) -> None:
    assert where(sent) == expected


def test_labels_are_decoded_and_greedy_ones_keep_their_slashes() -> None:
    route = ROUTER.route(request("GET", "/a//b%20c/%C3%A4?x-id=GetObject", host="my.bucket.s3.localhost"))
    assert route.parse() == {"Bucket": "my.bucket", "Key": "a//b c/ä"}
    route = ROUTER.route(request("GET", "/bucket//leading/", service="s3"))
    assert route.parse() == {"Bucket": "bucket", "Key": "/leading/"}


def test_a_queue_url_is_read_from_the_path() -> None:
    sent = request(target="/000000000000/q", headers=FORM, body=b"Action=SendMessage&MessageBody=a", service="sqs")
    assert ROUTER.route(sent).parse()["QueueUrl"] == "http://localhost:4566/000000000000/q"


@pytest.mark.parametrize(
    ("sent", "status", "code", "text"),
    [
        (
            request(headers={"X-Amz-Target": "AmazonSQS.Fly"}, service="sqs"),
            400,
            "com.amazon.coral.service#UnknownOperationException",
            "",
        ),
        (
            request(headers=FORM, body=b"Action=Fly", service="sqs"),
            400,
            "InvalidAction",
            "for this endpoint.",
        ),
        (
            request(headers=FORM, body=b"Action=Fly&Version=2010-03-31", service="sns"),
            400,
            "InvalidAction",
            "Could not find operation Fly for version 2010-03-31",
        ),
        (
            request(headers=FORM, body=b"Action=Publish&Version=2009-01-01", service="sns"),
            400,
            "InvalidAction",
            "Could not find operation Publish for version 2009-01-01",
        ),
        (
            request(headers=FORM, body=b"Action=Fly", service="ec2"),
            400,
            "InvalidAction",
            "for this web service.",
        ),
        (request("POST", "/nowhere", service="lambda"), 404, "UnknownOperationException", ""),
        (request("PATCH", "/bucket", service="s3"), 405, "MethodNotAllowed", "<ResourceType>BUCKET</ResourceType>"),
        (request("PUT", "/", service="s3"), 405, "MethodNotAllowed", "<Error><Code>"),
        (request("POST", "/", service="s3"), 405, "MethodNotAllowed", "<ResourceType>SERVICE</ResourceType>"),
        (request("POST", "/b/k", service="s3"), 405, "MethodNotAllowed", "<ResourceType>OBJECT</ResourceType>"),
        (request("POST", "/b/k?upload", service="s3"), 405, "MethodNotAllowed", "<Method>POST</Method>"),
        (request("PUT", "/b/k?torrent", service="s3"), 405, "MethodNotAllowed", "<ResourceType>TORRENT</ResourceType>"),
        (
            request("DELETE", "/b?uploads", service="s3"),
            405,
            "MethodNotAllowed",
            "<ResourceType>UPLOADS</ResourceType>",
        ),
        (request("DELETE", "/b/k?legal-hold", service="s3"), 405, "MethodNotAllowed", "LEGAL_HOLD"),
        (request("PUT", "/b/k?versionId=v", service="s3"), 400, "InvalidArgument", "does not accept a version-id."),
        (request("PUT", "/b/k?uploadId=u", service="s3"), 400, "InvalidRequest", "for this request: partNumber"),
        (request("PUT", "/b/k?partNumber=1", service="s3"), 400, "InvalidRequest", "for this request: uploadId"),
        (request("GET", "/b?start-after=a", service="s3"), 400, "InvalidArgument", "with list-type=2"),
        (request("PATCH", "/v20180820/x", service="s3"), 404, "UnknownOperationException", ""),
        (
            request(headers={"X-Amz-Target": "Kinesis_20131202.PutRecord"}),
            501,
            "NotImplemented",
            "kinesis",
        ),
        (request("GET", "/2020-05-31/distribution", service="cloudfront"), 501, "NotImplemented", "cloudfront"),
        (request(headers=FORM, body=b"Action=DescribeDBInstances", service="rds"), 501, "NotImplemented", "yet."),
        (request("GET", "/", service="made-up"), 501, "NotImplemented", "made-up"),
    ],
)
def test_what_nobody_answers_is_refused_in_the_protocol_of_the_request(
    sent: Request, status: int, code: str, text: str
) -> None:
    with pytest.raises(Fault) as refused:
        ROUTER.route(sent)
    answer_status, headers, body = ROUTER.fault(sent, refused.value, "request-1")
    assert answer_status == status
    assert code in body.decode() + str(headers)
    assert text in body.decode().replace("&apos;", "'")
    assert "request-1" in str(headers)


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/b?list-type=2&prefix=acl&delimiter=/", "ListObjectsV2"),
        ("GET", "/b/k?versionId=v&partNumber=1&response-expires=x", "GetObject"),
        ("GET", "/b/k?tagging&versionId=v", "GetObjectTagging"),
        ("GET", "/b/k?unknown=1", "GetObject"),
        ("POST", "/b?delete", "DeleteObjects"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
        ("POST", "/b/k?restore&versionId=v", "RestoreObject"),
        ("POST", "/b/k?select&select-type=2", "SelectObjectContent"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
        ("GET", "/b?session", "CreateSession"),
        ("PUT", "/b/k?renameObject", "RenameObject"),
    ],
)
def test_queries_of_s3(method: str, target: str, operation: str) -> None:
    headers = {"x-amz-rename-source": "k2"} if operation == "RenameObject" else {}
    sent = request(method, target, headers=headers, service="s3")
    assert ROUTER.route(sent).operation.name == operation


def test_the_head_alone_routes_rest_requests() -> None:
    route = ROUTER.head(request("PUT", "/bucket/key", service="s3"))
    assert route is not None and route.operation.streaming_input
    assert ROUTER.head(request(headers={"X-Amz-Target": "AmazonSQS.SendMessage"}, service="sqs")) is None
    assert ROUTER.head(request(headers=FORM, service="sns")) is None


def test_head_requests_are_refused_without_a_body() -> None:
    route = ROUTER.route(request("HEAD", "/bucket/key", service="s3"))
    status, headers, body = route.fault(Fault("NoSuchKey", "The specified key does not exist.", status=404), "r")
    assert (status, body) == (404, b"") and ("x-amz-request-id", "r") in headers
