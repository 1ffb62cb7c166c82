"""How answers look to people: tables, messages, one-line confirmations."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from sbfs.cli.base import Document, printable

_STYLES = {"urgent": "bold red", "high": "yellow", "unread": "bold", "archived": "dim", "low": "dim"}


def say(text: str) -> None:
    """A line for a person."""
    click.echo(printable(text))


def warn(text: str) -> None:
    """A line for a person, on standard error."""
    click.echo(printable(text), err=True)


def count(things: int | Sequence[Any], noun: str) -> str:
    """`1 edit`, `2 edits`."""
    number = things if isinstance(things, int) else len(things)
    return f"{number} {noun}{'' if number == 1 else 's'}"


def changes(number: int) -> str:
    """`1 change`, `2 changes`."""
    return f"{number} {'change' if number == 1 else 'changes'}"


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table: as wide as it needs to be in a pipe, as the window on a terminal. Colours only there."""
    lines = [[printable(str(cell)).replace("\n", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        _terminal_table(headings, lines)
    else:
        # Without rich, which takes longer to load than most lists take to make.
        grid([list(headings), *lines])


def _terminal_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for heading in headings:
        # Ids are shown whole; the last column gives way where the window is narrow.
        last = heading == headings[-1]
        shown.add_column(heading, no_wrap=True, overflow="ellipsis" if last else "fold", ratio=1 if last else None)
    for row in rows:
        shown.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(highlight=False).print(shown)


def grid(lines: Sequence[Sequence[str]], sides: str = "", *, dim_first: bool = False) -> None:
    """Lines of aligned columns. sides: `<` or `>` for each column, to the left where it says none. dim_first: the first
    line is headings, which a terminal shows dim."""
    sides = sides.ljust(len(lines[0]), "<")
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    dim = dim_first and sys.stdout.isatty()
    for number, line in enumerate(lines):
        cells = [
            cell + " " * (width - _width(cell)) if side == "<" else " " * (width - _width(cell)) + cell
            for cell, side, width in zip(line, sides, widths, strict=True)
        ]
        text = "  ".join(cells).rstrip()
        click.echo(click.style(text, dim=True) if dim and number == 0 else text)


def _width(text: str) -> int:
    """The columns that a text takes on a screen."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def bar(value: float, most: float, width: int) -> str:
    """A bar of up to so many characters, to an eighth of one."""
    eighths = round(value / most * width * 8) if most else 0
    eighths = max(eighths, 1) if value else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bars(lines: Sequence[tuple[str, float | None]], *, width: int = 50) -> None:
    """A plot: a line for each of (label, 0 to 100); no bar where there is no number."""
    grid(
        [
            (printable(label), "", "not measured") if value is None else (label, f"{value:.1f}", bar(value, 100, width))
            for label, value in lines
        ],
        "<>",
    )


def footer(document: Document, noun: str) -> None:
    """How many there are, and how to see the rest."""
    shown, total = document["count"], document["total"]
    if document.get("next"):
        of = f" of {total}" if total is not None else ""
        say(f"{shown}{of} {noun}; more: --cursor '{document['next']}'")
    elif total not in (None, shown):
        say(f"{shown} of {total} {noun}")
    for one in document.get("unreadable", ()):
        click.echo(f"cannot be read: {printable(one['error'])}", err=True)


def moment(text: str) -> str:
    """A time as tables show it: to the minute, UTC."""
    return text[:16].replace("T", " ")


def listing(headings: Sequence[str], rows: Sequence[Sequence[Any]], document: Document, noun: str, empty: str) -> None:
    """A table with its footer, or what to say where there is nothing."""
    if rows:
        table(headings, rows)
    elif document.get("total") in (0, None):
        say(empty)
    footer(document, noun)


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """`Name:  value` lines, empty values left out."""
    for name, value in pairs:
        if value not in ("", None, [], {}):
            label = click.style(f"{name}:", dim=True) if sys.stdout.isatty() else f"{name}:"
            click.echo(f"{label} {printable(str(value))}")


def message(document: Document) -> None:
    """One message, as one reads mail."""
    mail, content = document["message"], document["message"]["content"]
    facts(
        [
            ("From", mail["from_project"]),
            ("To", mail["to_project"]),
            ("Sent", mail["timestamp"]),
            ("Delivery", mail.get("deliver_at")),
            ("Subject", mail["subject"]),
            ("Priority", mail["priority"]),
            ("Status", mail.get("status")),
            ("Type", content["type"]),
            ("In reply to", mail.get("in_reply_to")),
            ("Forwarded", _provenance(mail.get("forwarded_from"))),
            ("Context", inline(content.get("context"))),
            ("Id", mail["id"]),
            ("File", document["path"]),
        ]
    )
    project = document["path"].split("/")[1]
    for one in content.get("attachments", ()):
        trouble = document.get("attachment_trouble", {}).get(one["name"])
        facts(
            [
                (
                    "Attached",
                    f"projects/{project}/{one['path']} ({one['size']} bytes)" + (f": {trouble}" if trouble else ""),
                )
            ]
        )
    tell_edited(document)
    say("")
    say(content["message"].rstrip("\n"))


def tell_edited(document: Document) -> None:
    """Say so where an unsaved edit is shown."""
    if document["edited"]:
        click.echo("(this shows an unsaved edit of the file; 'sbfs save' makes it count)", err=True)


def _provenance(chain: Document | None) -> str:
    steps = []
    while chain:
        steps.append(f"{chain['original_from']} → {chain['original_to']} ({chain['original_message_id']})")
        chain = chain.get("forwarded_from")
    return ", before that ".join(steps)


def inline(value: Any) -> str:
    """A value as JSON on one line, nothing for an empty one."""
    import json

    return json.dumps(value, ensure_ascii=False) if value else ""
