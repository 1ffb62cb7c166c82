"""Options of templates: which one, and what it asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sbfs.store import Store
    from sbfs.templating import Filled

F = TypeVar("F", bound=Callable[..., Any])


def template(function: F) -> F:
    """`--template`, and the options of what it asks for."""
    help = "Begin with a template; 'sbfs config templates' lists them."
    return values(click.option("--template", metavar="NAME", help=help)(function))


def values(function: F) -> F:
    """`--set`, `--templates`."""
    where = "Look for it first in this folder of templates, or this export of a store."
    function = click.option("--templates", metavar="DIR|FILE", help=where)(function)
    what = "What the template asks for; may be repeated."
    return click.option("--set", "values", multiple=True, metavar="FIELD=VALUE", help=what)(function)


def filled(
    store: Store | None,
    name: str,
    values: Sequence[str],
    folder: str | None,
    kinds: Sequence[str],
    known: Mapping[str, str],
) -> Filled:
    """A template with its fields filled in; on a terminal, what is missing is asked for. Raises Invalid."""
    import tempfile
    from pathlib import Path

    from sbfs import furnishing, templating

    with tempfile.TemporaryDirectory(prefix="sbfs-") as scratch:
        found = templating.pick(furnishing.at_hand(store, folder, scratch=Path(scratch)), name, kinds)
    given = dict(map(_value, values))
    if sys.stdin.isatty() and not given.keys() - {one.name for one in found.fields}:
        for one in templating.missing(found, given):
            given[one.name] = click.prompt(f"{one.name} ({one.about})" if one.about else one.name, err=True)
    return templating.fill(found, given, known=known)


def refuse_values(values: Sequence[str], folder: str | None) -> None:
    """Raise Usage where there is no template that could use them."""
    if values or folder:
        from sbfs.errors import Usage

        raise Usage("--set and --templates go with a template", hint="name one with --template")


def _value(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        from sbfs.errors import Invalid

        raise Invalid(f"{text!r} is no field and its value", field="set", hint="write it as --set endpoint=/api/stats")
    return name, value
