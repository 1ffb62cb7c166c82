"""`sbfs graph …`: read a project's source, and ask who calls what."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app
from sbfs.cli.graph_view import view_command

F = TypeVar("F", bound=Callable[..., Any])

CONFIDENCE = options.Word(["exact", "inferred", "name", "ambiguous"])
FORMAT = options.Word(["json", "callgraph", "graphml", "dot", "mermaid"])
RELATION = options.Word(["imports", "imported_by", "calls", "called_by"])
CIRCLE = options.Word(["imports", "calls"])
METRIC = options.Word(["complexity", "fan_in", "fan_out", "coupling", "lines", "parameters", "depth", "methods"])


@click.group(cls=Group, name="graph")
def graph_command() -> None:
    """The code graph of projects: who calls what, and what a change reaches.

    Without --project, the project whose source holds the working directory, else the only one with a graph. A symbol's
    name may be as short as is unique; what it could mean is listed where it is not.
    """


# -- what the commands share -----------------------------------------------------------------------


project = click.option("--project", default="", metavar="PROJECT", help="Whose code graph is asked.")


def confidence(default: str) -> Callable[[F], F]:
    """`--confidence`."""
    return click.option(
        "--confidence", type=CONFIDENCE, default=default, show_default=True, help="The least sure edges that count."
    )


def depth(default: int) -> Callable[[F], F]:
    """`--depth`."""
    return click.option("--depth", type=int, default=default, show_default=True, help="Edges that are followed.")


def _ask(app: App, verb: str, show: Callable[[Document], None], **given: Any) -> None:
    """Ask a graph, and say what the answer stands on."""
    given["project"] = given["project"] or here(app)

    def tell(document: Document) -> None:
        show(document)
        _stand(document)

    with _Progress(app) as progress:
        app.run(verb, tell, progress=progress, **given)


def here(app: App) -> str:
    """The project whose source holds the working directory, as far as it has a graph."""
    from sbfs import projects

    view = app.store.view()
    name = projects.holding(view, os.getcwd())
    return name if name and view.find_id(f"projects/{name}/graph/snapshot.yaml") else ""


def _stand(document: Document) -> None:
    """How the graph stands to the source, where that is worth a word."""
    if document.get("merged"):
        output.warn("(two machines' graphs were merged; 'sbfs graph index' makes one of the source)")
    elif document.get("stale"):
        files = document["stale_files"]
        count = document.get("stale_count", len(files))
        more = f" and {count - 3} more" if count > 3 else ""
        output.warn(f"(stale: {', '.join(files[:3])}{more} changed since; 'sbfs graph index' reads them)")


class _Progress:
    """Says on a terminal how far reading and linking are."""

    def __init__(self, app: App):
        self._shown = sys.stderr.isatty() and not app.quiet and not app.json
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __call__(self, what: str, done: int, whole: int) -> None:
        if not self._shown or (what == "read" and (done % 50 or done == whole or whole < 50)):
            return
        self._told = True
        said = {"read": f"read {done} of {whole} files", "link": "linking", "write": f"writing {whole} files"}[what]
        click.echo(f"\r\x1b[K{said}", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self._told:
            click.echo("\r\x1b[K", nl=False, err=True)


def _place(one: Document) -> str:
    return f"{one['file']}:{one['line']}" if one.get("file") else "outside"


# -- index -----------------------------------------------------------------------------------------


@graph_command.command("index", cls=Command)
@click.argument("project", default="", metavar="[PROJECT]")
@click.option("--path", default="", metavar="DIR", help="The folder of the source; else the project's own.")
@pass_app
def index_command(app: App, **given: Any) -> None:
    r"""Read the source of PROJECT into its code graph; only what changed is read.

    Without PROJECT, the one whose source path holds DIR; a folder of no project becomes one, named after it. What
    .gitignore leaves out is left out, and so is what `graph: {exclude: [patterns]}` in project.yaml or sbfs.yaml says.

    \b
    sbfs graph index web --path ~/src/web
    sbfs graph index --path .
    """
    if given["path"]:
        given["path"] = os.path.abspath(os.path.expanduser(given["path"]))
    elif not given["project"]:
        given["path"] = os.getcwd()
    with _Progress(app) as progress:
        app.run("graph.index", _indexed, progress=progress, actor=app.actor, **given)


def _indexed(document: Document) -> None:
    if document["created"]:
        output.say(f"added the project {document['project']}: {document['root']}")
    output.say(document["message"])
    snapshot = document["snapshot"]
    source = snapshot["source"]
    if source["commit"]:
        clean = "" if source["clean"] else ", with changes that are not committed"
        output.say(f"source: {source['commit'][:10]}{clean}")
    if skipped := snapshot.get("skipped"):
        shown = ", ".join(f"{one['path']} ({one['why']})" for one in skipped[:3])
        more = snapshot["skipped_count"] - 3
        output.say(f"left out: {shown}" + (f" and {more} more" if more > 0 else ""))


# -- symbols ---------------------------------------------------------------------------------------


@graph_command.command("symbols", cls=Command)
@click.argument("pattern", default="", metavar="[PATTERN]")
@click.option("--type", default="", metavar="TYPE", help="Only function, method, class, interface, component …")
@click.option("--file", default="", metavar="FILE", help="Only of a file, or of files by a pattern: 'api/*'.")
@click.option("--language", default="", metavar="NAME", help="Only of a language: python, typescript, ruby …")
@project
@options.at
@options.paging
@pass_app
def symbols_command(app: App, **given: Any) -> None:
    """List symbols by a part of their name, or a PATTERN with * and ?."""

    def show(document: Document) -> None:
        rows = [(one["type"], one["name"], f"{one['file']}:{one['start_line']}") for one in document["symbols"]]
        output.listing(("type", "name", "place"), rows, document, "symbols", "no such symbols")

    _ask(app, "graph.symbols", show, **given)


@graph_command.command("show", cls=Command)
@click.argument("symbol")
@depth(1)
@confidence("name")
@project
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show SYMBOL, or a file, and what is around it, both ways."""
    _ask(app, "graph.show", _shown, **given)


