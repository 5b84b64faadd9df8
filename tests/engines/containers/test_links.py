"""Many streams in one, without any process: what one end sends the other gets, however it is cut up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.engines.containers.links import (
    DATA,
    END,
    GONE,
    HEAD,
    LONGEST,
    OPEN,
    PART,
    ROOM,
    SAY,
    WINDOW,
    Broken,
    Frame,
    Link,
)

NUMBERS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.just(0), st.binary(max_size=40)),
    st.tuples(st.just("send"), NUMBERS, st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("tell"), NUMBERS, st.binary(min_size=1, max_size=2 * PART)),
    st.tuples(st.just("end"), NUMBERS, st.just(b"")),
)
KINDS = {"say": SAY, "send": DATA, "end": END}


def moved(link: Link, into: Link, sizes: list[int] | None = None) -> list[Frame]:
    """What arrives when all that waits is carried over, in pieces of these sizes and then whole."""
    data, frames = bytes(link.out), []
    link.out.clear()
    for size in sizes or []:
        frames += into.feed(data[:size])
        data = data[size:]
    return frames + into.feed(data)


@given(st.lists(STEPS, max_size=12), st.lists(st.integers(0, 70), max_size=40))
def test_frames_arrive_in_order_however_they_are_cut(steps: list[tuple[str, int, bytes]], sizes: list[int]) -> None:
    near, far = Link(), Link()
    expected = []
    for number in range(1, 5):
        near.open(number)
        expected.append(Frame(OPEN, number, b""))
    for name, number, data in steps:
        if name == "say":
            near.say(data)
        elif name == "end":
            near.end(number)
        else:
            getattr(near, name)(number, data)
        parts = [data[start : start + PART] for start in range(0, len(data), PART)] if name == "tell" else [data]
        expected += [Frame(KINDS.get(name, DATA), number, part) for part in parts]
    assert moved(near, far, sizes) == expected


@given(st.lists(st.integers(1, WINDOW), min_size=1, max_size=30))
def test_no_more_is_under_way_than_the_window(wanted: list[int]) -> None:
    near, far = Link(), Link()
    near.open(7)
    under_way = 0
    for size in wanted:
        taken = min(size, near.room(7))
        near.send(7, bytes(taken))
        under_way += taken
        assert under_way <= WINDOW
        got = sum(len(frame.payload) for frame in moved(near, far) if frame.kind == DATA)
        assert got == taken
        if size % 3:  # a reader that is sometimes slow
            far.passed_on(7, under_way)
            under_way = 0
            moved(far, near)
    far.passed_on(7, under_way)
    far.passed_on(7, 0)
    moved(far, near)
    assert near.room(7) > WINDOW // 2  # what is owed below a quarter is told later


def test_a_channel_that_is_over_takes_nothing_more() -> None:
    near, far = Link(), Link()
    near.open(3)
    moved(near, far)
    far.gone(3)
    assert moved(far, near) == [Frame(GONE, 3, b"")]
    assert (near.room(3), far.room(3)) == (0, 0)
    near.passed_on(3, WINDOW)
    assert not near.out
    with pytest.raises(KeyError):
        near.send(3, b"x")


@pytest.mark.parametrize(
    "data", [HEAD.pack(0, 1, 0), HEAD.pack(7, 1, 0), HEAD.pack(DATA, 1, LONGEST + 1), HEAD.pack(ROOM, 1, 1) + b"x"]
)
def test_what_is_no_frame_is_told(data: bytes) -> None:
    with pytest.raises(Broken):
        Link().feed(data)
