"""Names and ARNs of secrets, as a grammar."""

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.identity.secretsmanager import secret_ids

NAMES = st.text(string.ascii_letters + string.digits + "/_+=.@!-", min_size=1, max_size=40)
BASE = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"


@given(NAMES, st.binary(min_size=6, max_size=6))
def test_a_complete_arn_means_its_name(name: str, chance: bytes) -> None:
    suffix = secret_ids.suffix(chance)
    assert re.fullmatch(r"[A-Za-z0-9]{6}", suffix)
    found = secret_ids.parse(f"{BASE}{name}-{suffix}")
    assert found == secret_ids.SecretId(name, suffix, "111122223333", "eu-west-1")
    assert found.resource == f"{name}-{suffix}"


@given(NAMES)
def test_a_partial_arn_means_its_name_unless_it_looks_complete(name: str) -> None:
    found = secret_ids.parse(BASE + name)
    assert found is not None and found.resource == name
    looks_complete = re.fullmatch(r".+-[A-Za-z0-9]{6}", name) is not None
    assert bool(found.suffix) is looks_complete


@given(st.text(string.printable, max_size=60))
def test_anything_is_a_name_an_arn_or_nothing(text: str) -> None:
    found = secret_ids.parse(text)
    assert found is None or secret_ids.NAME.fullmatch(found.name)