def _shown(document: Document) -> None:
    one = document["symbol"]
    output.facts(
        [
            ("Name", one["name"]),
            ("Type", " ".join([*one.get("flags", ()), one["type"]])),
            ("Place", f"{one['file']}:{one['start_line']}-{one['end_line']}" if one["file"] else "outside the project"),
            ("Signature", one.get("signature")),
            ("Bases", ", ".join(one.get("bases", ()))),
            ("Decorators", ", ".join(one.get("decorators", ()))),
            ("Complexity", one.get("complexity")),
            ("Says", one.get("doc")),
            ("Id", one["id"]),
        ]
    )
    names = {each["id"]: each["name"] or each["id"] for each in document["symbols"]}
    rows = [
        (names[edge["source"]], edge["type"], names[edge["target"]], edge["confidence"], _lines(edge))
        for edge in document["edges"]
    ]
    if rows:
        output.say("")
        output.table(("from", "edge", "to", "confidence", "lines"), rows)
    if document["omitted"]:
        output.say(f"{output.count(document['omitted'], 'symbol')} more are left out")
    for call in document["unresolved"]:
        output.say(f"line {call['line']}: it is not known what {call['text']} calls ({call['reason']})")


def _lines(edge: Document) -> str:
    lines = edge.get("lines", [])
    return ", ".join(map(str, lines[:5])) + (" …" if len(lines) > 5 else "")


# -- calls -----------------------------------------------------------------------------------------


@graph_command.command("callers", cls=Command)
@click.argument("symbol")
@depth(1)
@confidence("name")
@project
@options.at
@options.paging
@pass_app
def callers_command(app: App, **given: Any) -> None:
    """List what calls SYMBOL, the nearest first."""
    _ask(app, "graph.callers", lambda document: _calls(document, "callers", "nothing that is known calls it"), **given)


@graph_command.command("callees", cls=Command)
@click.argument("symbol")
@depth(1)
@confidence("name")
@project
@options.at
@options.paging
@pass_app
def callees_command(app: App, **given: Any) -> None:
    """List what SYMBOL calls, the nearest first."""
    _ask(app, "graph.callees", lambda document: _calls(document, "callees", "it calls nothing that is known"), **given)


def _calls(document: Document, noun: str, empty: str) -> None:
    deep = any(one["depth"] > 1 for one in document[noun])
    rows = [
        (
            one["function"] or one["id"],
            _place(one),
            one["confidence"],
            *((one["depth"], one["via"].rpartition("::")[2]) if deep else ()),
        )
        for one in document[noun]
    ]
    headings = ("function", "place", "confidence", *(("depth", "via") if deep else ()))
    output.listing(headings, rows, document, noun, empty)
    if left := document.get("left_out"):
        output.say(f"{output.count(left, 'less sure edge')} left out; --confidence ambiguous shows them")


# -- files -----------------------------------------------------------------------------------------


@graph_command.command("imports", cls=Command)
@click.argument("file")
@project
@options.at
@options.paging
@pass_app
def imports_command(app: App, **given: Any) -> None:
    """List what FILE imports."""
    _ask(app, "graph.imports", lambda document: _imported(document, "imports", "it imports nothing"), **given)


