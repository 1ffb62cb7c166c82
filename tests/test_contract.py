"""The contract suite, run for every kind of every domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contract import SUITE, Contract, any_values_come_back, run_on
from domain_helpers import few, path_of, people
from hypothesis import given
from hypothesis import strategies as st
from transcript_helpers import write

from sbfs import configs, conflicts, conversations, kinds, messages, projects, quality, reflections, settling, verbs
from sbfs.graph.value import SNAPSHOT
from sbfs.messages.value import load
from sbfs.quality.value import rounded
from sbfs.record import dump
from sbfs.store import Page, Store, Transaction

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LINE = TEXT.filter(lambda text: text.strip() and "\n" not in text and "\r" not in text)
SOME = TEXT.filter(bool)
WORDS = st.lists(TEXT, max_size=3, unique=True)


# -- projects and groups -----------------------------------------------------------------------------


def _project() -> Contract:
    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        return projects.KIND.path_of(project=projects.add(store, name=f"project-{number:04}", **values).name)

    def name(path: str) -> str:
        return path.split("/")[1]

    def change(store: Store, path: str) -> tuple[str, Any]:
        projects.set(store, project=name(path), description="Changed:\nby the verb\n", add_tags=["x"])
        return "description", "Changed:\nby the verb\n"

    return Contract(
        kind=projects.KIND,
        begin=lambda store: None,
        create=create,
        values=st.fixed_dictionaries(
            {}, optional={"alias": TEXT, "description": TEXT, "host": TEXT, "source_path": TEXT, "tags": WORDS}
        ),
        read=lambda store, name, **at: verbs.run("project.show", store, project=name, **at)["project"],
        list=projects.list,
        path=lambda project: projects.KIND.path_of(project=project.name),
        change=change,
        remove=lambda store, path: projects.remove(store, project=name(path)) and None,
        name=name,
        prefixes=False,
        fixed=("name", "name: project-0001", "name: project-0009"),
    )


def _group() -> Contract:
    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        name = f"group-{number:04}"
        return projects.GROUP.path_of(group=projects.group_add(store, group=name, projects=["web"], **values).name)

    def name(path: str) -> str:
        return path.removeprefix("groups/").removesuffix(".yaml")

    def change(store: Store, path: str) -> tuple[str, Any]:
        # The verb `group add` makes a group that is not there: that is no change.
        projects.group_show(store, group=name(path))
        projects.group_add(store, group=name(path), projects=["api"])
        return "projects", ["api", "web"]

    return Contract(
        kind=projects.GROUP,
        begin=lambda store: people(store, "web", "api"),
        create=create,
        values=st.fixed_dictionaries({}, optional={"description": TEXT}),
        read=lambda store, name, **at: verbs.run("project.group.show", store, group=name, **at)["group"],
        list=projects.group_list,
        path=lambda group: projects.GROUP.path_of(group=group.name),
        change=change,
        remove=lambda store, path: projects.group_remove(store, group=name(path)) and None,
        name=name,
        prefixes=False,
        fixed=("name", "name: group-0001", "name: group-0009"),
    )


# -- mail --------------------------------------------------------------------------------------------


def _mail(box: str) -> Contract:
    """Of one copy. What an outbox holds changes only while it waits for its delivery."""
    kind = messages.INBOX if box == "inbox" else messages.OUTBOX
    owner = "api" if box == "inbox" else "web"

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        given = {"subject": f"Message {number}", "message": "Text\n"}
        given |= {key.removeprefix("content."): value for key, value in values.items()}
        store.clock.now += timedelta(milliseconds=1)
        (message,) = messages.send(store, from_project="web", to_project="api", **given).messages
        return path_of(message, box)

    def name(path: str) -> str:
        return path.rpartition("/")[2].removesuffix(".yaml")

    def change(store: Store, path: str) -> tuple[str, Any]:
        messages.mark(store, message_ids=[name(path)], status="archived")
        return "status", "archived"

    return Contract(
        kind=kind,
        begin=lambda store: people(store, "web", "api"),
        create=create,
        values=st.fixed_dictionaries(
            {"subject": LINE, "content.message": TEXT},
            optional={"content.context": st.dictionaries(TEXT, TEXT, min_size=1, max_size=3)},
        ),
        read=lambda store, name, **at: verbs.run("message.show", store, message_id=name, **at)["message"],
        list=lambda store, **options: messages.list(store, project=owner, box=box, **options),
        path=lambda shown: shown.path,
        change=change,
        remove=lambda store, path: messages.remove(store, message_id=name(path)) and None,
        name=name,
        prefixes=True,
        fixed=("content", "message: |\n    Text", "message: |\n    Else"),
    )


def _outbox() -> Contract:
    """Mail in an outbox changes only while it is held back: lists are asked by a clock that is later."""
    base = _mail("outbox")

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        return base.create(store, number, {"deliver_at": store.clock() + timedelta(days=1), **values})

    def read(store: Store, name: str, at: str | None = None) -> dict[str, Any]:
        message = messages.show(store, message_id=name, at=at).message
        record = store.view(at).record(path_of(message, "outbox"))
        messages.OUTBOX.check(record)
        return verbs.message_document(load(record.data))

    def listed(store: Store, **options: Any) -> Page:
        with Store.open(store.root, clock=lambda: store.clock() + timedelta(days=2)) as later:
            return base.list(later, **options)

    def change(store: Store, path: str) -> tuple[str, Any]:
        messages.edit(store, message_id=base.name(path), message="Changed\n")
        return "content.message", "Changed\n"

    return replace(base, create=create, read=read, list=listed, change=change)


# -- configurations ----------------------------------------------------------------------------------


def _config() -> Contract:
    """Kept as they were written: here as the suite's values say it in canonical YAML."""

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        text = dump("x.yaml", {"port": 80, **values}).decode()
        return configs.set(store, project="web", name=f"settings-{number:04}.yaml", text=text).path

    def name(path: str) -> str:
        return path.rpartition("/")[2]

    def change(store: Store, path: str) -> tuple[str, Any]:
        configs.set(store, project="web", name=name(path), key="port", value=8080)
        return "port", 8080

    return Contract(
        kind=configs.KIND,
        begin=lambda store: people(store, "web"),
        create=create,
        values=st.fixed_dictionaries({}, optional={"a": TEXT, "b": st.dictionaries(SOME, TEXT | st.integers())}),
        read=lambda store, name, **at: configs.get(store, project="web", name=name, **at).value,
        list=configs.list,
        path=lambda config: config.path,
        change=change,
        remove=lambda store, path: configs.remove(store, project="web", name=name(path)) and None,
        name=name,
        prefixes=False,
        fixed=None,
    )


