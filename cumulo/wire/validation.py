"""Validation of requests against the model, with AWS's own texts.

A validator is compiled per operation: a quick check that says only yes or no, and, after a no, a slow walk that
words every error. Which words a service uses is its family, `validation` in the metadata of its patch:

- ``""``: `ValidationException`, or `ValidationError` where the service speaks query. "1 validation error detected:
  Value 'x' at 'member' failed to satisfy constraint: Member must …". Observed in AWS's answers (KMS, Lambda, STS …).
- ``sqs``: `MissingParameter` for required members; the service checks everything else itself.
- ``sns``: `InvalidParameter` for required texts, the texts above for the rest.
- ``ec2``: `MissingParameter`, without the full stop.
- ``iam``: the texts above, without the values and without the members of enums; of a list's items it is told too that
  they must not be null. Observed in AWS's answers.
- ``lambda``: the texts above, and the same of a list's items. Observed in AWS's answers.
- ``s3``: `MalformedXML`, for the body; what fields of the head say is looked at by the service itself.
- ``route53``: `InvalidInput` with the texts above.
- ``logs``: `InvalidParameterException` with the texts above, in operations that have that error.
- ``dynamodb``: the texts above, in an order of its own and some of them alone, see `ordered_validation`.
- ``cloudwatch``: `MissingParameter` and `InvalidParameterValue`, see `parameter_validation`.
"""

from collections.abc import Callable
from typing import Any

from cumulo.wire import ordered_validation, parameter_validation
from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation
from cumulo.wire.patterns import matches
from cumulo.wire.shapes import Member, Shape

ERROR_LIMIT = 10
_ITEMS = "Member must satisfy constraint: ["
_NO_NULLS = ", Member must not be null]"
_NULLS_TOLD = ("iam", "lambda")
Check = Callable[[Any], bool]
Validator = Callable[[dict[str, Any]], None]


def validator(operation: Operation) -> Validator:
    """The closure that accepts a parsed request or raises a Fault with AWS's text."""
    compiled: Validator | None = None

    def validate(request: dict[str, Any]) -> None:
        nonlocal compiled
        if compiled is None:  # at the first request: a service has many operations, and start-up asks for all
            compiled = _compile(operation)
        compiled(request)

    return validate


def _compile(operation: Operation) -> Validator:
    shape = operation.input
    if shape is None:
        return lambda request: None
    family = operation.service.metadata.validation
    if family == "sqs":
        return _sqs(shape)
    if family == "ec2":
        return _required(shape, "The request must contain the parameter {}")
    if family == "s3":
        return _s3(shape, operation)
    quick = _quick(operation)
    code = "ValidationError" if "query" in operation.service.protocols else "ValidationException"
    if family == "route53":
        code = "InvalidInput"
    if family == "logs" and "InvalidParameterException" in operation.errors:
        code = "InvalidParameterException"
    if family == "sns":
        return _sns(shape, quick, code)
    if family == "dynamodb":
        return ordered_validation.validator(operation, quick, _of_member, render)
    if family == "cloudwatch":
        words = parameter_validation.validator(operation, quick)
        if words is not None:
            return words
    if quick is None:
        return lambda request: None

    def validate(request: dict[str, Any]) -> None:
        if not quick(request):
            raise _detected(shape, request, code, terse=family == "iam", nulls=family in _NULLS_TOLD)

    return validate


def _detected(shape: Shape, request: dict[str, Any], code: str, *, terse: bool = False, nulls: bool = False) -> Fault:
    errors: list[str] = []
    _walk(shape, request, "", errors, terse)
    found = errors[:ERROR_LIMIT]
    if nulls:
        found = [f"{each[:-1]}{_NO_NULLS}" if each.endswith("]") and _ITEMS in each else each for each in found]
    noun = "validation error" if len(found) == 1 else "validation errors"
    return Fault(code, f"{len(found)} {noun} detected: {'; '.join(found)}")