@graph_command.command("imported-by", cls=Command)
@click.argument("file")
@project
@options.at
@options.paging
@pass_app
def imported_by_command(app: App, **given: Any) -> None:
    """List what imports FILE, or a module outside the project."""
    _ask(app, "graph.imported-by", lambda document: _imported(document, "imported_by", "nothing imports it"), **given)


def _imported(document: Document, noun: str, empty: str) -> None:
    rows = [(one.get("module", ""), one["file"] or "outside", one["line"]) for one in document[noun]]
    output.listing(("module", "file", "line"), rows, document, noun.replace("_", "-"), empty)


@graph_command.command("related", cls=Command)
@click.argument("file")
@click.option("--type", type=RELATION, default="", help="Only what stands in one relation to it.")
@confidence("name")
@project
@options.at
@options.paging
@pass_app
def related_command(app: App, **given: Any) -> None:
    """List files that belong to FILE: by edges, by what changed together in Git, by names."""

    def show(document: Document) -> None:
        if given["type"]:
            rows: list[Sequence[Any]] = [
                (one["file"] or "outside", one.get("line", ""), one.get("module", ""), one.get("confidence", ""))
                for one in document["related"]
            ]
            headings: tuple[str, ...] = ("file", "line", given["type"], "confidence")
        else:
            rows = [(one["file"], one["score"], "; ".join(one.get("why", ()))) for one in document["related"]]
            headings = ("file", "score", "why")
        output.listing(headings, rows, document, "related", "nothing is related to it")

    if os.path.exists(given["file"]):
        given["file"] = os.path.abspath(given["file"])
    _ask_of_file(app, "graph.related", show, given)


def _ask_of_file(app: App, verb: str, show: Callable[[Document], None], given: dict[str, Any]) -> None:
    """A file that is here by its whole path, where its project is known; else by what was written."""
    from sbfs import projects

    file = given["file"]
    if os.path.isabs(file) and not projects.holding(app.store.view(), file):
        given["file"] = os.path.relpath(file)
    _ask(app, verb, show, **given)


# -- ways, impact ----------------------------------------------------------------------------------


@graph_command.command("path", cls=Command)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@confidence("name")
@project
@options.at
@pass_app
def path_command(app: App, **given: Any) -> None:
    """Show the shortest ways from A to B, over calls, inheritance and imports."""

    def show(document: Document) -> None:
        for way in document["paths"]:
            names = [one["name"] or one["id"] for one in way["symbols"]]
            output.say(names[0])
            for name, edge in zip(names[1:], way["edges"], strict=True):
                place = f" (line {_lines(edge)})" if edge.get("lines") else ""
                output.say(f"  {edge['type']} {name}{place}, {edge['confidence']}")
        if not document["paths"]:
            near = document.get("nearest")
            output.say("no way leads there" + (f"; the nearest that is reached is {near['name']}" if near else ""))
        elif document["reversed"]:
            output.say(f"(these lead from {given['second']} to {given['first']}; none leads the other way)")

    _ask(app, "graph.path", show, **given)


@graph_command.command("impact", cls=Command)
@click.argument("symbol")
@depth(20)
@confidence("name")
@project
@options.at
@pass_app
def impact_command(app: App, **given: Any) -> None:
    """Show what changing SYMBOL, or a file, may reach, and how risky that is."""
    _ask(app, "graph.impact", _impact, **given)


def _impact(document: Document) -> None:
    radius = document["blast_radius"]
    output.say(f"risk: {document['risk_level']} ({', '.join(document['risk_reasons'])})")
    depths = ", ".join(f"{count} at {depth}" for depth, count in radius["by_depth"].items())
    reached = f"{output.count(radius['symbols'], 'symbol')} in {output.count(radius['files'], 'file')}"
    output.say(f"reached: {reached}" + (f"; {depths}" if depths else ""))
    rows = [
        (one["name"] or one["id"], one["file"], one["edge"], one["confidence"]) for one in document["direct_dependents"]
    ]
    if rows:
        output.say("")
        output.table(("depends on it", "file", "edge", "confidence"), rows[:50])
        if len(rows) > 50:
            output.say(f"{len(rows) - 50} more")
    if document["truncated"]:
        output.say("more is reached than was followed: --depth goes further")


# -- measures --------------------------------------------------------------------------------------


