"""The models' patterns, which are Java's regular expressions, as Python's."""

import re
import unicodedata
import warnings

_compiled: dict[str, re.Pattern[str] | None] = {}
_ranges: dict[str, str] = {}
_POSIX = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Upper": "A-Z",
    "Lower": "a-z",
    "Digit": "0-9",
    "XDigit": "0-9a-fA-F",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "Space": r" \t\n\x0b\f\r",
    "IsWhitespace": r"\s",
    "all": r"\x00-\U0010ffff",
}
_ALIASES = {"IsAlphabetic": ("L",), "LD": ("L", "N"), "IsL": ("L",)}


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern, as Java's `matches` says. A pattern that Python cannot read fits all."""
    compiled = _compiled[pattern] if pattern in _compiled else _compile(pattern)
    return compiled is None or compiled.fullmatch(text) is not None


def _compile(pattern: str) -> re.Pattern[str] | None:
    compiled = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" and "--" mean in Java what they mean in Python
            compiled = re.compile(translate(pattern))
    except (re.error, OverflowError, RecursionError):
        compiled = None
    _compiled[pattern] = compiled
    return compiled


def translate(pattern: str) -> str:
    """Write Java's classes of Unicode properties as ranges, and its other spellings in Python's."""
    pattern = re.sub(r"\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)", _joined, pattern)
    if "\\p" not in pattern and "\\P" not in pattern and "(?<" not in pattern and "\\z" not in pattern:
        return pattern
    out = []
    at, in_class = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            following = pattern[at + 1]
            if following in "pP":
                name, at = _property_name(pattern, at + 2)
                inner = _members(name)
                if following == "P":
                    out.append(_complement(inner) if in_class else f"[^{inner}]")
                else:
                    out.append(inner if in_class else f"[{inner}]")
                continue
            out.append("\\Z" if following in "zZ" else char + following)
            at += 2
            continue
        if char == "[":
            in_class = True
        elif char == "]":
            in_class = False
        elif pattern.startswith("(?<", at) and pattern[at + 3 : at + 4] not in ("=", "!"):
            out.append("(?P<")
            at += 3
            continue
        out.append(char)
        at += 1
    return "".join(out)


def _joined(pair: re.Match[str]) -> str:
    """Two surrogates, as Java writes a character beyond the first plane, as that character."""
    high, low = int(pair[1], 16), int(pair[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + low - 0xDC00:08x}"


def _property_name(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at : at + 1] == "{":
        end = pattern.index("}", at)
        return pattern[at + 1 : end], end + 1
    return pattern[at], at + 1


def _members(name: str) -> str:
    """The inside of a class with the characters of a property."""
    if name in _POSIX:
        return _POSIX[name]
    if name in _ALIASES:
        return "".join(_members(part) for part in _ALIASES[name])
    if not _ranges:
        _scan()
    if name not in _ranges:
        raise re.error(f"unknown property {name}")
    return _ranges[name]


def _complement(inner: str) -> str:
    """A negated property inside a class, as ranges."""
    pattern = re.compile(f"[{inner}]")
    return _to_ranges([code for code in range(0x10000) if not pattern.match(chr(code))]) + "\\U00010000-\\U0010ffff"


def _scan() -> None:
    """Find the ranges of all general categories: some ten milliseconds, once, when a pattern first needs them."""
    found: dict[str, list[int]] = {}
    category = unicodedata.category
    for code in range(0x10000):
        name = category(chr(code))
        found.setdefault(name, []).append(code)
        found.setdefault(name[0], []).append(code)
    for name, codes in found.items():
        _ranges[name] = _to_ranges(codes)
    for name in ("L", "S", "N", "So", "Lo"):  # beyond the first plane lie letters, numbers and emoji alone
        _ranges[name] += "\\U00010000-\\U0010ffff"


def _to_ranges(codes: list[int]) -> str:
    out = []
    start = previous = codes[0]
    for code in [*codes[1:], -1]:
        if code != previous + 1:
            out.append(f"\\u{start:04x}" if start == previous else f"\\u{start:04x}-\\u{previous:04x}")
            start = code
        previous = code
    return "".join(out)