def _sqs(shape: Shape) -> Validator:
    """Source: SQS API Reference, "Common Errors", MissingParameter; an empty text counts as missing."""
    texts = [name for name in shape.required if shape.members[name].shape.type not in ("list", "map")]
    lists = [name for name in shape.required if shape.members[name].shape.type == "list"]
    entries: list[tuple[str, str, Shape]] = []
    for name, member in shape.members.items():
        if member.shape.type == "list" and member.shape.member.shape.type == "structure":
            label = member.shape.member.location_name or name
            entries.append((name, label, member.shape.member.shape))

    def validate(request: dict[str, Any]) -> None:
        for name in texts:
            if request.get(name, "") == "":
                raise Fault("MissingParameter", f"The request must contain the parameter {name}.")
        for name in lists:
            request.setdefault(name, [])  # a form cannot hold an empty list: the service words the refusal
        for name, label, entry in entries:
            for index, item in enumerate(request.get(name, ()), 1):
                for inner in entry.required:
                    # An empty Id is an InvalidBatchEntryId, which the service words; observed in AWS's answers.
                    if item.get(inner, "") == "" and not (inner == "Id" and inner in item):
                        text = f"The request must contain the parameter {label}.{index}.{inner}."
                        raise Fault("MissingParameter", text)

    return validate


def _required(shape: Shape, text: str) -> Validator:
    required = [(name, shape.members[name].wire_name) for name in shape.required]

    def validate(request: dict[str, Any]) -> None:
        for name, wire in required:
            if name not in request:
                raise Fault("MissingParameter", text.format(wire))

    return validate


def _sns(shape: Shape, quick: Check | None, code: str) -> Validator:
    """Observed in AWS's answers: a missing text is an InvalidParameter, a missing map a ValidationError."""
    texts = [name for name in shape.required if shape.members[name].shape.type == "string"]

    def validate(request: dict[str, Any]) -> None:
        for name in texts:
            if name not in request:
                text = f"Invalid parameter: {name} Reason: no value for required parameter"
                raise Fault("InvalidParameter", text)
        if quick is not None and not quick(request):
            raise _detected(shape, request, code)

    return validate


def _s3(shape: Shape, operation: Operation) -> Validator:
    """The body against the model; what fields of the head say is refused by the service, each in words of its own.

    Source: S3 API Reference, "Error Responses", MalformedXML and MalformedACLError.
    """
    memo = operation.service.codecs.setdefault("validation.checks", {})
    members = [member for member in shape.members.values() if not member.location and not member.streaming]
    checks = [(member.name, _check(member.shape, memo)) for member in members]  # type: ignore[arg-type]
    wanted = [member.name for member in members if member.name in shape.required]
    named = [(m.name, m.wire_name) for m in shape.members.values() if m.location and m.name in shape.required]
    code = "MalformedACLError" if "AccessControlPolicy" in shape.members else "MalformedXML"
    text = "The XML you provided was not well-formed or did not validate against our published schema"

    def validate(request: dict[str, Any]) -> None:
        for name, wire_name in named:
            if name not in request:
                raise Fault("InvalidRequest", f"Missing required parameter for this request: {wire_name}")
        for name in wanted:
            if name not in request:
                raise Fault("MissingRequestBodyError", "Request body is empty.")
        for name, check in checks:
            value = request.get(name)
            if value is not None and check is not None and not check(value):
                raise Fault(code, text)

    return validate


# ---- the quick check: yes or no


def _quick(operation: Operation) -> Check | None:
    assert operation.input is not None
    memo = operation.service.codecs.setdefault("validation.checks", {})
    return _check(operation.input, memo)  # type: ignore[arg-type]


