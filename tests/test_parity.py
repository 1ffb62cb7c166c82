"""One set of verbs: the table, the commands, the modules and the documents agree; so do the words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from domain_helpers import Shell, mail, people, put
from graph_helpers import lay

from sbfs import (
    bundles,
    configs,
    conflicts,
    context,
    conversations,
    doctor,
    documentation,
    graph,
    history,
    messages,
    projects,
    quality,
    redacting,
    reflections,
    search,
    settling,
    sync,
    verbs,
    worktree,
)
from sbfs.cli import COMMANDS, cli
from sbfs.errors import Error
from sbfs.store import Store

EXTRAS = {"init", "clone", "mcp", "tour", "watch", "hooks", "hook", "merge-driver", "upkeep", "bundle", "restore"}
"""Commands that are no verb of a store: they make one, serve one or show one, or other programs call them."""

SHORTCUTS = {"send": "message.send", "inbox": "message.list", "outbox": "message.list", "group": "project.group"}


def commands(command: click.Command = cli, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """(dotted name, command) of all commands that are no groups."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for one in command.list_commands(context):
        found = command.get_command(context, one)
        assert found is not None, one
        yield from commands(found, f"{name}.{one}".lstrip("."))


COMMANDS_BY_NAME = dict(commands())


def test_every_verb_is_a_command_and_every_command_a_verb():
    """A verb that the shell does not have, or a command that Python and MCP do not have (promise 9)."""
    plain = {name for name in COMMANDS_BY_NAME if name.split(".")[0] not in {*EXTRAS, *SHORTCUTS}}
    assert plain == {verb.name for verb in verbs.VERBS}
    assert {name.split(".")[0] for name in COMMANDS_BY_NAME} >= EXTRAS
    assert all(
        name.split(".")[0] in SHORTCUTS for name in {*COMMANDS_BY_NAME} - plain if name.split(".")[0] not in EXTRAS
    )


@pytest.mark.parametrize(
    "module",
    [
        projects,
        messages,
        history,
        worktree,
        doctor,
        conflicts,
        settling,
        sync,
        reflections,
        quality,
        search,
        redacting,
        conversations,
        bundles,
        configs,
        context,
        documentation,
        graph,
    ],
    ids=lambda module: module.__name__,
)
def test_every_public_verb_of_a_domain_is_in_the_table(module):
    """A function that takes a store and keywords, and that no skin can reach."""
    table = {verb.function for verb in verbs.VERBS}
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = {
        function
        for function in (getattr(module, name) for name in names)
        if inspect.isfunction(function)
        and function.__module__.startswith(module.__name__)
        and [*inspect.signature(function).parameters][:1] == ["store"]
    }
    assert found - {worktree.edits, worktree.secrets, worktree.staged_secrets} <= table
    assert found


