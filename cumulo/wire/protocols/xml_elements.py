"""XML texts to light elements, safely: no DTD, no entities, bounded depth and count."""

from typing import Any

DEPTH_LIMIT = 100
COUNT_LIMIT = 1_000_000


class MalformedXml(ValueError):
    """The text is no XML that we read."""


class Element:
    """An element: its name without prefix, attributes as written, text and children."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.text = ""
        self.children: list[Element] = []

    def find(self, name: str) -> "Element | None":
        """The first child of this name."""
        for child in self.children:
            if child.name == name:
                return child
        return None


class _Builder:
    """expat's handlers. expat itself does not recurse, so depth costs memory only until we refuse it."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[tuple[Element, list[str]]] = []
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= DEPTH_LIMIT or self.count > COUNT_LIMIT:
            raise MalformedXml("nested too deeply or too large")
        element = Element(name.rpartition(":")[2], attributes)
        if self.open:
            self.open[-1][0].children.append(element)
        else:
            self.root = element
        self.open.append((element, []))

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1][1].append(text)

    def end(self, name: str) -> None:
        element, texts = self.open.pop()
        element.text = "".join(texts)


def _refuse_doctype(*arguments: Any) -> None:
    raise MalformedXml("document types are not read")


def parse(body: bytes) -> Element:
    """The root element of an XML text. Raises MalformedXml."""
    import pyexpat  # not at start: most processes never see XML

    builder = _Builder()
    try:
        # UTF-8 whatever the text declares: AWS reads no other, and other codecs are a way to smuggle bytes
        parser = pyexpat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = builder.start
        parser.EndElementHandler = builder.end
        parser.CharacterDataHandler = builder.data
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        parser.Parse(body, True)
    except pyexpat.ExpatError as error:
        raise MalformedXml(str(error)) from None
    if builder.root is None:
        raise MalformedXml("no element found")
    return builder.root


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"}
_ESCAPES.update({chr(code): f"&#x{code:X};" for code in range(32) if chr(code) not in "\t\n\r"})
_TABLE = str.maketrans(_ESCAPES)


def escape(text: str) -> str:
    """Text for an element or a double-quoted attribute.

    Control characters that XML 1.0 forbids go out as references, as AWS sends them.
    """
    return text.translate(_TABLE)
