"""Java's patterns in Python."""

import re
import warnings

import pytest

from cumulo.wire import cuts, models, patterns


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Ünï 漢字 1:a", "a\u0000"),
        (r"[^\p{Cc}]+", "abc", "a\nb"),
        (r"\p{Alpha}+", "abc", "ab1"),
        (r"[\P{M}\p{M}]+", "a\u0301", ""),
        (r"[\p{LD}-]+", "ab-12", "a b"),
        ("[a-z]+", "abc", "abcD"),
        (r"(?<name>a)b\z", "ab", "abc"),
        (r"[\p{L}😀]+", "a😀", "1"),
        (r"\pL+", "äb", "1"),
        (r"[\uD800\uDC00-\uDBFF\uDFFF]+", "😀", "a"),
    ],
)
def test_translation(pattern: str, fits: str, does_not: str) -> None:
    assert patterns.matches(pattern, fits)
    assert not patterns.matches(pattern, does_not)


def test_what_python_cannot_read_fits_all() -> None:
    assert patterns.matches("(", "anything")
    assert patterns.matches(r"\p{NoSuch}", "anything")


def test_nearly_all_patterns_of_aws_can_be_read() -> None:
    unread = []
    for name in ("iam", "sts", "sns", "lambda", "kms", "s3control", "cloudformation", "glue", "organizations", "ssm"):
        service = models.load(name)
        for shape in map(service.shape, service.shape_names()):
            if shape.pattern:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", FutureWarning)
                        re.compile(patterns.translate(shape.pattern))
                except re.error:
                    unread.append((name, shape.name, shape.pattern))
    assert len(unread) <= 3, unread
    assert cuts.botocore_folder()
