"""Phone numbers as SNS takes them."""

import re

E164 = re.compile(r"\+[1-9]\d{4,14}")

# What an `sms` subscription may write: digits with one separator between them, as AWS was seen to accept and refuse.
SUBSCRIBED = re.compile(r"\+?\d(?:[-./ ]?\d){4,19}")


def digits(number: str) -> str:
    """A number in E.164 form, its separators dropped."""
    return "+" + re.sub(r"\D", "", number)
