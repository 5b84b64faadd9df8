"""Dates as HTTP has them. Pure."""

from email.utils import formatdate


def rfc822(seconds: float) -> str:
    """Fri, 21 Dec 2012 00:00:00 GMT."""
    return formatdate(seconds, usegmt=True)
