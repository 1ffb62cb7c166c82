"""Templates: what a store, a project, a message or a configuration can begin with, with fields to fill in.

A template is a folder with a `template.yaml` and, below `files/`, what it brings along. It lies below
`stores/`, `projects/`, `messages/` or `configs/` of a folder of templates: sbfs's own, a store's `templates/`, any
other folder. Texts are filled in by jinja2 in its sandbox; nothing of a template is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sbfs import shared
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.record import Record

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS = ("store", "project", "message", "config")

LIMIT = 1024 * 1024
"""Characters that a filled-in text may come to."""

_WORDS = {
    "store": {"projects", "groups"},
    "project": {"project"},
    "message": {"message"},
    "config": set[str](),
}


@dataclass(frozen=True)
class Field:
    """What a template asks for. default: where nothing is given; None where something has to be."""

    name: str
    about: str = ""
    default: str | None = None


@dataclass(frozen=True)
class Template:
    """kind: one of KINDS. body: what template.yaml says for its kind, not filled in. files: name → text, not filled
    in. origin: where it lies, for errors and lists."""

    name: str
    kind: str
    description: str = ""
    fields: tuple[Field, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""


@dataclass(frozen=True)
class Filled:
    """A template with its fields filled in."""

    template: Template
    body: Mapping[str, Any]
    files: Mapping[str, str]


def own() -> tuple[Template, ...]:
    """The templates that ship with sbfs, by kind and name."""
    found = {
        f"{kind}s/{path}": text for kind in KINDS for path, text in shared.tree(f"templates/{kind}s").items()
    }  # fmt: skip
    return read(found, origin="sbfs")


def read(texts: Mapping[str, str], *, origin: str) -> tuple[Template, ...]:
    """The templates of a folder. texts: path below it → text. Raises Invalid, naming the file."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path, text in texts.items():
        kind, _, rest = path.partition("/")
        name, _, file = rest.partition("/")
        if kind.removesuffix("s") in KINDS and file:
            found.setdefault((kind.removesuffix("s"), name), {})[file] = text
    return tuple(_read(kind, name, files, origin) for (kind, name), files in sorted(found.items()))


def _read(kind: str, name: str, files: Mapping[str, str], origin: str) -> Template:
    path = f"{kind}s/{name}/template.yaml"
    if "template.yaml" not in files:
        raise Invalid("is missing", path=f"{origin}: {path}", hint="a template says in it what it is for")
    record = Record.parse(path, files["template.yaml"].encode())
    data = dict(record.data)
    description, asked = data.pop("description", ""), data.pop("fields", None) or {}
    if not isinstance(description, str) or not isinstance(asked, dict):
        raise Invalid("needs a description that is text, and fields that are a mapping", path=f"{origin}: {path}")
    if unknown := data.keys() - _WORDS[kind]:
        word = min(unknown)
        hint = f"a template of a {kind} has {', '.join(sorted({'description', 'fields', *_WORDS[kind]}))}"
        raise Invalid("is no word of a template", field=word, path=f"{origin}: {path}", hint=hint)
    fields = tuple(_field(f"{origin}: {path}", str(one), said) for one, said in asked.items())
    brought = {file.removeprefix("files/"): text for file, text in files.items() if file.startswith("files/")}
    return Template(name, kind, description, fields, data, brought, origin)


def _field(path: str, name: str, said: Any) -> Field:
    said = said or {}
    if not name.isidentifier() or not isinstance(said, dict) or said.keys() - {"about", "default"}:
        hint = "write it as `endpoint: {about: The path, default: /api}`"
        raise Invalid("is no field of a template", field=f"fields.{name}", path=path, hint=hint)
    default = said.get("default")
    return Field(name, str(said.get("about", "")), None if default is None else str(default))


def pick(templates: Iterable[Template], name: str, kinds: Iterable[str]) -> Template:
    """The template of a name, of some kinds; earlier ones win over later ones. Raises NotFound, or Ambiguous where a
    name is that of several kinds: `project/library` tells which."""
    wanted, _, short = name.rpartition("/")
    possible = [one for one in templates if one.kind in kinds and wanted.removesuffix("s") in ("", one.kind)]
    found = {one.kind: one for one in reversed(possible) if one.name == short}
    if not found:
        raise NotFound("template", name, known=sorted({one.name for one in possible}), hint=_choices(possible))
    if len(found) > 1:
        raise Ambiguous("template", name, [f"{kind}/{short}" for kind in sorted(found)])
    return next(iter(found.values()))


def _choices(templates: Iterable[Template]) -> str:
    names = sorted({one.name for one in templates})
    return f"there are {', '.join(names)}" if names else "there are none of this kind"


def missing(template: Template, values: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields that need a value and have none."""
    return tuple(one for one in template.fields if one.default is None and not values.get(one.name))


def fill(template: Template, values: Mapping[str, str], *, known: Mapping[str, str] | None = None) -> Filled:
    """Fill a template in. known: what need not be asked for, such as the project's name.

    Raises Invalid for a value that is missing or that no field asks for, and for what jinja2 cannot read.
    """
    names = {one.name for one in template.fields}
    if extra := values.keys() - names:
        hint = f"it asks for {', '.join(sorted(names))}" if names else "it asks for nothing"
        raise Invalid(f"is no field of the template {template.name}", field=min(extra), hint=hint)
    if lacking := missing(template, values):
        one = lacking[0]
        about = f" ({one.about})" if one.about else ""
        hint = " ".join(f"--set {each.name}=…" for each in lacking)
        raise Invalid(f"is needed by the template {template.name}{about}", field=one.name, hint=f"give {hint}")
    given = {**(known or {}), **{one.name: values.get(one.name) or one.default or "" for one in template.fields}}
    filler = _Filler(template, given)
    files = {filler.text(name, name): filler.text(text, f"files/{name}") for name, text in template.files.items()}
    return Filled(template, filler.plain(dict(template.body), "template.yaml"), files)


class _Filler:
    """Fills in the texts of one template."""

    def __init__(self, template: Template, values: Mapping[str, str]):
        self.template, self.values = template, values
        self.environment = _sandbox()

    def plain(self, value: Any, place: str) -> Any:
        """Plain values with their texts filled in."""
        if isinstance(value, dict):
            return {key: self.plain(item, place) for key, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, place) for item in value]
        return self.text(value, place) if isinstance(value, str) else value

    def text(self, text: str, place: str) -> str:
        """One text, filled in."""
        from jinja2 import TemplateError

        path = f"{self.template.origin}: {self.template.kind}s/{self.template.name}/{place}"
        parts, size = [], 0
        try:
            for part in self.environment.from_string(text).generate(self.values):
                parts.append(part)
                size += len(part)
                if size > LIMIT:
                    raise Invalid(f"comes to more than {LIMIT} characters", path=path)
        except TemplateError as error:
            raise Invalid(
                f"cannot be filled in: {error.message}", path=path, line=getattr(error, "lineno", None)
            ) from None
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise Invalid(f"cannot be filled in: {error}", path=path) from None
        return "".join(parts)


def _sandbox() -> Environment:
    """Where a template can reach nothing but its values, and cannot make much of them."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
            raise ValueError(f"{operator} is not for templates")

    made = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
    made.globals.clear()  # `range` and the like
    return made