@graph_command.command("cycles", cls=Command)
@click.option("--type", type=CIRCLE, default="imports", show_default=True, help="Circles of imports, or of calls.")
@confidence("inferred")
@project
@options.at
@options.paging
@pass_app
def cycles_command(app: App, **given: Any) -> None:
    """List circles of imports or calls, each by a shortest one."""

    def show(document: Document) -> None:
        rows = [(one["size"], " → ".join([*one["members"], one["members"][0]])) for one in document["cycles"]]
        output.listing(("size", "circle"), rows, document, "cycles", "no circles")

    _ask(app, "graph.cycles", show, **given)


@graph_command.command("unused", cls=Command)
@click.option("--type", default="", metavar="TYPE", help="Only function, method, class or component.")
@click.option("--possible", is_flag=True, help="Also what a call that could not be resolved may mean.")
@project
@options.at
@options.paging
@pass_app
def unused_command(app: App, **given: Any) -> None:
    """List what nothing in the project uses, as far as the graph knows."""

    def show(document: Document) -> None:
        rows = [(one["confidence"], one["type"], one["name"], _place(one)) for one in document["unused"]]
        output.listing(("confidence", "type", "name", "place"), rows, document, "unused", "nothing is unused")

    _ask(app, "graph.unused", show, **given)


@graph_command.command("metrics", cls=Command)
@click.option("--metric", type=METRIC, default="", help="Only one.")
@click.option("--threshold", type=float, help="Beyond which it is listed, instead of the usual one.")
@click.option("--file", default="", metavar="FILE", help="Only of a file.")
@project
@options.at
@options.paging
@pass_app
def metrics_command(app: App, **given: Any) -> None:
    """List what is beyond a threshold: complexity, fan-in, fan-out, coupling, length, inheritance."""

    def show(document: Document) -> None:
        rows = [
            (one["metric"], f"{one['value']:g}", f"{one['threshold']:g}", one["name"] or one["id"], _place(one))
            for one in document["metrics"]
        ]
        headings = ("metric", "value", "threshold", "name", "place")
        output.listing(headings, rows, document, "metrics", "nothing is beyond a threshold")

    _ask(app, "graph.metrics", show, **given)


# -- states, formats -------------------------------------------------------------------------------


@graph_command.command("diff", cls=Command)
@click.argument("before", metavar="REV")
@click.argument("after", default="", metavar="[REV]")
@project
@options.paging
@pass_app
def diff_command(app: App, **given: Any) -> None:
    r"""Show which symbols and edges came, went, changed or moved from REV to REV, or to now.

    A revision is the store's (an id, HEAD~3, a date), or source:REV of the project's own repository.

    \b
    sbfs graph diff HEAD~1
    sbfs graph diff source:v1.0 source:main
    """
    _ask(app, "graph.diff", _difference, **given)


_SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


def _difference(document: Document) -> None:
    counts = document["counts"]
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    output.say(f"{document['before']} → {document['after']}: {said or 'no difference'}")
    for one in document["symbols"]:
        was = f", was {one['was']}" if one.get("was") else ""
        output.say(f"{_SIGNS[one['change']]} {one['type']} {one['name']} ({one['file']}:{one['line']}{was})")
    for one in document["edges"]:
        was = f", was {one['was']}" if one.get("was") else ""
        output.say(f"{_SIGNS[one['change']]} {one['source']} {one['type']} {one['target']} ({one['confidence']}{was})")
    if document.get("next"):
        output.say(f"more: --cursor '{document['next']}'")


@graph_command.command("export", cls=Command)
@click.option("--format", type=FORMAT, default="json", show_default=True, help="Which form.")
@click.option(
    "--confidence", type=CONFIDENCE, default="", help="The least sure edges in it; name, of a callgraph inferred."
)
@click.option("--symbol", default="", metavar="SYMBOL", help="Only what is around a symbol or file.")
@depth(1)
@click.option("--output", "-o", metavar="FILE", help="Write into a file; else to standard output.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@project
@options.at
@pass_app
def export_command(app: App, output: str | None, force: bool, **given: Any) -> None:
    """Write the graph for other programs; `callgraph` is one mapping, caller → sorted callees."""

    def show(document: Document) -> None:
        import json

        content = document["content"]
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        if output:
            from pathlib import Path

            from sbfs import files

            with files.new_file(Path(output).expanduser(), force=force) as file:
                file.write(text.encode("utf-8", "surrogateescape"))
            click.echo(f"wrote {output}")
        else:
            click.echo(text, nl=False)
        if document["shown"] < document["symbols"]:
            click.echo(f"showing {document['shown']} of {document['symbols']} symbols", err=True)

    _ask(app, "graph.export", show, **given)


graph_command.add_command(view_command)
