"""What a table keeps: a typed record, and the forms that it had before."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class NewerRecord(Exception):
    """A record was written by a newer cumulo than this one."""


class Record(msgspec.Struct, array_like=True):
    """What a table keeps: fields in a fixed order.

    New fields go to the end and have defaults: old bytes then still decode. Any other change makes
    a new class whose `previous` is the old one and whose `migrate` turns the old record into the new.
    """

    previous: ClassVar[type[Record] | None] = None

    @classmethod
    def migrate(cls, old: Any) -> Record:
        """This form of a record in the previous form."""
        raise NotImplementedError(f"{cls.__name__} has a previous form but no migrate()")


def forms(record: type[Record]) -> list[type[Record]]:
    """All forms of a record, the oldest first; a form's version is its place, from 1."""
    chain = [record]
    while chain[-1].previous is not None:
        chain.append(chain[-1].previous)
    return chain[::-1]
