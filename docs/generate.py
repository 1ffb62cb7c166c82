"""Write the pages that come from the code, or say which are behind: `python docs/generate.py [--check]`.

docs/cli.md from the commands, docs/mcp.md from the served tools, docs/python.md from the verbs'
signatures and docstrings, and the README's session from a real run of `sbfs tour`.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sbfs import Store, verbs
from sbfs.cli import cli

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Made by docs/generate.py; do not edit. -->\n"


def cli_page() -> str:
    """The reference of all commands."""
    context = click.Context(cli, info_name="sbfs")
    parts = ["# Commands\n", NOTE, f"```\n{cli.get_help(context)}\n```\n", EXIT_CODES]
    for path, command in walk(cli, ["sbfs"]):
        child = click.Context(command, info_name=path[-1], parent=None)
        child.command_path  # noqa: B018 - made by click from info_name
        usage = " ".join([*path, *command.collect_usage_pieces(child)])
        parts.append(f"## {' '.join(path)}\n\n`{usage}`\n\n{prose(command.help or '')}\n")
        if isinstance(command, click.Group):
            continue
        rows = [
            record
            for option in command.params
            if isinstance(option, click.Option) and (record := option.get_help_record(child))
        ]
        rows = [row for row in rows if row[0].split(",")[0].split(" ")[0] not in COMMON]
        if rows:
            parts.append("| option | |\n|---|---|\n" + "".join(f"| `{cell(a)}` | {cell(b)} |\n" for a, b in rows))
    return "\n".join(parts)


COMMON = ("--store", "--json", "-q", "-v", "-h", "--help")

EXIT_CODES = """\
The first four options may also stand behind a command's name. `--json` prints one document on
standard output: `{"success": true, …}`, or
`{"success": false, "error": "<sentence>", "code": "<word>", "hint": "<what to do>"}`.

| exit status | means | codes |
|---|---|---|
| 0 | done, and kept | |
| 1 | failed; `check` has findings left | `failed` |
| 2 | the command line is wrong | `usage` |
| 3 | not found | `not_found` |
| 4 | invalid input | `invalid`, `exists`, `ambiguous` |
| 5 | changed meanwhile | `changed` |
| 6 | damaged, or not a store | `damaged`, `not_a_store`, `format` |
| 7 | remote unreachable or refused | `remote` |
| 8 | another program holds the store | `busy` |
"""


def walk(group: click.Group, path: list[str]) -> Iterator[tuple[list[str], click.Command]]:
    """Every command below a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield [*path, name], command
        if isinstance(command, click.Group):
            yield from walk(command, [*path, name])


