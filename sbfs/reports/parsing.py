"""Reading the two languages that reports are written in, safely: they may come from anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sbfs.errors import Invalid

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def load_json(raw: bytes, name: str) -> Any:
    """A JSON document. Raises Invalid with the line."""
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise Invalid(f"is not JSON: {error.msg}", path=name, line=error.lineno) from None
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", path=name) from None
    except (ValueError, RecursionError):
        raise Invalid("is JSON that is too deep, or holds too large a number", path=name) from None


def load_xml(raw: bytes, name: str) -> Element:
    """An XML document's root. Raises Invalid with the line, also for one that declares entities."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root: Element = fromstring(raw)
        return root
    except ParseError as error:
        raise Invalid(f"is not XML: {str(error).partition(':')[0]}", path=name, line=error.position[0]) from None
    except DefusedXmlException:
        raise Invalid("declares entities, as no report needs to", path=name) from None
    except (ValueError, LookupError):
        raise Invalid("is XML of an unknown encoding", path=name) from None


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def is_xml(raw: bytes) -> bool:
    """Whether a report begins as XML does, in UTF-8 or UTF-16."""
    return raw.lstrip().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or raw[:2] in (b"\xff\xfe", b"\xfe\xff")


def is_json(raw: bytes) -> bool:
    """Whether a report begins as a JSON list or object does."""
    return raw.lstrip().removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def count(value: Any, what: str, name: str) -> int:
    """A whole number of something, as JSON's number or as text. Raises Invalid."""
    plain = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if plain or isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    raise Invalid(f"says {value!r:.40} for {what}, which is no count", path=name)