# -- conflicts ---------------------------------------------------------------------------------------


def _conflict() -> Contract:
    """A merge makes them, and says in one that is there already which commits met again."""

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        made = conflicts.new(f"projects/web/{number:04}.yaml", "alias", f"kept {number}", "lost", None, ["c" * 40])
        # An id comes from the content; here it must sort and begin as the suite wants it.
        made = replace(made, id=f"conflict-{number:04}aa", kept=values.get("kept", made.kept))
        record = conflicts.record_of(made)
        store.write("merge", lambda tx: tx.create(conflicts.KIND, record.path, record.data))
        return record.path

    def name(path: str) -> str:
        return path.removeprefix("conflicts/").removesuffix(".yaml")

    def change(store: Store, path: str) -> tuple[str, Any]:
        def build(tx: Transaction) -> None:
            record = tx.get(path, "conflict", name(path))
            tx.replace(conflicts.KIND, record, {**record.data, "commits": ["b" * 40, "c" * 40]})

        store.write("merge", build)
        return "commits", ["b" * 40, "c" * 40]

    return Contract(
        kind=conflicts.KIND,
        begin=lambda store: people(store, "web", "api"),
        create=create,
        values=st.fixed_dictionaries({}, optional={"kept": TEXT}),
        read=lambda store, name, **at: verbs.run("conflicts.show", store, conflict_id=name, **at)["conflict"],
        list=conflicts.list,
        path=conflicts.path_of,
        change=change,
        remove=lambda store, path: settling.settle(store, conflict_id=name(path), take="kept") and None,
        name=name,
        prefixes=True,
        fixed=("path", "path: projects/web/0001.yaml", "path: projects/web/0009.yaml"),
    )


# -- reflections -------------------------------------------------------------------------------------


def _reflection() -> Contract:
    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        store.clock.now += timedelta(milliseconds=1)
        kept = reflections.add(store, project="web", **{"title": f"Learnt {number}", **values}).reflection
        return path(kept)

    def path(one: reflections.Reflection) -> str:
        return reflections.KIND.path_of(project=one.project, month=one.month, id=one.id)

    def name(path: str) -> str:
        return path.rpartition("/")[2].removesuffix(".yaml")

    def change(store: Store, path: str) -> tuple[str, Any]:
        reflections.edit(store, reflection_id=name(path), text="Changed:\nby the verb\n", add_tags=["x"])
        return "text", "Changed:\nby the verb\n"

    return Contract(
        kind=reflections.KIND,
        begin=lambda store: people(store, "web"),
        create=create,
        values=st.fixed_dictionaries(
            {"title": LINE},
            optional={"text": TEXT.filter(bool), "tags": WORDS.filter(bool), "author": TEXT.filter(bool)},
        ),
        read=lambda store, name, **at: verbs.run("reflection.show", store, reflection_id=name, **at)["reflection"],
        list=lambda store, **options: reflections.list(store, project="web", **options),
        path=path,
        change=change,
        remove=lambda store, path: reflections.remove(store, reflection_id=name(path)) and None,
        name=name,
        prefixes=True,
        fixed=("created", "created: 2026-", "created: 2025-"),
    )


# -- quality -----------------------------------------------------------------------------------------

SCORE = st.none() | st.integers(0, 100) | st.floats(0, 100).map(rounded)


