"""Passwords: how they are kept, and what a password policy asks of them. No AWS calls here.

Source: "Setting an account password policy for IAM users" (IAM User Guide).
"""

from __future__ import annotations

from hashlib import scrypt
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.services.identity.iam.credentials.password_policies import PasswordPolicy

SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
SALT_B = 16
DEFAULT_LENGTH = 8
DEFAULT_KINDS = 3
LONGEST = 128

# 1 MiB and some 3 ms, for the loop waits: these passwords are read from our own disk, or not at all.
_N, _R, _P = 2**10, 8, 1


def digest(password: str, salt: bytes) -> bytes:
    """What is kept of a password: the salt and its scrypt."""
    return salt + scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)


def matches(password: str, kept: bytes) -> bool:
    """Whether this is the password that was kept."""
    return compare_digest(digest(password, kept[:SALT_B]), kept)


def _kinds(password: str) -> int:
    """How many of upper case, lower case, numbers and symbols a password mixes."""
    tests = (str.isupper, str.islower, str.isdigit, SYMBOLS.__contains__)
    return sum(any(test(letter) for letter in password if letter.isascii()) for test in tests)


def violation(password: str, policy: PasswordPolicy | None, user_name: str, account: str) -> str:
    """What the policy (None: AWS's default one) has against a password, in AWS's words; "" for nothing."""
    if policy is None:
        if len(password) < DEFAULT_LENGTH:
            return f"Password should have a minimum length of {DEFAULT_LENGTH}"
        if _kinds(password) < DEFAULT_KINDS or password.lower() in (user_name.lower(), account):
            return "Password does not conform to the account password policy."
        return ""
    if len(password) < policy.minimum_length:
        return f"Password should have a minimum length of {policy.minimum_length}"
    ascii_letters = [letter for letter in password if letter.isascii()]
    if policy.uppercase and not any(letter.isupper() for letter in ascii_letters):
        return "Password should have at least one uppercase letter"
    if policy.lowercase and not any(letter.islower() for letter in ascii_letters):
        return "Password should have at least one lowercase letter"
    if policy.numbers and not any(letter.isdigit() for letter in ascii_letters):
        return "Password should have at least one number"
    if policy.symbols and not any(letter in SYMBOLS for letter in password):
        return "Password should have at least one symbol"
    return ""
