"""The fields that are discovered in log events, as SQL over their messages.

A field's value is that of JSON, whose nested keys and lists' positions are joined by dots, or of what Lambda, VPC flow
logs and Route 53 write. Only the fields that a query names are looked for.
Source: CloudWatch Logs User Guide, "Supported logs and discovered fields". AWS finds the first 200 fields of an event;
here all are found.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise

from cumulo.services.operations.logs.query.values import TEXT, TIME, Value, quoted

TIMESTAMP, MESSAGE, STREAM, LOG, INGESTION, POINTER = (
    "@timestamp",
    "@message",
    "@logStream",
    "@log",
    "@ingestionTime",
    "@ptr",
)
# The columns of every source of events: gid is the group's id, seq and sid make the order of events whole.
SYSTEM = {
    TIMESTAMP: Value("ts", TIME),
    MESSAGE: Value("message", TEXT),
    STREAM: Value("stream", TEXT),
    LOG: Value("log", TEXT),
    INGESTION: Value("ingested", TIME),
    POINTER: Value("(gid || '-' || ts || '-' || seq || '-' || sid)", TEXT),
}
LAMBDA_GROUP = "/aws/lambda/"
REFERENCE = "@ptr.$"  # how names of fields begin that refer to large log objects: @ptr.$['body']
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST = quoted(rf"(?:RequestId: |^\S+\t)({_UUID})")
_REPORT = "starts_with(message, 'REPORT RequestId: ')"


def _milliseconds(label: str) -> str:
    pattern = quoted(rf"(?:^|\t){label}: ([0-9.]+) ms")
    return f"CASE WHEN {_REPORT} THEN q_java(TRY_CAST(regexp_extract(message, {pattern}, 1) AS DOUBLE)) END"


def _megabytes(label: str) -> str:
    # AWS's own queries divide by 1000 / 1000 to have megabytes.
    pattern = quoted(rf"\t{label}: ([0-9]+) MB")
    number = f"TRY_CAST(regexp_extract(message, {pattern}, 1) AS DOUBLE) * 1e6"
    return f"CASE WHEN {_REPORT} THEN q_java({number}) END"


def _after(label: str) -> str:
    pattern = quoted(label + r": (\S+)")
    return f"nullif(regexp_extract(message, {pattern}, 1), '')"


# The lines that the Lambda service itself writes. Source: Lambda Developer Guide, "Working with Lambda function logs".
LAMBDA = {
    "@requestId": f"nullif(regexp_extract(message, {_REQUEST}, 1), '')",
    "@type": (
        "CASE WHEN starts_with(message, 'START RequestId: ') THEN 'START'"
        " WHEN starts_with(message, 'END RequestId: ') THEN 'END'"
        f" WHEN {_REPORT} THEN 'REPORT' WHEN starts_with(message, 'INIT_START ') THEN 'INIT_START' END"
    ),
    "@duration": _milliseconds("Duration"),
    "@billedDuration": _milliseconds("Billed Duration"),
    "@initDuration": _milliseconds("Init Duration"),
    "@restoreDuration": _milliseconds("Restore Duration"),
    "@billedRestoreDuration": _milliseconds("Billed Restore Duration"),
    "@memorySize": _megabytes("Memory Size"),
    "@maxMemoryUsed": _megabytes("Max Memory Used"),
    "@xrayTraceId": _after("XRAY TraceId"),
    "@xraySegmentId": _after("SegmentId"),
}
# The default format of flow logs. Source: VPC User Guide, "Flow log records".
FLOW_SHAPE = r"^[0-9]+ (?:[0-9]{12}|unknown) eni-[0-9a-z]+(?: \S+){11}\s*$"
FLOW = (
    "version",
    "accountId",
    "interfaceId",
    "srcAddr",
    "dstAddr",
    "srcPort",
    "dstPort",
    "protocol",
    "packets",
    "bytes",
    "startTime",
    "endTime",
    "action",
    "logStatus",
)
# Source: Route 53 Developer Guide, "Values that appear in DNS query logs".
ROUTE53_SHAPE = r"^[0-9]+\.[0-9]+ [0-9]{4}-[0-9]{2}-[0-9]{2}T\S+Z Z[0-9A-Z]+(?: \S+){7}\s*$"
ROUTE53 = (
    "version",
    "queryTimestamp",
    "hostZoneId",
    "queryName",
    "queryType",
    "responseCode",
    "protocol",
    "edgeLocation",
    "resolverIp",
    "ednsClientSubnet",
)


def json_text(is_lambda: bool) -> str:
    """The JSON object in a message; Lambda's lines may have something before and after the first one."""
    # Few messages begin with space, and to trim all would take as long as to read their JSON.
    trimmed = "ltrim(message, chr(9) || chr(10) || chr(13) || ' ')"
    begins = f"(starts_with(message, '{{') OR (message < '!' AND starts_with({trimmed}, '{{')))"
    whole = f"CASE WHEN {begins} AND json_valid(message) THEN message"
    if not is_lambda:
        return f"{whole} END"
    rest = "rtrim(substring(message, strpos(message, '{')))"
    nested = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
    return (
        f"{whole} WHEN contains(message, '{{') THEN CASE WHEN json_valid({rest}) THEN {rest} ELSE"
        f" CASE WHEN json_valid(regexp_extract(message, {quoted(nested)})) THEN"
        f" regexp_extract(message, {quoted(nested)}) END END END"
    )