@pytest.mark.parametrize("verb", verbs.VERBS, ids=lambda verb: verb.name)
def test_options_and_arguments_are_the_verbs_own(verb):
    """A command whose options reach no argument of its function, or a parameter that the shell cannot give."""
    taken = {*inspect.signature(verb.function).parameters} - {"store", "actor", "progress", "choose", "begin"}
    given = {parameter.name for parameter in COMMANDS_BY_NAME[verb.name].params if parameter.expose_value}
    words = {
        "body": "message",
        "body_file": "message",
        "yes": "",
        "unread": "status",
        "check": "",
        "from_session": "",
        "full": "",
    }
    words |= {"watch": "", "every": ""} if verb.name == "sync" else {}
    words |= {"text_file": "text"}
    if verb.name in ("project.add", "message.send", "config.apply"):
        # What a template says is given as if a person had said it.
        words |= {"template": "files" if verb.name == "config.apply" else "", "values": "", "templates": ""}
    if verb.name.endswith("search"):
        words |= dict.fromkeys(("sender", "recipient", "role", "model", "agent", "tool"), "where")
        words |= dict.fromkeys(("status", "priority", "type", "tags", "flags"), "where")
    words |= {"output": "", "force": ""} if verb.name in ("conversation.export", "graph.export", "graph.view") else {}
    words |= {"file": "", "force": ""} if verb.name == "dashboard" else {}
    for own in {"unread", "full"} & taken:
        del words[own]
    mapped = {words.get(name, name) for name in given if name} - {""}
    assert mapped <= taken
    assert taken - mapped <= {"from_session", "tags"}


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_every_command_and_option_has_help(name):
    """A command or an option that help does not explain."""
    command = COMMANDS_BY_NAME[name]
    assert command.help
    assert command.help.strip()[0].isupper()
    # Examples stand line by line.
    # With the command's own settings: click keeps the first help option that it makes, for later tests too.
    assert "\\b" not in command.get_help(command.make_context(name, [], resilient_parsing=True))
    plain = {"--priority", "--type", "--subject", "--box"}
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not plain & {*parameter.opts}:
            assert parameter.help, parameter.opts


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence."""
    return re.split(r"(?<=\.)\s", " ".join(text.split()))[0]


def test_the_root_help_says_what_the_commands_say():
    """The root's table, written down so that help loads nothing, and no longer what the commands say of themselves."""
    context = click.Context(cli)
    for name, (module, line) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert inspect.getmodule(command.callback).__name__ == module
        stem, short, _ = line.partition(" (short for ")
        if short:
            assert first_sentence(command.help).startswith(stem), name
        else:
            assert first_sentence(command.help) == line, name


def test_tools_are_verbs():
    """A tool's name that stands at two verbs, or is none of the spec's."""
    tools = [verb.tool for verb in verbs.VERBS if verb.tool]
    assert sorted(tools) == [
        "add_quality",
        "add_reflection",
        "count_messages",
        "export_session_config",
        "find_related_code",
        "forward_project_message",
        "get_agent_context",
        "get_conversation_stats",
        "import_conversations",
        "import_session_config",
        "index_code_graph",
        "index_documentation",
        "list_project_messages",
        "mark_messages",
        "query_code_graph",
        "read_message",
        "reply_to_message",
        "search_conversations",
        "search_documentation",
        "search_store",
        "send_project_message",
        "sync_store",
    ]


# -- the same document from both sides -----------------------------------------------------------------


def _prepared(store: Store) -> dict[str, str]:
    documentation.index(store, path=lay(store.root.parent / "code"))
    people(store, "web", "api", "docs")
    projects.group_add(store, group="team", projects=["web", "api"])
    ids = {"first": mail(store).id, "second": mail(store, sender="api", to="web", priority="high").id}
    ids["learnt"] = reflections.add(store, project="web", title="Lock", type="lesson", tags=["db"]).reflection.id
    measured = quality.add(store, project="web", components={"coverage": 80, "types": None}, conversation="conv-1")
    ids["measured"] = measured.measurement.id
    configs.set(store, project="web", name="settings.yaml", text="port: 80\n")
    ids["later"] = mail(store, deliver_at="2126-01-01").id
    put(store, "projects/web/outbox/bad.yaml", "to_project: nobody\nsubject: s\ncontent: x\n")
    return ids


