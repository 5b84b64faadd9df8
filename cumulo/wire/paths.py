"""Request paths to operations: all `requestUri`s of a service compiled into one matcher.

Literal segments win over labels, labels over greedy labels. Operations with the same path differ by the keys of
their own query strings (`?acl`), then by the query members and headers that they require (`partNumber`).
"""

from cumulo.wire.models import Operation, Service
from cumulo.wire.protocols.bindings import query_values, unquote


class Entry:
    """One operation at one path."""

    __slots__ = ("_needs", "_service", "labels", "operation", "static", "tail", "weight")

    def __init__(self, operation: str, uri: str, service: Service) -> None:
        path, _, query = uri.partition("?")
        self.operation = operation
        self.static = tuple(
            (name, value if equals else None)
            for name, equals, value in (p.partition("=") for p in query.split("&") if p)
        )
        segments = split(path)
        self.labels = tuple(segment[1:-1].removesuffix("+") for segment in segments if _is_label(segment))
        self.weight = sum(not _is_label(segment) for segment in segments)
        self.tail: tuple[str, ...] = ()
        self._service = service
        self._needs: tuple[tuple[str, ...], tuple[str, ...], bool] | None = None

    def needs(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Required query names, required headers (lower case), and whether the operation is deprecated."""
        if self._needs is None:
            operation: Operation = self._service.operations[self.operation]
            shape = operation.input
            required = [shape.members[name] for name in shape.required] if shape is not None else []
            query = tuple(m.wire_name for m in required if m.location == "querystring")
            headers = tuple(m.wire_name.lower() for m in required if m.location == "header")
            self._needs = (query, headers, operation.cut.deprecated)
        return self._needs


class Entries:
    """The operations of one method at one place."""

    __slots__ = ("_plain", "_special", "all", "tailless")

    def __init__(self) -> None:
        self.all: list[Entry] = []
        self.tailless = True  # whether nothing follows the greedy label of any
        # For requests without a query string, which most are: the one operation that needs nothing, and those that
        # need headers. None until the first asks; a tuple then.
        self._special: tuple[Entry, ...] | None = None
        self._plain: Entry | None = None

    def add(self, entry: Entry) -> None:
        """One more."""
        self.all.append(entry)
        self.tailless = self.tailless and not entry.tail

    def choose(self, query: str, headers: object) -> Entry | None:
        """The entry that asks for most of what the request has, and for nothing that it has not."""
        if not query:
            if self._special is None:
                self._prepare()
            special = self._special
            if self._plain is not None and special is not None:
                for entry in special:
                    if all(name in headers for name in entry.needs()[1]):  # type: ignore[operator]
                        break
                else:
                    return self._plain
        return _choose(self.all, query, headers)

    def _prepare(self) -> None:
        bare = [entry for entry in self.all if not entry.static and not entry.needs()[0]]
        plain = [entry for entry in bare if not entry.needs()[1]]
        self._plain = plain[0] if len(plain) == 1 else None
        self._special = tuple([entry for entry in bare if entry.needs()[1]])


class _Node:
    __slots__ = ("entries", "greedy", "label", "literals")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.label: _Node | None = None
        self.greedy: dict[str, Entries] = {}  # method to entries, each with the segments after the greedy label
        self.entries: dict[str, Entries] = {}  # method to entries that end here


def split(path: str) -> list[str]:
    """The segments of a path, without an empty one at the end: AWS reads `/functions/` as `/functions`."""
    segments = path.split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    return segments


def _is_label(segment: str) -> bool:
    return segment.startswith("{")


class Match:
    """An operation found, its labels decoded, and the number of literal segments that matched."""

    __slots__ = ("labels", "operation", "weight")

    def __init__(self, operation: str, labels: dict[str, str], weight: int) -> None:
        self.operation = operation
        self.labels = labels
        self.weight = weight


class Paths:
    """The matcher of a service."""

    def __init__(self, service: Service) -> None:
        self._root = _Node()
        for method, uri, operation in service.routes:
            self._add(method, uri, Entry(operation, uri, service))

    def _add(self, method: str, uri: str, entry: Entry) -> None:
        node = self._root
        segments = split(uri.partition("?")[0])
        for index, segment in enumerate(segments):
            if segment.endswith("+}"):
                entry.tail = tuple(segments[index + 1 :])
                node.greedy.setdefault(method, Entries()).add(entry)
                return
            if _is_label(segment):
                if node.label is None:
                    node.label = _Node()
                node = node.label
            else:
                node = node.literals.setdefault(segment, _Node())
        node.entries.setdefault(method, Entries()).add(entry)

    def match(self, method: str, path: str, query: str, headers: object) -> Match | None:
        """The operation for this request, None when no path fits. Raises Fault for bytes that are not UTF-8."""
        raw = path.split("/")
        del raw[0]
        found = self._walk(method, raw, query, headers)
        if found is None and raw and not raw[-1]:
            found = self._find(method, raw[:-1], query, headers)
        return found

    def _walk(self, method: str, raw: list[str], query: str, headers: object) -> Match | None:
        """`_find`, as far as there is but one way to go; most paths need no more."""
        node = self._root
        labels: tuple[str, ...] = ()
        for at, segment in enumerate(raw):
            literal: _Node | None = None
            if node.literals:
                if "%" in segment:
                    return self._find(method, raw, query, headers)
                literal = node.literals.get(segment)
            label = node.label if segment else None
            if (literal is not None) + (label is not None) + bool(node.greedy) > 1:
                return self._find(method, raw, query, headers)
            if literal is not None:
                node = literal
            elif label is not None:
                node = label
                labels = (*labels, segment)
            else:
                return self._greedy(node, method, raw, at, labels, query, headers) if node.greedy else None
        here = node.entries.get(method)
        entry = here.choose(query, headers) if here is not None else None
        return None if entry is None else _matched(entry, labels)

    def _find(self, method: str, raw: list[str], query: str, headers: object) -> Match | None:
        # Depth first in order of preference. A node is met at most once, so the work is bounded by the model.
        stack: list[tuple[_Node, int, tuple[str, ...], bool]] = [(self._root, 0, (), False)]
        while stack:
            node, at, labels, greedy = stack.pop()
            if greedy:
                match = self._greedy(node, method, raw, at, labels, query, headers)
                if match is not None:
                    return match
                continue
            if at == len(raw):
                here = node.entries.get(method)
                entry = here.choose(query, headers) if here is not None else None
                if entry is not None:
                    return _matched(entry, labels)
                continue
            if node.greedy:
                stack.append((node, at, labels, True))
            segment = raw[at]
            if node.label is not None and segment:
                stack.append((node.label, at + 1, (*labels, segment), False))
            literal = node.literals.get(segment) or (node.literals.get(unquote(segment)) if "%" in segment else None)
            if literal is not None:
                stack.append((literal, at + 1, labels, False))
        return None

    def _greedy(
        self, node: _Node, method: str, raw: list[str], at: int, labels: tuple[str, ...], query: str, headers: object
    ) -> Match | None:
        entries = node.greedy.get(method)
        if entries is None:
            return None
        if entries.tailless:
            whole = "/".join(raw[at:]) if len(raw) > at + 1 else raw[at]
            only = entries.choose(query, headers) if whole else None
            return None if only is None else _matched(only, (*labels, whole))
        fitting: list[tuple[Entry, tuple[str, ...]]] = []
        for entry in entries.all:
            end = len(raw) - len(entry.tail)
            rest = "/".join(raw[at:end])
            if end <= at or not rest:
                continue
            tail = raw[end:]
            if all(_is_label(want) or want == have for want, have in zip(entry.tail, tail, strict=True)):
                inner = tuple(have for want, have in zip(entry.tail, tail, strict=True) if _is_label(want))
                fitting.append((entry, (*labels, rest, *inner)))
        if not fitting:
            return None
        longest = max(len(entry.tail) for entry, _ in fitting)
        values = {entry: found for entry, found in fitting if len(entry.tail) == longest}
        chosen = _choose(list(values), query, headers)
        return None if chosen is None else _matched(chosen, values[chosen])


def _matched(entry: Entry, raw: tuple[str, ...]) -> Match:
    labels: dict[str, str] = {}
    for at, name in enumerate(entry.labels):
        value = raw[at]
        labels[name] = unquote(value) if "%" in value else value
    return Match(entry.operation, labels, entry.weight)


def _choose(entries: list[Entry] | tuple[Entry, ...], query: str, headers: object) -> Entry | None:
    """The entry that asks for most of what the request has, and for nothing that it has not."""
    if not entries:
        return None
    if len(entries) == 1 and not entries[0].static:
        return entries[0]
    values = query_values(query)
    fitting = [entry for entry in entries if _static_fits(entry, values)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    most = max(len(entry.static) for entry in fitting)
    fitting = [entry for entry in fitting if len(entry.static) == most]
    if len(fitting) == 1:
        return fitting[0]

    def score(entry: Entry) -> tuple[bool, int, bool]:
        names, fields, deprecated = entry.needs()
        met = all(name in values for name in names) and all(name in headers for name in fields)  # type: ignore[operator]
        return met, len(names) + len(fields) if met else -len(names) - len(fields), not deprecated

    return max(fitting, key=score)


def _static_fits(entry: Entry, values: dict[str, list[str]]) -> bool:
    return all(name in values and (value is None or value in values[name]) for name, value in entry.static)
