"""What the verbs of documentation answer with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sbfs.documentation.asking import Shown
from sbfs.documentation.covering import Coverage
from sbfs.documentation.exporting import Exported
from sbfs.documents.graph import standing
from sbfs.graph.indexing import Indexed
from sbfs.store import Page

Document = dict[str, Any]

_PLURALS = {
    "module": "modules",
    "class": "classes",
    "function": "functions",
    "method": "methods",
    "attribute": "attributes",
    "section": "sections",
    "readme": "readme_sections",
    "changelog": "changelog_sections",
    "adr": "adr_sections",
}


def indexed(done: Indexed) -> Document:
    """What an index run came to."""
    docs = done.snapshot.docs
    counts = docs.get("counts", {})
    stats = {"files_processed": counts.get("processed", 0), "files_documented": counts.get("files", 0)}
    stats |= {f"{plural}_documented": counts.get(type, 0) for type, plural in _PLURALS.items()}
    stats |= {"files_changed": done.documented}
    total = counts.get("items", 0)
    message = f"{total} documented in {stats['files_documented']} files of {done.project}"
    document: Document = {"project": done.project, "stats": stats, "message": message, "unchanged": done.unchanged}
    document |= {"created": done.created, "root": done.root, "patterns": [*docs.get("patterns", ())]}
    return document | ({"redacted": dict(done.redacted)} if done.redacted else {})


def listed(page: Page) -> Document:
    """A part of the list."""
    items = [asdict(one) for one in page.items]
    return {"documented": items, "count": len(items), "total": page.total, "next": page.next}


def shown(one: Shown) -> Document:
    """A symbol and what is said of it."""
    parsed = {name: value for name, value in asdict(one.parsed).items() if value}
    callers = [{"function": call.function, "file": call.file, "line": call.line, "id": call.id} for call in one.callers]
    return {
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "file": one.file,
        "line": one.line,
        "documented": one.documented,
        "signatures": [*one.signatures],
        "docstring": one.docstring,
        "parsed": parsed,
        "callers": callers,
        "callers_count": one.callers_count,
        **standing(one.stands),
    }


def covered(one: Coverage) -> Document:
    """What is public and undocumented."""
    modules = [asdict(each) for each in one.modules]
    mismatches = [asdict(each) for each in one.mismatches]
    facts = {"project": one.project, "public": one.public, "documented": one.documented, "percent": one.percent}
    return {**facts, "modules": modules, "mismatches": mismatches}


def exported(done: Exported) -> Document:
    """What was written."""
    return asdict(done)
