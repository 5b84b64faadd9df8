"""Tables: keys, ranges, indexes, and records written by older forms."""

from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from cumulo.core.errors import Error
from cumulo.core.policy.principals import root, service
from cumulo.core.table import ACCOUNT, GLOBAL, NewerRecord, Record, Table
from cumulo.store.keys import pack

pytestmark = pytest.mark.interpreted


class Memory:
    """A transaction over a dictionary: enough to see which keys a table writes."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.rows[key] = value

    def delete(self, key: bytes) -> None:
        self.rows.pop(key, None)

    def range(self, begin: bytes, end: bytes, *, limit: int | None = None, reverse: bool = False) -> Any:
        keys = sorted((key for key in self.rows if begin <= key < end), reverse=reverse)
        return [(key, self.rows[key]) for key in keys[:limit]]


class Song(Record):
    artist: str
    title: str
    year: int
    tags: dict[str, str] = {}


SONGS = Table(
    Song,
    name="test.songs",
    key=("artist", "title"),
    arn="arn:{partition}:music:{region}:{account}:{artist}/{title}",
    missing=Error("NoSuchSong", "There is no such song."),
    indexes={"by_year": ("year",)},
)


def context(**values: Any) -> Any:
    values = {"account": "1", "region": "us-east-1", "partition": "aws", "txn": Memory(), "asked": []} | values
    values.setdefault("principal", root("1"))
    ctx = SimpleNamespace(**values)
    ctx.trusted = lambda account: account == ctx.account
    ctx.authorize = lambda arn, policy=None, tags=None: ctx.asked.append(arn)
    return ctx


def titles(songs: list[Song]) -> list[str]:
    return [song.title for song in songs]


def test_what_was_put_is_found_in_its_account_and_region_only() -> None:
    ctx = context()
    SONGS.put(ctx, Song("a", "one", 1990))
    assert SONGS.get(ctx, "a", "one").year == 1990
    assert SONGS.peek(ctx, "a", "one", account="2") is None
    assert SONGS.peek(ctx, "a", "one", region="eu-west-1") is None


def test_another_account_is_asked_for_permission_before_it_learns_that_nothing_is_there() -> None:
    ctx = context()
    with pytest.raises(Exception, match="NoSuchSong"):
        SONGS.get(ctx, "a", "one", account="2")
    assert ctx.asked == ["arn:aws:music:us-east-1:2:a/one"]


def test_a_service_is_told_at_once_that_nothing_is_there() -> None:
    ctx = context(principal=service("s3.amazonaws.com"))
    with pytest.raises(Exception, match="NoSuchSong"):
        SONGS.get(ctx, "a", "one", account="2")
    assert ctx.asked == []


def test_ranges_pages_and_bounds() -> None:
    ctx = context()
    for title in ("a", "b", "c", "d"):
        SONGS.put(ctx, Song("x", title, 2000))
    SONGS.put(ctx, Song("y", "a", 2000))
    assert titles(SONGS.range(ctx, "x")) == ["a", "b", "c", "d"]
    assert titles(SONGS.range(ctx, "x", after=("x", "b"), limit=1)) == ["c"]
    assert titles(SONGS.range(ctx, "x", after=("x", "c"), reverse=True)) == ["b", "a"]
    assert titles(SONGS.range(ctx, "x", start=("b",), end=("d",))) == ["b", "c"]


def test_an_index_follows_changes_and_deletes() -> None:
    ctx = context()
    song = Song("x", "a", 2001)
    SONGS.put(ctx, song)
    SONGS.put(ctx, Song("x", "b", 1999))
    assert titles(SONGS.range(ctx, index="by_year")) == ["b", "a"]
    SONGS.put(ctx, msgspec.structs.replace(song, year=1998))
    assert titles(SONGS.range(ctx, index="by_year")) == ["a", "b"]
    assert titles(SONGS.range(ctx, 1998, index="by_year")) == ["a"]
    SONGS.delete(ctx, song)
    assert titles(SONGS.range(ctx, index="by_year")) == ["b"]


class OldDrink(Record):
    name: str
    size: str


class Drink(Record):
    previous: ClassVar[type[Record] | None] = OldDrink
    name: str
    millilitres: int

    @classmethod
    def migrate(cls, old: OldDrink) -> "Drink":
        return cls(old.name, {"small": 200, "large": 500}[old.size])


OLD = Table(OldDrink, name="test.drinks", key="name", scope=ACCOUNT)
NEW = Table(Drink, name="test.drinks", key="name", scope=ACCOUNT)


def test_a_record_in_an_older_form_is_migrated_when_read() -> None:
    ctx = context()
    OLD.put(ctx, OldDrink("tea", "large"))
    assert NEW.get(ctx, "tea") == Drink("tea", 500)


def test_a_record_of_a_newer_cumulo_is_refused_not_misread() -> None:
    ctx = context()
    NEW.put(ctx, Drink("tea", 500))
    with pytest.raises(NewerRecord, match="upgrade"):
        OLD.get(ctx, "tea")


def test_fields_added_at_the_end_need_no_migration() -> None:
    class Short(Record):
        name: str

    class Long(Record):
        name: str
        sugar: int = 2

    ctx = context()
    Table(Short, name="t", key="name", scope=GLOBAL).put(ctx, Short("tea"))
    assert Table(Long, name="t", key="name", scope=GLOBAL).get(ctx, "tea") == Long("tea", 2)


def test_the_key_of_a_record_is_its_place_and_its_key_fields() -> None:
    ctx = context()
    SONGS.put(ctx, Song("x", "a", 2001))
    assert pack("test.songs", "1", "us-east-1", "x", "a") in ctx.txn.rows