def prose(help: str) -> str:
    """A help text as Markdown: paragraphs, and what click leaves unwrapped as code."""
    blocks = []
    for block in inspect.cleandoc(help).split("\n\n"):
        if block.startswith("\b\n"):
            blocks.append("```\n" + block[2:] + "\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def cell(text: str) -> str:
    """A text for a table's cell."""
    return text.replace("|", "\\|")


def mcp_page() -> str:
    """The reference of the served tools."""
    from sbfs import mcp

    with tempfile.TemporaryDirectory() as folder:
        tools = asyncio.run(mcp.server(Path(folder)).list_tools())
    parts = ["# MCP tools\n", NOTE, MCP_INTRO]
    for tool in tools:
        parts.append(f"## {tool.name}\n\n{tool.description}\n")
        properties: dict[str, Any] = tool.input_schema["properties"]
        required = tool.input_schema.get("required", [])
        rows = "".join(
            f"| `{name}` | {kind(one)} | {default(name, one, required)} |\n" for name, one in properties.items()
        )
        parts.append(f"| parameter | type | default |\n|---|---|---|\n{rows}")
    return "\n".join(parts)


MCP_INTRO = """\
`sbfs mcp` serves these on standard input and output. Each returns the document that its command
prints with `--json`; an error is a result marked as one, in the shape that commands print.
"""


def kind(schema: dict[str, Any]) -> str:
    """A parameter's type in words."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    return str(schema.get("type", "any"))


def default(name: str, schema: dict[str, Any], required: list[str]) -> str:
    """A parameter's default."""
    return "required" if name in required else f"`{schema.get('default')!r}`"


def python_page() -> str:
    """The reference of the verbs in Python."""
    parts = ["# Python\n", NOTE, PYTHON_INTRO, section("Store.init", Store.init), section("Store.open", Store.open)]
    for verb in verbs.VERBS:
        module = verb.function.__module__.split(".")[1]
        parts.append(section(f"{module}.{verb.function.__name__}", verb.function))
    return "\n".join(parts)


PYTHON_INTRO = """\
```python
from sbfs import Store, messages, projects

with Store.init("team") as store:
    projects.add(store, name="web")
    projects.add(store, name="api")
    sent = messages.send(store, from_project="web", to_project="api", subject="Hello", message="Are you there?")
    print(sent.messages[0].id, messages.count(store, project="api", unread=True))
```

Every verb takes the store first and the rest by keyword, and returns dataclasses. The library reads
no environment, no working directory and no terminal. Errors are kinds of `sbfs.Error`, with `code`,
`exit_code` and `hint`.
"""


def section(name: str, function: Any) -> str:
    """One function: how it is called, and what it says of itself."""
    signature = inspect.signature(function)
    # Defaults that are functions have an address for a name.
    parameters = [one for one in signature.parameters.values() if not callable(one.default) or one.default is one.empty]
    words = []
    starred = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        given = "" if one.default is one.empty else f" = {one.default!r}"
        words.append(f"{one.name}{f': {one.annotation}' if one.annotation is not one.empty else ''}{given}")
    answer = str(signature.return_annotation)
    lines = ",\n    ".join(words)
    return f"## {name}\n\n```python\n{name}(\n    {lines},\n) -> {answer}\n```\n\n{inspect.getdoc(function)}\n"


# -- the README's session --------------------------------------------------------------------------

_BEGIN, _END = "<!-- tour -->\n```console\n", "```\n<!-- /tour -->"


def tour() -> str:
    """What `sbfs tour` prints, its folder named as a reader's might be."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sbfs", "tour", f"{folder}/tour"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.replace(str(Path(folder).resolve()), "/tmp").replace(folder, "/tmp")


def normalized(text: str) -> str:
    """A session without what differs from run to run: ids, times, revisions, sizes, widths of columns."""
    for pattern, name in (
        (r"(?:msg|refl|qual|store)-[0-9A-HJKMNP-TV-Z]{26}", "ID"),
        (r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d\.\d{3}Z)?)?", "TIME"),
        (r"\b(?:[0-9a-f]{10}|[0-9a-f]{40})\b", "REVISION"),
        (r"\([^()]*\b[\d,]+ bytes\)", "(SIZE)"),
        (r"within [\d.]+ (?:s|min)\b", "within SPAN"),
        # What is counted of sbfs's own code changes with every change of it.
        (
            r"\b\d[\d,]* (files|functions|calls|modules|classes|methods|attributes|documented|entries|symbols)\b",
            r"N \1",
        ),
        (r"(\.py):\d+", r"\1:LINE"),
        (r"(?m)^    (called by|calls) .*$", r"    \1 OTHERS"),
        (r"(?<=\S) {2,}(?=\S)", "  "),
    ):
        text = re.sub(pattern, name, text)
    return text


def readme_with(session: str) -> str:
    """The README with another session in it."""
    text = (ROOT / "README.md").read_text()
    start, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    return text[:start] + session.rstrip() + "\n" + text[end:]


def main(check: bool) -> int:
    """Write the pages, or with check only say which are behind. Returns the exit status."""
    pages = {"docs/cli.md": cli_page(), "docs/mcp.md": mcp_page(), "docs/python.md": python_page()}
    pages["README.md"] = readme_with(tour())
    behind = []
    for name, text in pages.items():
        file = ROOT / name
        old = file.read_text() if file.exists() else ""
        same = normalized(old) == normalized(text) if name == "README.md" else old == text
        if not same:
            behind.append(name)
            if not check:
                file.write_text(text)
    for name in behind:
        print(f"{name} {'is behind the code: run python docs/generate.py' if check else 'written'}")
    return 1 if check and behind else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
