"""The queries of AWS's page "Sample queries", each with events and what it finds in them.

Source: CloudWatch Logs User Guide, "Sample queries", as of 2026.
"""

# ruff: noqa: E501

from __future__ import annotations

from tests.services.operations.logs.query.running import Event, events

Rows = list[dict[str, str]]

GENERAL = events("fine", "java.lang.Exception: a", "fine again", "Exception: b")
SERVERS = events(
    {"server": "web-1", "severity": "INFO", "message": "up"},
    {"server": "web-2", "severity": "INFO", "message": "up"},
    {"server": "web-1", "severity": "ERROR", "message": "down"},
    {"server": "web-1", "severity": "INFO", "message": "up again"},
)
REQUEST = "8f507cfc-8bc7-4bc5-9f3a-1f7c2c5f7a1"
LAMBDA = events(
    f"START RequestId: {REQUEST}0 Version: $LATEST\n",
    f"END RequestId: {REQUEST}0\n",
    *[
        f"REPORT RequestId: {REQUEST}{index}\tDuration: {duration} ms\tBilled Duration: 2000 ms\tMemory Size: 256 MB\t"
        f"Max Memory Used: {memory} MB\t\n"
        for index, (duration, memory) in enumerate(((1200.5, 70), (100.0, 90), (1500.25, 80)))
    ],
    f"REPORT RequestId: {REQUEST}0\tDuration: 1300 ms\tBilled Duration: 1300 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 60 MB\t\n",
)


def flow(source: str, target: str, packets: int, size: int, protocol: int = 6, status: str = "OK") -> str:
    interface = "eni-0123456789abcdef0"
    return f"2 123456789010 {interface} {source} {target} 20641 443 {protocol} {packets} {size} 1 2 ACCEPT {status}"


FLOW = events(
    flow("192.0.2.7", "10.0.0.1", 10, 1000),
    flow("192.0.2.7", "10.0.0.1", 5, 500),
    flow("198.51.100.9", "10.0.0.2", 7, 9000, 17),
    flow("192.0.2.8", "10.0.0.2", 1, 100, 17, "SKIPDATA"),
)
DNS = events(
    "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.168.1.1 -",
    "1.0 2017-12-13T08:15:50.235Z Z123412341234 example.com AAAA NOERROR TCP IAD12 192.168.3.1 192.168.222.0/24",
    "1.0 2017-12-13T08:16:03.983Z Z123412341234 test.example.com A SERVFAIL UDP FRA6 192.168.1.1 2001:db8::/48",
)
TRAIL = events(
    {"eventSource": "ec2.amazonaws.com", "eventName": "StartInstances", "awsRegion": "us-east-2",
     "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-abcde123"}]}},
     "tlsDetails": {"tlsVersion": "TLSv1.1", "cipherSuite": "ECDHE"}, "userIdentity": {"accountId": "1"},
     "recipientAccountId": "2", "userAgent": "cli"},
    {"eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "awsRegion": "us-east-1",
     "requestParameters": {"userName": "Alice"}, "responseElements": {"user": {"arn": "arn:aws:iam::1:user/Alice"}}},
    {"eventSource": "cloudtrail.amazonaws.com", "eventName": "UpdateTrail", "awsRegion": "us-east-2",
     "errorCode": "Denied", "errorMessage": "no"},
)  # fmt: skip
API = events(
    *[
        {"status": status, "ip": "1.2.3.4", "path": path, "httpMethod": "GET", "responseLatency": latency,
         "integrationLatency": latency}
        for status, path, latency in ((200, "/a", 10), (404, "/b", 5), (200, "/a", 30), (503, "/a", 99))
    ]
)  # fmt: skip
NAT = events(flow("y.y.0.1", "x.x.x.x", 1, 700), flow("8.8.8.8", "x.x.x.x", 1, 300))
APACHE = events(
    {"remoteIP": "1.1.1.1", "request": "GET /admin", "status": "200", "filename": "/var/www/html/admin",
     "referrer": "http://34.250.27.141/", "method": "GET"},
    {"remoteIP": "2.2.2.2", "request": "GET /", "status": "404", "filename": "/var/www/html/index", "method": "GET"},
    {"function": "mpm", "process": "12", "message": "resuming normal operations"},
)  # fmt: skip
BRIDGE = events({"detail-type": "Started"}, {"detail-type": "Stopped"}, {"detail-type": "Started"})
METHODS = events(
    "user=ann, method:get, latency := 10", "user=ann, method:get, latency := 20", "user=bob, method:put, latency := 5"
)
LEVELS = events("10:00 [ERROR] disk full", "10:01 [INFO] all well", "10:02 [DEBUG] noise")
NUMBERS = events({"f1": 5, "f2": "a", "f3": 30}, {"f1": 10, "f2": "b", "f3": 1}, {"f1": "Exception x", "f2": "c"})
DOCUMENTS = events(
    {"users": [{"action": "Get"}, {"action": "PutData"}], "user.id": "123", "status_code": 200},
    {"users": [], "status_code": 500},
)

