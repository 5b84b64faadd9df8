"""A state directory that an older cumulo wrote is opened, its records are migrated, and nothing in it is lost.

`older_state/state.db` was written by `write_older_state` in form 1 of the record below, and is never written again.
"""

import asyncio
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.store import Store, open_store

WRITTEN = Path(__file__).parent / "older_state"


class FirstParcel(Record):
    """As it was: the weight as text."""

    number: str
    weight: str


class SecondParcel(Record):
    previous: ClassVar[type[Record] | None] = FirstParcel
    number: str
    grams: int

    @classmethod
    def migrate(cls, old: FirstParcel) -> "SecondParcel":
        return cls(old.number, int(old.weight.removesuffix(" g")))


class Parcel(Record):
    """As it is: two forms later."""

    previous: ClassVar[type[Record] | None] = SecondParcel
    number: str
    grams: int
    fragile: bool

    @classmethod
    def migrate(cls, old: SecondParcel) -> "Parcel":
        return cls(old.number, old.grams, fragile=old.grams < 100)


FIRST = Table(FirstParcel, name="test.parcels", key="number", scope=ACCOUNT)
PARCELS = Table(Parcel, name="test.parcels", key="number", scope=ACCOUNT)


async def with_store(data_dir: Path, work: Any) -> Any:
    store: Store = open_store("", data_dir, asyncio.get_running_loop())
    try:
        return await store.run(lambda txn: work(SimpleNamespace(account="123456789012", region="", txn=txn)))
    finally:
        await store.close()


def write_older_state(data_dir: Path) -> None:
    """How the kept directory was made."""

    def fill(ctx: Any) -> None:
        for number in range(50):
            FIRST.put(ctx, FirstParcel(f"{number:03}", f"{number * 10} g"))

    asyncio.run(with_store(data_dir, fill))


@pytest.mark.interpreted
def test_every_record_of_an_older_form_is_read_and_written_back_in_the_new_one(tmp_path: Path) -> None:
    shutil.copytree(WRITTEN, tmp_path / "state")

    def move_on(ctx: Any) -> list[Parcel]:
        parcels = PARCELS.range(ctx)
        for parcel in parcels:
            PARCELS.put(ctx, parcel)
        return parcels

    parcels = asyncio.run(with_store(tmp_path / "state", move_on))
    assert parcels == [Parcel(f"{number:03}", number * 10, number < 10) for number in range(50)]
    assert asyncio.run(with_store(tmp_path / "state", PARCELS.range)) == parcels


@pytest.mark.interpreted
def test_the_kept_directory_is_in_the_older_form(tmp_path: Path) -> None:
    shutil.copytree(WRITTEN, tmp_path / "state")
    oldest = asyncio.run(with_store(tmp_path / "state", FIRST.range))
    assert oldest[7] == FirstParcel("007", "70 g")
