"""Access key ids carry the account, and a mark that this cloud made them."""

import os

from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.callers import access_key_ids

accounts = st.integers(0, 10**12 - 1).map("{:012d}".format)


@given(accounts, st.binary(min_size=4, max_size=4), st.sampled_from(["AKIA", "ASIA"]))
def test_ids_tell_their_account(account: str, chance: bytes, prefix: str) -> None:
    key_id = access_key_ids.new_access_key_id(prefix, account, lambda count: chance[:count])
    assert len(key_id) == 20
    assert key_id.startswith(prefix)
    assert access_key_ids.account_of(key_id) == account
    assert access_key_ids.is_ours(key_id)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16))
def test_changed_ids_are_hardly_ever_ours(text: str) -> None:
    changed = [text[:at] + letter + text[at + 1 :] for at in range(16) for letter in "AZ27"]
    assert sum(access_key_ids.is_ours("AKIA" + each) for each in changed) <= 4


def test_other_ids_have_no_account() -> None:
    # Ids from before AWS wrote the account into them, the documentation's, ours for tests.
    for key_id in ("AKIAIOSFODNN7EXAMPLE", "test", "000000000000", "AKIA" + "1" * 16, "ASIA", "AKIA" + "Ü" * 16):
        assert access_key_ids.account_of(key_id) is None
        assert not access_key_ids.is_ours(key_id)


def test_ids_differ() -> None:
    made = {access_key_ids.new_access_key_id("AKIA", "111122223333", os.urandom) for _ in range(2000)}
    assert len(made) > 1995