SAMPLES: list[tuple[str, list[Event], Rows]] = [
    # --- general ---
    (
        "fields @timestamp, @message | sort @timestamp desc | limit 25",
        GENERAL[:1],
        [{"@timestamp": "2023-11-14 22:13:20.000", "@message": "fine"}],
    ),
    (
        "filter @message like /Exception/ \n    | stats count(*) as exceptionCount by bin(1h)\n"
        "    | sort exceptionCount desc",
        GENERAL,
        [{"bin(1h)": "2023-11-14 22:00:00.000", "exceptionCount": "2"}],
    ),
    (
        "fields @message | filter @message not like /Exception/",
        GENERAL,
        [{"@message": "fine again"}, {"@message": "fine"}],
    ),
    (
        "fields @timestamp, server, severity, message \n| sort @timestamp asc \n| dedup server",
        SERVERS,
        [
            {"@timestamp": "2023-11-14 22:13:20.000", "server": "web-1", "severity": "INFO", "message": "up"},
            {"@timestamp": "2023-11-14 22:13:21.000", "server": "web-2", "severity": "INFO", "message": "up"},
        ],
    ),
    (
        "fields @timestamp, server, severity, message \n| sort @timestamp desc \n| dedup server, severity",
        SERVERS,
        [
            {"@timestamp": "2023-11-14 22:13:23.000", "server": "web-1", "severity": "INFO", "message": "up again"},
            {"@timestamp": "2023-11-14 22:13:22.000", "server": "web-1", "severity": "ERROR", "message": "down"},
            {"@timestamp": "2023-11-14 22:13:21.000", "server": "web-2", "severity": "INFO", "message": "up"},
        ],
    ),
    # --- Lambda ---
    (
        'filter @type = "REPORT"\n    | stats max(@memorySize / 1000 / 1000) as provisonedMemoryMB,\n'
        "        min(@maxMemoryUsed / 1000 / 1000) as smallestMemoryRequestMB,\n"
        "        avg(@maxMemoryUsed / 1000 / 1000) as avgMemoryUsedMB,\n"
        "        max(@maxMemoryUsed / 1000 / 1000) as maxMemoryUsedMB,\n"
        "        provisonedMemoryMB - maxMemoryUsedMB as overProvisionedMB",
        LAMBDA,
        [
            {
                "provisonedMemoryMB": "256",
                "smallestMemoryRequestMB": "60",
                "avgMemoryUsedMB": "75",
                "maxMemoryUsedMB": "90",
                "overProvisionedMB": "166",
            }
        ],
    ),
    (
        'filter @type = "REPORT" |\n    stats avg(@duration), max(@duration), min(@duration) by bin(5m)',
        LAMBDA,
        [
            {
                "bin(5m)": "2023-11-14 22:10:00.000",
                "avg(@duration)": "1025.1875",
                "max(@duration)": "1500.25",
                "min(@duration)": "100.0",
            }
        ],
    ),
    (
        'fields @timestamp, @requestId, @message, @logStream \n| filter @type = "REPORT" and @duration > 1000\n'
        "| sort @timestamp desc\n| dedup @requestId \n| limit 20",
        LAMBDA,
        [
            {
                "@timestamp": "2023-11-14 22:13:25.000",
                "@requestId": f"{REQUEST}0",
                "@message": LAMBDA[5].message,
                "@logStream": "s",
            },
            {
                "@timestamp": "2023-11-14 22:13:24.000",
                "@requestId": f"{REQUEST}2",
                "@message": LAMBDA[4].message,
                "@logStream": "s",
            },
        ],
    ),
    # --- VPC flow logs ---
    (
        "stats sum(packets) as packetsTransferred by srcAddr, dstAddr\n    | sort packetsTransferred  desc\n    | limit 15",
        FLOW[:3],
        [
            {"srcAddr": "192.0.2.7", "dstAddr": "10.0.0.1", "packetsTransferred": "15"},
            {"srcAddr": "198.51.100.9", "dstAddr": "10.0.0.2", "packetsTransferred": "7"},
        ],
    ),
    (
        'filter isIpv4InSubnet(srcAddr, "192.0.2.0/24")\n    | stats sum(bytes) as bytesTransferred by dstAddr\n'
        "    | sort bytesTransferred desc\n    | limit 15",
        FLOW,
        [{"dstAddr": "10.0.0.1", "bytesTransferred": "1500"}, {"dstAddr": "10.0.0.2", "bytesTransferred": "100"}],
    ),
    (
        "filter protocol=17 | stats count(*) by srcAddr",
        FLOW,
        [{"srcAddr": "192.0.2.8", "count(*)": "1"}, {"srcAddr": "198.51.100.9", "count(*)": "1"}],
    ),
    (
        'filter logStatus="SKIPDATA"\n    | stats count(*) by bin(1h) as t\n    | sort t',
        FLOW,
        [{"t": "2023-11-14 22:00:00.000", "count(*)": "1"}],
    ),
    (
        "fields @timestamp, srcAddr, dstAddr, srcPort, dstPort, protocol, bytes \n| filter @logStream = 's' and"
        " interfaceId = 'eni-0123456789abcdef0' \n| sort @timestamp desc \n"
        "| dedup srcAddr, dstAddr, srcPort, dstPort, protocol \n| limit 1",
        FLOW,
        [
            {
                "@timestamp": "2023-11-14 22:13:23.000",
                "srcAddr": "192.0.2.8",
                "dstAddr": "10.0.0.2",
                "srcPort": "20641",
                "dstPort": "443",
                "protocol": "17",
                "bytes": "100",
            }
        ],
    ),
    (
        "stats avg(bytes), max(bytes) by dstAddr",
        FLOW[:2],
        [{"dstAddr": "10.0.0.1", "avg(bytes)": "750", "max(bytes)": "1000"}],
    ),
    # --- Route 53 ---
    (
        "stats count(*) by queryType, bin(1h)",
        DNS,
        [
            {"queryType": "A", "bin(1h)": "2023-11-14 22:00:00.000", "count(*)": "2"},
            {"queryType": "AAAA", "bin(1h)": "2023-11-14 22:00:00.000", "count(*)": "1"},
        ],
    ),
    (
        "stats count(*) as numRequests by resolverIp\n    | sort numRequests desc\n    | limit 10",
        DNS,
        [{"resolverIp": "192.168.1.1", "numRequests": "2"}, {"resolverIp": "192.168.3.1", "numRequests": "1"}],
    ),
    (
        'filter responseCode="SERVFAIL" | stats count(*) by queryName',
        DNS,
        [{"queryName": "test.example.com", "count(*)": "1"}],
    ),
    # --- CloudTrail ---
    (
        "stats count(*) by eventSource, eventName, awsRegion",
        TRAIL[1:2],
        [{"eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "awsRegion": "us-east-1", "count(*)": "1"}],
    ),
    (
        'filter (eventName="StartInstances" or eventName="StopInstances") and awsRegion="us-east-2"\n| fields eventName',
        TRAIL,
        [{"eventName": "StartInstances"}],
    ),
    (
        'filter eventName="CreateUser"\n    | fields awsRegion, requestParameters.userName, responseElements.user.arn',
        TRAIL,
        [
            {
                "awsRegion": "us-east-1",
                "requestParameters.userName": "Alice",
                "responseElements.user.arn": "arn:aws:iam::1:user/Alice",
            }
        ],
    ),
    (
        'filter eventName="UpdateTrail" and ispresent(errorCode)\n    | stats count(*) by errorCode, errorMessage',
        TRAIL,
        [{"errorCode": "Denied", "errorMessage": "no", "count(*)": "1"}],
    ),
    (
        'filter tlsDetails.tlsVersion in [ "TLSv1", "TLSv1.1" ]\n| stats count(*) as numOutdatedTlsCalls by'
        " userIdentity.accountId, recipientAccountId, eventSource, eventName, awsRegion, tlsDetails.tlsVersion,"
        " tlsDetails.cipherSuite, userAgent\n| sort eventSource, eventName, awsRegion, tlsDetails.tlsVersion",
        TRAIL,
        [
            {
                "userIdentity.accountId": "1",
                "recipientAccountId": "2",
                "eventSource": "ec2.amazonaws.com",
                "eventName": "StartInstances",
                "awsRegion": "us-east-2",
                "tlsDetails.tlsVersion": "TLSv1.1",
                "tlsDetails.cipherSuite": "ECDHE",
                "userAgent": "cli",
                "numOutdatedTlsCalls": "1",
            }
        ],
    ),
    (
        'filter tlsDetails.tlsVersion in [ "TLSv1", "TLSv1.1" ]\n| stats count(*) as numOutdatedTlsCalls by eventSource \n'
        "| sort numOutdatedTlsCalls desc",
        TRAIL,
        [{"eventSource": "ec2.amazonaws.com", "numOutdatedTlsCalls": "1"}],
    ),
    (
        'fields eventName \n| filter requestParameters.instancesSet.items.0.instanceId="i-abcde123"\n'
        "| sort @timestamp desc",
        TRAIL,
        [{"eventName": "StartInstances"}],
    ),
    # --- API Gateway ---
    (
        "fields @timestamp, status, ip, path, httpMethod\n| filter status>=400 and status<=499\n| sort @timestamp desc\n"
        "| limit 10",
        API,
        [
            {
                "@timestamp": "2023-11-14 22:13:21.000",
                "status": "404",
                "ip": "1.2.3.4",
                "path": "/b",
                "httpMethod": "GET",
            }
        ],
    ),
    (
        "fields status, ip, path, httpMethod, responseLatency\n| sort responseLatency desc\n| limit 1",
        API,
        [{"status": "503", "ip": "1.2.3.4", "path": "/a", "httpMethod": "GET", "responseLatency": "99"}],
    ),
    (
        "stats count(*) as requestCount by path\n| sort requestCount desc\n| limit 10",
        API,
        [{"path": "/a", "requestCount": "3"}, {"path": "/b", "requestCount": "1"}],
    ),
    (
        "filter status=200\n| stats avg(integrationLatency), max(integrationLatency), \nmin(integrationLatency) by bin(1m)",
        API,
        [
            {
                "bin(1m)": "2023-11-14 22:13:00.000",
                "avg(integrationLatency)": "20",
                "max(integrationLatency)": "30",
                "min(integrationLatency)": "10",
            }
        ],
    ),
    # --- NAT gateways ---
    (
        "filter (dstAddr like 'x.x.x.x' and srcAddr like 'y.y.') \n| stats sum(bytes) as bytesTransferred by srcAddr,"
        " dstAddr\n| sort bytesTransferred desc\n| limit 10",
        NAT,
        [{"srcAddr": "y.y.0.1", "dstAddr": "x.x.x.x", "bytesTransferred": "700"}],
    ),
    (
        "filter (dstAddr like 'x.x.x.x' and srcAddr like 'y.y.') or (srcAddr like 'xxx.xx.xx.xx' and dstAddr like 'y.y.')"
        "\n| stats sum(bytes) as bytesTransferred by srcAddr, dstAddr\n| sort bytesTransferred desc\n| limit 10",
        NAT,
        [{"srcAddr": "y.y.0.1", "dstAddr": "x.x.x.x", "bytesTransferred": "700"}],
    ),
    (
        "filter (dstAddr like 'x.x.x.x' and srcAddr not like 'y.y.') \n| stats sum(bytes) as bytesTransferred by srcAddr,"
        " dstAddr\n| sort bytesTransferred desc\n| limit 10",
        NAT,
        [{"srcAddr": "8.8.8.8", "dstAddr": "x.x.x.x", "bytesTransferred": "300"}],
    ),
    # --- Apache ---
    (
        'fields remoteIP, request, status, filename| sort @timestamp desc\n| filter filename="/var/www/html/admin"\n'
        "| limit 20",
        APACHE,
        [{"remoteIP": "1.1.1.1", "request": "GET /admin", "status": "200", "filename": "/var/www/html/admin"}],
    ),
    (
        'fields @timestamp, remoteIP, method, status\n| filter status="200" and referrer= http://34.250.27.141/ and'
        ' method= "GET"\n| stats count_distinct(remoteIP) as UniqueVisits\n| limit 10',
        APACHE,
        [{"UniqueVisits": "1"}],
    ),
    (
        'fields function, process, message\n| filter message like "resuming normal operations"\n| sort @timestamp desc\n'
        "| limit 20",
        APACHE,
        [{"function": "mpm", "process": "12", "message": "resuming normal operations"}],
    ),
    # --- EventBridge ---
    (
        "fields @timestamp, @message\n| stats count(*) as numberOfEvents by `detail-type`\n| sort numberOfEvents desc",
        BRIDGE,
        [{"detail-type": "Started", "numberOfEvents": "2"}, {"detail-type": "Stopped", "numberOfEvents": "1"}],
    ),
]
