"""Attribute values for hypothesis."""

from typing import Any

from hypothesis import strategies as st

Value = dict[str, Any]

numbers = st.integers(-(10**37), 10**37).map(str) | st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
).map(str)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
scalars: st.SearchStrategy[Value] = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda text: {"N": text}),
    st.binary(max_size=8).map(lambda data: {"B": data}),
    st.booleans().map(lambda yes: {"BOOL": yes}),
    st.just({"NULL": True}),
)
sets: st.SearchStrategy[Value] = st.one_of(
    st.sets(texts, min_size=1, max_size=4).map(lambda found: {"SS": list(found)}),
    st.sets(st.integers(-99, 99), min_size=1, max_size=4).map(lambda found: {"NS": [str(n) for n in found]}),
    st.sets(st.binary(max_size=4), min_size=1, max_size=4).map(lambda found: {"BS": list(found)}),
)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
values: st.SearchStrategy[Value] = st.recursive(
    scalars | sets,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: {"L": found})
        | st.dictionaries(names, inner, max_size=3).map(lambda found: {"M": found})
    ),
    max_leaves=8,
)
items = st.dictionaries(names, values, max_size=5)