def _quality() -> Contract:
    """A measurement does not change; what may be said of it, does, by hand."""

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        store.clock.now += timedelta(milliseconds=1)
        given = {key: value for key, value in values.items() if key != "components"}
        parts = {name: part["value"] for name, part in values.get("components", {}).items()}
        given |= {"components": parts} if parts else {}
        return path(quality.add(store, project="web", **{"score": 50, "note": f"No. {number}", **given}).measurement)

    def path(one: quality.Measurement) -> str:
        return quality.KIND.path_of(project=one.project, month=one.month, id=one.id)

    def name(path: str) -> str:
        return path.rpartition("/")[2].removesuffix(".yaml")

    def change(store: Store, path: str) -> tuple[str, Any]:
        def build(tx: Transaction) -> None:
            record = tx.get(path, "measurement", name(path))
            tx.replace(quality.KIND, record, {**record.data, "note": "Another word\n"})

        store.write("note", build)
        return "note", "Another word\n"

    parts = st.dictionaries(
        st.from_regex("[a-z]{1,8}", fullmatch=True),
        SCORE.map(lambda value: {"value": value} | ({"source": "person"} if value is not None else {})),
        min_size=1,
        max_size=3,
    )
    return Contract(
        kind=quality.KIND,
        begin=lambda store: people(store, "web"),
        create=create,
        values=st.fixed_dictionaries({"note": SOME}, optional={"score": SCORE.filter(bool), "components": parts}),
        read=lambda store, name, **at: verbs.run("quality.show", store, quality_id=name, **at)["measurement"],
        list=lambda store, **options: quality.list(store, project="web", **options),
        path=path,
        change=change,
        remove=lambda store, path: quality.remove(store, quality_id=name(path)) and None,
        name=name,
        prefixes=True,
        fixed=("score", "score: 50", "score: 51"),
    )


# -- conversations -----------------------------------------------------------------------------------


def _conversation() -> Contract:
    """An import makes them and lets them grow: there is no other verb that changes one."""

    def file(store: Store, name: str) -> Path:
        return store.root.parent / "talks" / f"{name.rpartition('-')[0]}.jsonl"

    def create(store: Store, number: int, values: dict[str, Any]) -> str:
        first = {"content": values.get("title", f"Prompt {number}"), "timestamp": f"2026-02-10T10:{number:02}:00.000Z"}
        path = write(store.root.parent / "talks" / f"talk-{number:04}.jsonl", first)
        (made,) = conversations.import_(store, paths=[path], project="web").conversations
        return conversations.KIND.path_of(project="web", month="2026/02", id=made.conversation.id)

    def name(path: str) -> str:
        return path.split("/")[-2]

    def change(store: Store, path: str) -> tuple[str, Any]:
        conversations.reading.find(store.view(), name(path))
        with open(file(store, name(path)), "a") as lines:
            lines.write('{"content": "And one more", "timestamp": "2026-02-10T11:00:00.000Z"}\n')
        conversations.import_(store, paths=[lines.name], project="web")
        return "facts.prompts", 2

    line = LINE.filter(lambda text: text == " ".join(text.split()) and len(text.splitlines()) == 1)
    return Contract(
        kind=conversations.KIND,
        begin=lambda store: people(store, "web"),
        create=create,
        values=st.fixed_dictionaries({"title": line}),
        read=lambda store, name, **at: verbs.run("conversation.show", store, conversation_id=name, **at)[
            "conversation"
        ],
        list=conversations.list,
        path=lambda listed: listed.header.path,
        change=change,
        remove=lambda store, path: conversations.remove(store, conversation_id=name(path)) and None,
        name=name,
        prefixes=True,
        fixed=("agent", "agent: jsonl", "agent: codex"),
    )


CONTRACTS = {
    "conversation": _conversation(),
    "project": _project(),
    "group": _group(),
    "inbox": _mail("inbox"),
    "outbox": _outbox(),
    "conflict": _conflict(),
    "reflection": _reflection(),
    "quality": _quality(),
    "config": _config(),
}


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("test", SUITE, ids=lambda test: test.__name__)
def test_the_contract(store, name, test):
    """What the suite's function says, for one kind."""
    run_on(store, CONTRACTS[name], test)


@pytest.mark.parametrize("name", CONTRACTS)
def test_any_values_come_back(store, name):
    """A value that YAML, the check or the redaction changes on its way (AM-12)."""
    contract = CONTRACTS[name]
    contract.begin(store)
    numbers = iter(range(1, 1000))

    @few
    @given(contract.values)
    def check(values: dict[str, Any]) -> None:
        any_values_come_back(store, contract, values, next(numbers))

    check()


def test_every_kind_has_a_contract():
    """A new domain whose kinds nobody put through the suite. The store's settings are no domain's, turns are a
    conversation's, and what an index makes of source has no verbs to create, change and remove it by."""
    apart = (kinds.STORE, conversations.TURNS, SNAPSHOT)
    assert {contract.kind.pattern for contract in CONTRACTS.values()} == {
        kind.pattern for kind in kinds.KINDS if kind not in apart and not kind.whole
    }
