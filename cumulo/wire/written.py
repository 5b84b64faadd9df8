"""XML that a service wrote itself, where its answers are long and hot."""


class Written(str):
    """The elements of a flattened list, as they go out: a page of a listing has a thousand of them."""

    __slots__ = ()