READING: list[tuple[str, dict[str, Any], list[str]]] = [
    ("status", {}, []),
    ("log", {"limit": 3}, ["--limit", "3"]),
    ("log", {"record": "docs"}, ["docs"]),
    ("check", {}, []),
    ("save", {}, []),
    ("redact", {"pattern": "nothing like it", "dry_run": True}, ["nothing like it", "--dry-run"]),
    ("redact", {"pattern": "the l[o]g", "regex": True, "dry_run": True}, ["the l[o]g", "--regex", "--dry-run"]),
    ("project.list", {"limit": 2}, ["--limit", "2"]),
    ("project.show", {"project": "web"}, ["web"]),
    ("project.group.list", {}, []),
    ("project.group.show", {"group": "team"}, ["team"]),
    ("message.list", {"project": "web"}, ["web"]),
    ("message.list", {"project": "web", "box": "outbox", "limit": 1}, ["web", "--box", "outbox", "--limit", "1"]),
    ("message.list", {"project": "web", "status": "read"}, ["web", "--status", "read"]),
    ("message.show", {"message_id": "{first}"}, ["{first}"]),
    ("message.thread", {"message_id": "{first}"}, ["{first}"]),
    ("message.count", {"project": "web", "unread": True}, ["web", "--unread"]),
    ("message.search", {"query": "log", "where": {"sender": ["web"]}}, ["log", "--from", "web"]),
    ("search", {"query": "the log", "limit": 1, "group": "none"}, ["the", "log", "--limit", "1", "--group", "none"]),
    ("search", {"like": "{first}", "kind": ["message"]}, ["--like", "{first}", "--kind", "message"]),
    ("search", {"query": "title:build", "syntax": True, "project": ["@team"]},
     ["title:build", "--syntax", "--project", "@team"]),
    ("context", {"agent_id": "web", "query": "the log", "budget": 900}, ["web", "the", "log", "--budget", "900"]),
    ("index.status", {}, []),
    ("index.verify", {}, []),
    ("message.mark", {"message_ids": ["{first}"], "status": "unread"}, ["{first}", "unread"]),
    ("conversation.stats", {"by": "day"}, ["--by", "day"]),
    ("reflection.list", {"type": "lesson", "tag": "db"}, ["--type", "lesson", "--tag", "db"]),
    ("reflection.show", {"reflection_id": "{learnt}"}, ["{learnt}"]),
    ("reflection.edit", {"reflection_id": "{learnt}", "add_tags": ["db"]}, ["{learnt}", "--add-tag", "db"]),
    ("quality.list", {"project": "web", "conversation": "conv-1"}, ["--project", "web", "--conversation", "conv-1"]),
    ("quality.show", {"quality_id": "{measured}"}, ["{measured}"]),
    ("quality.trend", {"project": "web", "since": datetime(2020, 1, 1, tzinfo=UTC),
     "until": datetime(2120, 1, 1, tzinfo=UTC), "conversations": True, "component": "coverage"},
     ["web", "--since", "2020-01-01", "--until", "2120-01-01", "--conversations", "--component", "coverage"]),
    ("config.list", {"project": "web", "format": "yaml"}, ["--project", "web", "--format", "yaml"]),
    ("config.get", {"project": "web", "name": "settings", "key": "port"}, ["web", "settings", "--key", "port"]),
    ("config.templates", {"kind": "message"}, ["--kind", "message"]),
    ("graph.index", {"project": "code"}, ["code"]),
    ("graph.show", {"symbol": "Cart", "depth": 2}, ["Cart", "--depth", "2"]),
    ("graph.symbols", {"pattern": "*a*", "type": "method", "limit": 2}, ["*a*", "--type", "method", "--limit", "2"]),
    ("graph.callers", {"symbol": "price_of", "depth": 3, "confidence": "exact"},
     ["price_of", "--depth", "3", "--confidence", "exact"]),
    ("graph.callees", {"symbol": "test_add", "limit": 1, "cursor": "1"}, ["test_add", "--limit", "1", "--cursor", "1"]),
    ("graph.imports", {"file": "cart.py"}, ["cart.py"]),
    ("graph.imported-by", {"file": "cart.py", "project": "code"}, ["cart.py", "--project", "code"]),
    ("graph.related", {"file": "shop/cart.py"}, ["shop/cart.py"]),
    ("graph.related", {"file": "shop/cart.py", "type": "imports"}, ["shop/cart.py", "--type", "imports"]),
    ("graph.path", {"first": "test_add", "second": "unknown"}, ["test_add", "unknown"]),
    ("graph.impact", {"symbol": "price_of"}, ["price_of"]),
    ("graph.cycles", {"type": "calls"}, ["--type", "calls"]),
    ("graph.unused", {"possible": True}, ["--possible"]),
    ("graph.metrics", {"metric": "lines", "threshold": 1.0}, ["--metric", "lines", "--threshold", "1"]),
    ("graph.diff", {"before": "HEAD", "after": "HEAD"}, ["HEAD", "HEAD"]),
    ("graph.export", {"format": "callgraph"}, ["--format", "callgraph"]),
    ("graph.export", {"format": "mermaid", "symbol": "Cart"}, ["--format", "mermaid", "--symbol", "Cart"]),
    ("docs.index", {"project": "code"}, ["code"]),
    ("docs.list", {"type": "class", "file": "shop/*", "limit": 1},
     ["--type", "class", "--file", "shop/*", "--limit", "1"]),
    ("docs.show", {"symbol": "Cart"}, ["Cart"]),
    ("docs.search", {"query": "what people buy", "where": {"type": ["module"]}},
     ["what", "people", "buy", "--type", "module"]),
    ("docs.coverage", {"file": "shop/*"}, ["--file", "shop/*"]),
    ("project.set", {"project": "web"}, ["web"]),
    ("project.relate", {"project": "web", "other": "api", "remove": True}, ["web", "api", "--remove"]),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "keywords", "arguments"), READING, ids=lambda value: str(value)[:40])