def pointers(name: str) -> list[str]:
    """The JSON pointers that a field's name may stand for: a key may have dots itself. The likeliest is first."""
    if name.startswith(REFERENCE):
        return ["/" + name.replace("~", "~0").replace("/", "~1")]
    if name.startswith("@@"):
        name = name[1:]
    parts = name.split(".")
    cuts = range(1, len(parts))
    if len(parts) > 4:
        chosen: Iterable[tuple[int, ...]] = [tuple(cuts), (), (len(parts) - 1,), (1,)]
    else:
        chosen = [each for count in range(len(parts) - 1, -1, -1) for each in combinations(cuts, count)]
    found = []
    for each in chosen:
        edges = (0, *each, len(parts))
        keys = [".".join(parts[begin:end]) for begin, end in pairwise(edges)]
        found.append("".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys))
    return list(dict.fromkeys(found))


def is_json_name(name: str) -> bool:
    """Whether a field may come out of JSON: those of CloudWatch Logs begin with one @, and only
    references to large objects are in the events themselves."""
    return not name.startswith("@") or name.startswith(("@@", REFERENCE))


def extracted(
    source: str, names: list[str], raw: list[str], is_lambda: bool
) -> tuple[str, dict[str, str], dict[str, str]]:
    """A source with the fields of these names: its SQL, their columns, and the columns of those wanted `raw`.

    A value that is a map or a list is no field; its leaves are.
    """
    every = list(dict.fromkeys(names + raw))
    hidden = [(f"x{index}_", name) for index, name in enumerate(every) if is_json_name(name)]
    if hidden:
        # One call for all fields reads a message once.
        paths = ", ".join(quoted(pointers(name)[0]) for _, name in hidden)
        listed = ", ".join(f"xs_[{index + 1}] AS {column}" for index, (column, _) in enumerate(hidden))
        source = f"SELECT *, {json_text(is_lambda)} AS j_ FROM ({source})"
        source = f"SELECT *, json_extract_string(j_, [{paths}]) AS xs_ FROM ({source})"
        source = f"SELECT * EXCLUDE (xs_), {listed} FROM ({source})"
    columns: dict[str, str] = {}
    raws: dict[str, str] = {}
    added = []
    for index, name in enumerate(every):
        first, *others = pointers(name) if is_json_name(name) else [""]
        if name in names:
            found = [_leaf(f"x{index}_", first)] if first else []
            found += [_guarded(path, _leaf(_string(path), path)) for path in others]
            columns[name] = f"f{index}"
            added.append(f"{_first([*found, *_shaped(name)])} AS f{index}")
        if name in raw:
            found = [f"x{index}_"] if first else []
            found += [_guarded(path, _string(path)) for path in others]
            raws[name] = f"r{index}"
            added.append(f"{_first([*found, *_shaped(name)])} AS r{index}")
    if added:
        kept = f" EXCLUDE ({', '.join(['j_', *(column for column, _ in hidden)])})" if hidden else ""
        source = f"SELECT *{kept}, {', '.join(added)} FROM ({source})"
    return source, columns, raws


def _string(path: str) -> str:
    return f"json_extract_string(j_, {quoted(path)})"


def _guarded(path: str, value: str) -> str:
    """A value at a path with dots in its keys, which the text has to show: few events have any."""
    keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/") if "." in key]
    shown = " AND ".join(f"contains(j_, {quoted(key)})" for key in keys)
    return f"CASE WHEN {shown} THEN {value} END"


def _first(values: list[str]) -> str:
    if not values:
        return "NULL::VARCHAR"
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _leaf(value: str, path: str) -> str:
    structure = f"json_type(j_, {quoted(path)}) IN ('OBJECT', 'ARRAY')"
    maybe = f"starts_with({value}, '{{') OR starts_with({value}, '[')"
    return f"CASE WHEN {maybe} THEN CASE WHEN NOT {structure} THEN {value} END ELSE {value} END"


def _shaped(name: str) -> list[str]:
    """What a field of this name is in lines that are no JSON."""
    found = []
    if name in LAMBDA:
        found.append(LAMBDA[name])
    for names, shape in ((FLOW, FLOW_SHAPE), (ROUTE53, ROUTE53_SHAPE)):
        if name in names:
            part = f"split_part(rtrim(message), ' ', {names.index(name) + 1})"
            digit = "message >= '0' AND message < ':'"
            found.append(f"CASE WHEN {digit} AND regexp_matches(message, {quoted(shape)}) THEN {part} END")
    return found