def _check(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    if shape.name in memo:
        return memo[shape.name]
    holder: list[Check | None] = []
    memo[shape.name] = lambda value: holder[0] is None or holder[0](value)
    check = _build(shape, memo)
    holder.append(check)
    memo[shape.name] = check
    return check


def _build(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    if shape.document or shape.eventstream:
        return None
    if shape.type == "structure":
        return _check_structure(shape, memo)
    if shape.type == "list":
        return _check_list(shape, _check(shape.member.shape, memo))
    if shape.type == "map":
        return _check_map(shape, _check(shape.key.shape, memo), _check(shape.value.shape, memo))
    return _check_scalar(shape)


def _check_structure(shape: Shape, memo: dict[str, Check | None]) -> Check | None:
    required = frozenset(shape.required)
    found = ((name, _check(member.shape, memo)) for name, member in shape.members.items() if not member.streaming)
    checks = [(name, check) for name, check in found if check is not None]
    if not required and not checks:
        return None
    if not checks:
        return required.issubset

    def check_structure(value: Any) -> bool:
        if not required <= value.keys():
            return False
        for name, check in checks:  # noqa: SIM110 - the loop is twice as fast
            if name in value and not check(value[name]):
                return False
        return True

    return check_structure


def _check_list(shape: Shape, item: Check | None) -> Check | None:
    low, high = shape.min or 0, shape.max
    if item is None and not low and high is None:
        return None

    def check_list(value: Any) -> bool:
        if len(value) < low or (high is not None and len(value) > high):
            return False
        return item is None or all(element is None or item(element) for element in value)

    return check_list


def _check_map(shape: Shape, key: Check | None, item: Check | None) -> Check | None:
    low, high = shape.min or 0, shape.max
    if key is None and item is None and not low and high is None:
        return None

    def check_map(value: Any) -> bool:
        if len(value) < low or (high is not None and len(value) > high):
            return False
        if key is not None and not all(key(name) for name in value):
            return False
        return item is None or all(element is None or item(element) for element in value.values())

    return check_map


def _check_scalar(shape: Shape) -> Check | None:
    low, high, pattern = shape.min, shape.max, shape.pattern
    if shape.type in ("string", "blob"):
        enum = frozenset(shape.enum)
        if low is None and high is None and not pattern and not enum:
            return None

        def check_text(value: Any) -> bool:
            size = _length(value)
            if (low is not None and size < low) or (high is not None and size > high):
                return False
            return (not enum or value in enum) and (not pattern or type(value) is not str or matches(pattern, value))

        return check_text
    if shape.type in ("boolean", "timestamp") or (low is None and high is None):
        return None
    return lambda value: (low is None or value >= low) and (high is None or value <= high)


def _length(value: Any) -> int:
    """A length as Java counts it: bytes of a blob, UTF-16 units of a text."""
    if type(value) is str and not value.isascii():
        return len(value.encode("utf-16-le", "surrogatepass")) // 2
    return len(value) if isinstance(value, str | bytes) else 0


# ---- the slow walk: words


def _walk(shape: Shape, value: Any, path: str, errors: list[str], terse: bool) -> None:
    if len(errors) >= ERROR_LIMIT or shape.document or shape.eventstream:
        return
    if shape.type == "structure":
        for name in shape.members:
            _walk_named(shape, value, name, path, errors, terse)


def _walk_named(shape: Shape, value: Any, name: str, path: str, errors: list[str], terse: bool) -> None:
    inner = f"{path}.{_lower(name)}" if path else _lower(name)
    if name in value:
        _walk_member(shape.members[name], value[name], inner, errors, terse)
    elif name in shape.required:
        errors.append(f"Value null at '{inner}' failed to satisfy constraint: Member must not be null")


def _of_member(shape: Shape, request: dict[str, Any], name: str) -> list[str]:
    """What is wrong with one member of a request."""
    errors: list[str] = []
    _walk_named(shape, request, name, "", errors, terse=False)
    return errors


def _walk_member(member: Member, value: Any, path: str, errors: list[str], terse: bool) -> None:
    if member.streaming or value is None:
        return
    shown = _shown(member, value, terse)
    for constraint in _broken(member.shape, value, terse):
        errors.append(f"{shown} at '{path}' failed to satisfy constraint: {constraint}")
    _walk_inside(member, value, path, errors, terse)


def _shown(member: Member, value: Any, terse: bool) -> str:
    return "Value" if terse or member.sensitive else f"Value '{render(member.shape, value)}'"


def _walk_inside(member: Member, value: Any, path: str, errors: list[str], terse: bool) -> None:
    shape = member.shape
    if shape.type == "structure":
        _walk(shape, value, path, errors, terse)
    elif shape.type == "list":
        shown = f"{_shown(member, value, terse)} at '{path}'"
        _walk_items(shape.member, enumerate(value, 1), shown, "Member", path, errors, terse)
    elif shape.type == "map":
        shown = f"{_shown(member, value, terse)} at '{path}'"
        if any(_broken(shape.key.shape, key) for key in value):
            inner = ", ".join(_constraints(shape.key.shape, terse))
            errors.append(f"{shown} failed to satisfy constraint: Map keys must satisfy constraint: [{inner}]")
        _walk_items(shape.value, value.items(), shown, "Map value", path, errors, terse)


def _walk_items(member: Member, items: Any, shown: str, noun: str, path: str, errors: list[str], terse: bool) -> None:
    """Items that are scalars, and the lengths of lists, are reported at their list or map; what is composed, in its
    place."""
    shape = member.shape
    told = False
    for name, item in items:
        if len(errors) >= ERROR_LIMIT or item is None:
            return
        if shape.type != "structure" and not told and _broken(shape, item):
            inner = ", ".join(_constraints(shape, terse))
            errors.append(f"{shown} failed to satisfy constraint: {noun} must satisfy constraint: [{inner}]")
            told = True
        if shape.type in ("structure", "list", "map"):
            _walk_inside(member, item, f"{path}.{name}.member", errors, terse)


def _broken(shape: Shape, value: Any, terse: bool = False) -> list[str]:
    """The constraints of its own shape that a value breaks, in words."""
    out = []
    if shape.type in ("list", "map", "string", "blob"):
        size = _length(value) if shape.type in ("string", "blob") else len(value)
        if shape.min is not None and size < shape.min:
            out.append(f"Member must have length greater than or equal to {shape.min}")
        if shape.max is not None and size > shape.max:
            out.append(f"Member must have length less than or equal to {shape.max}")
        if shape.type == "string":
            if shape.pattern and (shape.max is None or size <= shape.max) and not matches(shape.pattern, value):
                out.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
            if shape.enum and value not in shape.enum:
                out.append(_one_of(shape, terse))
    elif shape.type not in ("structure", "boolean", "timestamp"):
        if shape.min is not None and value < shape.min:
            out.append(f"Member must have value greater than or equal to {shape.min}")
        if shape.max is not None and value > shape.max:
            out.append(f"Member must have value less than or equal to {shape.max}")
    return out


def _one_of(shape: Shape, terse: bool) -> str:
    return "Member must satisfy enum value set" + ("" if terse else f": [{', '.join(shape.enum)}]")


def _constraints(shape: Shape, terse: bool = False) -> list[str]:
    """All constraints of a shape, in words and in AWS's order."""
    noun = "length" if shape.type in ("string", "blob", "list", "map") else "value"
    out = []
    if shape.max is not None:
        out.append(f"Member must have {noun} less than or equal to {shape.max}")
    if shape.min is not None:
        out.append(f"Member must have {noun} greater than or equal to {shape.min}")
    if shape.pattern:
        out.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    if shape.enum:
        out.append(_one_of(shape, terse))
    return out


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def render(shape: Shape, value: Any) -> str:
    """A value as Java's toString shows it in AWS's texts; what is sensitive is masked."""
    if value is None:
        return "null"
    if shape.sensitive:
        return "***Sensitive Data Redacted***"
    if shape.type == "structure" and not shape.document:
        fields = (f"{_lower(name)}={render(member.shape, value.get(name))}" for name, member in shape.members.items())
        return f"{shape.name}({', '.join(fields)})"
    if shape.type == "list":
        return f"[{', '.join(render(shape.member.shape, item) for item in value)}]"
    if shape.type == "map":
        inner = shape.value.shape
        return "{" + ", ".join(f"{key}={render(inner, item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return str(value)