def test_python_and_the_shell_answer_alike(tmp_path, verb, keywords, arguments):
    """A document that differs between the library and the command line."""
    with Store.init(tmp_path / "store") as store:
        ids = _prepared(store)

        def fill(value: Any) -> Any:
            if isinstance(value, list):
                return [fill(one) for one in value]
            return value.format(**ids) if isinstance(value, str) else value

        expected = verbs.run(verb, store, **{key: fill(value) for key, value in keywords.items()})
        answer = Shell(store.root)(*verb.split("."), *fill(arguments), "--json")
    assert answer.document == verbs.plain(expected)
    assert (answer.status == 0) == expected["success"]


WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("message.list", {"project": "nobody"}, ["nobody"]),
    ("message.list", {"project": "web", "status": "new"}, ["web", "--status", "new"]),
    ("message.show", {"message_id": "msg-"}, ["msg-"]),
    ("message.send", {"from_project": "web", "to_project": ["api"], "subject": "x", "message": "x", "priority": "asap"},
     ["web", "api", "-s", "x", "-b", "x", "-p", "asap"]),
    ("message.forward", {"original_message_id": "{first}", "to_project": ["nobody"]}, ["{first}", "nobody"]),
    ("message.edit", {"message_id": "{first}", "subject": "x"}, ["{first}", "-s", "x"]),
    ("reflection.add", {"project": "web", "title": "x", "text": "x", "type": "fact"},
     ["web", "--title", "x", "--text", "x", "--type", "fact"]),
    ("conversation.stats", {"by": "hour"}, ["--by", "hour"]),
    ("conversation.stats", {"session_id": "nobody"}, ["nobody"]),
    ("reflection.show", {"reflection_id": "refl-9"}, ["refl-9"]),
    ("quality.add", {"project": "web"}, ["web"]),
    ("quality.add", {"project": "web", "score": 101.5}, ["web", "--score", "101.5"]),
    ("quality.measure", {"project": "web", "tests": "no/such.xml"}, ["web", "--tests", "no/such.xml"]),
    ("graph.callers", {"symbol": "price"}, ["price"]),
    ("graph.callers", {"symbol": "add", "project": "web"}, ["add", "--project", "web"]),
    ("graph.show", {"symbol": "Cart", "depth": 99}, ["Cart", "--depth", "99"]),
    ("graph.callees", {"symbol": "Cart", "confidence": "sure"}, ["Cart", "--confidence", "sure"]),
    ("graph.related", {"file": "x.py"}, ["x.py"]),
    ("graph.diff", {"before": "beef1234"}, ["beef1234"]),
    ("graph.export", {"format": "svg"}, ["--format", "svg"]),
    ("graph.index", {"project": "web"}, ["web"]),
    ("docs.index", {"project": "code", "pattern": [" "]}, ["code", "--pattern", " "]),
    ("docs.show", {"symbol": "nowhere"}, ["nowhere"]),
    ("docs.coverage", {"project": "web"}, ["--project", "web"]),
    ("project.add", {"name": "web"}, ["web"]),
    ("project.add", {"name": "../x"}, ["../x"]),
    ("project.relate", {"project": "web", "other": "api", "type": "likes"}, ["web", "api", "--type", "likes"]),
    ("redact", {"pattern": "(", "regex": True}, ["(", "--regex"]),
    ("redact", {"pattern": "web"}, ["web"]),
    ("config.get", {"project": "web", "name": "setings"}, ["web", "setings"]),
    ("config.set", {"project": "web", "name": "a.json", "text": "x"}, ["web", "a.json", "--text", "x"]),
    ("config.list", {"format": "ini"}, ["--format", "ini"]),
    ("undo", {"revision": "beef1234"}, ["beef1234"]),
    ("search", {"query": "(log", "syntax": True}, ["(log", "--syntax"]),
    ("search", {"query": "log", "kind": ["letter"]}, ["log", "--kind", "letter"]),
    ("search", {"like": "msg-"}, ["--like", "msg-"]),
    ("context", {"agent_id": "nobody", "query": "x"}, ["nobody", "x"]),
    ("context", {"agent_id": "web", "query": "x", "budget": 9}, ["web", "x", "--budget", "9"]),
    ("context", {"agent_id": "web", "query": "x", "context_type": "mail"}, ["web", "x", "--type", "mail"]),
    ("conversation.export", {"conversation_id": "none"}, ["none"]),
    ("conversation.export", {"conversation_id": "none", "format": "pdf"}, ["none", "--format", "pdf"]),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "keywords", "arguments"), WRONG, ids=lambda value: str(value)[:40])
