"""Policy evaluation written straight from the IAM User Guide, slow and plain: the yardstick for the compiled one.

Nothing here is shared with the code under test but the words of the guide. Documents are plain dicts.
"""

import ipaddress
import re
from datetime import UTC, datetime


def as_list(value):
    return value if isinstance(value, list) else [value]


# ---- wildcards ----


def glob(pattern, value, *, any_one=".", any_many=".*"):
    """`pattern` is a list of characters, or ("*",) and ("?",) for wildcards."""
    expression = ""
    for token in pattern:
        if token == ("*",):
            expression += any_many
        elif token == ("?",):
            expression += any_one
        else:
            expression += re.escape(token)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def characters(text):
    return [(letter,) if letter in "*?" else letter for letter in text]


def resource_matches(pattern, arn):
    """Within the first five segments a wildcard stays in its segment, except a star that ends one."""
    expression = ""
    colons = 0
    for position, token in enumerate(pattern):
        if isinstance(token, str):
            colons += token == ":"
            expression += re.escape(token)
        elif colons >= 5:
            expression += ".*" if token == ("*",) else "."
        elif token == ("?",):
            expression += "[^:]"
        else:
            rest = pattern[position:]
            while rest and rest[0] == ("*",):
                rest = rest[1:]
            ends = not rest or rest[0] == ":"
            expression += ".*" if ends else "[^:]*"
    return re.fullmatch(expression, arn, re.DOTALL) is not None


def arn_matches(pattern, value):
    if pattern and all(token == ("*",) for token in pattern):
        return True
    segments = [[]]
    for token in pattern:
        if token == ":" and len(segments) < 6:
            segments.append([])
        else:
            segments[-1].append(token)
    values = value.split(":", 5)
    if len(segments) != 6 or len(values) != 6:
        return False
    return all(glob(one, other) for one, other in zip(segments, values, strict=True))


# ---- variables ----


class Unresolved(Exception):
    pass


def expand(text, context, enabled, start=0):
    """The characters of a text, variables replaced; their values are never wildcards."""
    tokens = []
    position = 0
    while position < len(text):
        found = re.compile(r"\$\{([^{}]*)\}").match(text, position)
        if not enabled or found is None or position < start:
            letter = text[position]
            tokens.append((letter,) if letter in "*?" else letter)
            position += 1
            continue
        position = found.end()
        inside = found[1]
        if inside in ("*", "?", "$"):
            tokens.append(inside)
            continue
        default = re.fullmatch(r"\s*([^,\s]+)\s*,\s*'([^']*)'\s*", inside)
        key = (default[1] if default else inside.strip()).lower()
        value = context.get(key)
        if value is None and default is not None:
            value = default[2]
        if value is None or isinstance(value, list):
            raise Unresolved(key)
        tokens.extend(value)
    return tokens


# ---- conditions ----


def to_number(text):
    try:
        return float(text)
    except ValueError:
        return None


def to_date(text):
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    return to_number(text)


def in_network(value, network):
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


COMPARISONS = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}


def one_matches(base, value, wanted):
    """Whether one value of the request matches one (expanded) value of the policy."""
    literal = "".join(token if isinstance(token, str) else token[0] for token in wanted)
    if base == "StringEquals":
        return value == literal
    if base == "StringEqualsIgnoreCase":
        return value.lower() == literal.lower()
    if base == "StringLike":
        return glob(wanted, value)
    if base in ("ArnEquals", "ArnLike"):
        return arn_matches(wanted, value)
    if base == "Bool":
        return value.lower() == literal.lower() and literal.lower() in ("true", "false")
    if base == "IpAddress":
        return in_network(value, literal)
    for family, read in (("Numeric", to_number), ("Date", to_date)):
        if base.startswith(family):
            left, right = read(value), read(literal)
            return left is not None and right is not None and COMPARISONS[base[len(family) :]](left, right)
    raise AssertionError(base)


POSITIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
WITH_VARIABLES = ("String", "Arn", "Bool")


def condition_holds(operator, key, wanted, context, enabled):
    value = context.get(key.lower())
    wanted = as_list(wanted)
    if operator == "Null":
        return ("true" if value in (None, []) else "false") in wanted
    qualifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in POSITIVE
    base = POSITIVE.get(name, name)
    expanded = []
    for each in wanted:
        try:
            expanded.append(expand(each, context, enabled and base.startswith(WITH_VARIABLES)))
        except Unresolved:
            if negated:
                return False
    values = [] if value is None else as_list(value)

    def passes(each):
        return any(one_matches(base, each, one) for one in expanded) != negated

    if qualifier:
        if value is None and if_exists:
            return True
        if value == "":
            values = []
        return all(map(passes, values)) if qualifier == "ForAllValues" else any(map(passes, values))
    if value is None:
        return if_exists or negated
    matched = any(one_matches(base, each, one) for each in values for one in expanded)
    return matched != negated


