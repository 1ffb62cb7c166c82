"""The explorer as one HTML page: template, style, script and data, and a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

from sbfs import shared

FOLDER = "templates/graph"


def render(title: str, data: Mapping[str, Any]) -> str:
    """The page as text. Names come in as data only and are put on the page as text, never as markup."""
    style, script = (shared.read(f"{FOLDER}/view.{ending}").rstrip("\n") for ending in ("css", "js"))
    parts = {
        "title": html.escape(title),
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "data": _embedded(data),
    }
    first, *others = shared.read(f"{FOLDER}/view.html").split("{{ ")
    text = [first]
    for piece in others:
        name, _, rest = piece.partition(" }}")
        text += [parts[name], rest]
    return "".join(text)


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that cannot leave its element: no `<` at all. Half characters of UTF-16 cannot be written and are shown."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return text.encode("utf-8", "replace").decode("utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