def test_errors_are_the_same_from_both_sides(tmp_path, verb, keywords, arguments):
    """A wrong value that is another error at the shell than in Python (AM-2)."""
    with Store.init(tmp_path / "store") as store:
        ids = _prepared(store)
        given = {key: value.format(**ids) if isinstance(value, str) else value for key, value in keywords.items()}
        with pytest.raises(Error) as caught:
            verbs.run(verb, store, **given)
        answer = Shell(store.root)(*verb.split("."), *(word.format(**ids) for word in arguments), "--json")
    assert answer.document == verbs.error_document(caught.value)
    assert answer.status == caught.value.exit_code


# -- words -------------------------------------------------------------------------------------------

NOT_OUR_WORDS = (
    "database", "vault", "workspace", "namespace", "entity", "row", "rows", "mailbox", "mail item", "note item", "flag",
    "state", "dump", "package", "clash", "marker", "policy", "sha",
)  # fmt: skip
"""The right column of the glossary, without the words that also mean something else here."""


def test_no_word_that_the_glossary_refuses_is_shown_to_people():
    """Two words for one thing: vault beside store, mailbox beside inbox, clash beside conflict."""
    wrong = re.compile(rf"\b({'|'.join(NOT_OUR_WORDS)})s?\b", re.I)
    said = [("sbfs", cli.help)]
    for name, command in COMMANDS_BY_NAME.items():
        options = [
            word for one in command.params for word in (*one.opts, getattr(one, "help", ""), one.metavar) if word
        ]
        said.append((name, "\n".join([*name.split("."), command.help or "", *options])))
    said += [(verb.name, inspect.getdoc(verb.function) or "") for verb in verbs.VERBS]
    said += [(verb.name, " ".join(inspect.signature(verb.function).parameters)) for verb in verbs.VERBS]
    assert [(name, found[0]) for name, text in said if (found := wrong.search(text))] == []