# ---- statements ----


def statement_applies(statement, version, action, arn, context):
    """Everything but the principal."""
    enabled = version == "2012-10-17"
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    matched = any(glob(characters(pattern.lower()), action.lower()) for pattern in actions)
    if matched == ("NotAction" in statement):
        return False
    resources = as_list(statement.get("Resource", statement.get("NotResource")))
    found = False
    for pattern in resources:
        start = 0 if pattern.count(":") == 0 else len(pattern)
        if pattern.count(":") >= 5:
            start = len(":".join(pattern.split(":")[:5])) + 1
        try:
            found = found or resource_matches(expand(pattern, context, enabled, start), arn)
        except Unresolved:
            if "NotResource" in statement and not found:
                return False
    if found == ("NotResource" in statement):
        return False
    return all(
        condition_holds(operator, key, wanted, context, enabled)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def grade(statement, caller, bounded):
    """0 not meant, 1 through its account, 2 as a role (or the user behind a session), 3 directly."""
    negated = "NotPrincipal" in statement
    element = statement.get("NotPrincipal" if negated else "Principal")
    listed = ["*"] if element == "*" else as_list(element.get("AWS", []))
    services = [] if element == "*" else as_list(element.get("Service", []))
    if caller["kind"] == "service":
        best = 3 if caller["arn"] in services or "*" in listed else 0
        return (0 if best else 3) if negated else best
    account = caller.get("account")
    own_account = account is not None and (account in listed or f"arn:aws:iam::{account}:root" in listed)
    as_entity = caller.get("role") in listed if caller.get("role") else False
    # ":root" names the account; the policies that limit its root user (a session of AssumeRoot) go on to limit it.
    direct = caller["arn"] in listed and caller["kind"] != "root"
    if not negated:
        return 3 if "*" in listed or direct else 2 if as_entity else 1 if own_account else 0
    if "*" in listed:
        return 0
    if statement["Effect"] == "Allow":
        return 0 if direct or as_entity or own_account else 3
    if caller["kind"] == "root":
        spared = own_account
    elif caller["kind"] == "anonymous":
        spared = False
    else:
        spared = direct and own_account and (as_entity or not caller.get("role"))
    return 0 if spared and not bounded else 3


def statements(policies):
    return [(each, policy.get("Version", "2008-10-17")) for policy in policies for each in as_list(policy["Statement"])]


def evaluate(caller, action, arn, context, resource_account, policies, required=False):
    """ "allowed", "explicitDeny" or "implicitDeny"; `policies` as in the guide's list of policy types."""
    bounded = policies["boundary"] is not None

    def effective(some, effect):
        return any(
            each["Effect"] == effect and statement_applies(each, version, action, arn, context)
            for each, version in statements(some)
        )

    def graded(effect):
        if policies["resource"] is None:
            return 0
        return max(
            (
                grade(each, caller, bounded)
                for each, version in statements([policies["resource"]])
                if each["Effect"] == effect and statement_applies(each, version, action, arn, context)
            ),
            default=0,
        )

    boundary = [policies["boundary"]] if bounded else []
    levels = policies["scps"] + policies["rcps"]
    for some in (policies["identity"], boundary, policies["session"], *levels):
        if effective(some, "Deny"):
            return "explicitDeny"
    if graded("Deny"):
        return "explicitDeny"
    if not all(effective(level, "Allow") for level in levels):
        return "implicitDeny"
    limits = (not bounded or effective(boundary, "Allow")) and (
        effective(policies["session"], "Allow") if policies["session"] or caller["kind"] == "federated" else True
    )
    identity = (caller["kind"] == "root" or effective(policies["identity"], "Allow")) and limits
    by_resource = graded("Allow")
    if caller["kind"] in ("service", "anonymous"):
        allowed = by_resource > 0
    elif caller["account"] != resource_account:
        allowed = identity and by_resource > 0
    elif by_resource == 3:
        allowed = True
    elif by_resource == 2:
        allowed = limits
    elif by_resource == 1:
        allowed = identity
    else:
        allowed = identity and not required
    return "allowed" if allowed else "implicitDeny"
