"""Names, selectors and paths, as a grammar."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.operations.ssm import parameter_names

PART = st.text(string.ascii_letters + string.digits + ".-_", min_size=1, max_size=12)
PATHS = st.lists(PART, min_size=1, max_size=6).map(lambda parts: "/" + "/".join(parts))
NAMES = st.one_of(PART, PATHS)
SELECTORS = st.one_of(st.just(""), st.integers(1, 10**6).map(str), PART)


@given(NAMES, SELECTORS)
def test_names_and_selectors_come_apart(name: str, selector: str) -> None:
    reference = parameter_names.parse(f"{name}:{selector}" if selector else name)
    assert (reference.name, reference.selector) == (name, selector)


@given(NAMES, SELECTORS)
def test_an_arn_means_its_name(name: str, selector: str) -> None:
    arn = parameter_names.arn("aws", "us-east-1", "111122223333", name)
    reference = parameter_names.parse(f"{arn}:{selector}" if selector else arn)
    if not name.startswith("/aws/service/"):
        assert name in reference.names
        assert (reference.selector, reference.account, reference.region) == (selector, "111122223333", "us-east-1")


@given(st.text(string.printable, max_size=30))
def test_anything_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parameter_names.parse(text)
    except Fault as fault:
        assert fault.code == "ValidationException"
    else:
        assert ":" not in reference.name and " " not in reference.name


@given(PATHS, PATHS, st.booleans())
def test_being_under_a_path(name: str, path: str, recursive: bool) -> None:
    inside = parameter_names.under(name, path, recursive=recursive)
    parent = name.rpartition("/")[0]
    assert inside == ((parent + "/").startswith(path + "/") if recursive else parent == path)
    start, end = parameter_names.bounds(path)
    assert start is not None and end is not None
    if inside:
        assert start[0] <= name < end[0]


@given(NAMES)
def test_new_names(name: str) -> None:
    first = name.removeprefix("/").lower()
    assume(not first.startswith(("aws", "ssm")))
    assert parameter_names.check_new(f" {name} ") == name


@pytest.mark.parametrize("path", ["app", "/a b", "//", "", "/" * 3])
def test_wrong_paths(path: str) -> None:
    with pytest.raises(Fault):
        parameter_names.check_path(path)
