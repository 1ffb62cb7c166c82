"""What is documented about names in the bodies of Python's modules and classes: a text right behind the assignment, or
comments that begin with `#:` above it or behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from sbfs.code.python_source import cleaned


def attributes(body: Sequence[ast.stmt], owner: str, lines: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """(name within the file, line, text) of what is documented. lines: the source's, [] where it has no `#:`."""
    for number, node in enumerate(body):
        if node.__class__ is ast.Assign or node.__class__ is ast.AnnAssign:
            following = body[number + 1] if number + 1 < len(body) else None
            doc = _behind(following) or (_comment(node, lines) if lines else "")
            if doc:
                for name in _names(node):
                    yield f"{owner}.{name}" if owner else name, node.lineno, doc


def _behind(node: ast.stmt | None) -> str:
    if node.__class__ is ast.Expr:
        value = node.value
        if value.__class__ is ast.Constant and value.value.__class__ is str:
            return cleaned(value.value)
    return ""


def _comment(node: ast.stmt, lines: Sequence[str]) -> str:
    end = lines[(node.end_lineno or node.lineno) - 1]
    _, mark, behind = end.partition("#:")
    if mark and (node.end_col_offset or 0) <= len(end.encode()) - len(behind.encode()) - 2:
        return behind.strip()
    found: list[str] = []
    row = node.lineno - 2
    while row >= 0 and lines[row].lstrip().startswith("#:"):
        found.append(lines[row].lstrip()[2:].strip())
        row -= 1
    return "\n".join(reversed(found))


def _names(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id
