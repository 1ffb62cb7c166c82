"""The verbs that write a quality history: each is one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbfs import projects
from sbfs.conversations.reading import give_quality
from sbfs.errors import Invalid, NotFound
from sbfs.kind import check_size, new_id
from sbfs.listing import gone
from sbfs.projects import Project
from sbfs.quality import measuring
from sbfs.quality.reading import points
from sbfs.quality.value import (
    KIND,
    Measurement,
    Score,
    check_commit,
    check_conversation,
    check_score,
    dump,
    headline,
    load_component,
    loaded,
    mean,
    rounded,
)
from sbfs.store import Store, Transaction

if TYPE_CHECKING:
    from sbfs.graph.measuring import Summary


@dataclass(frozen=True)
class Written:
    """A measurement as it was kept. redacted: secrets taken out, by type."""

    measurement: Measurement
    redacted: Mapping[str, int] = field(default_factory=dict)


def add(
    store: Store,
    *,
    project: str,
    score: float | None = None,
    components: Mapping[str, float | None] | None = None,
    source: str = "person",
    commit: str = "",
    conversation: str = "",
    note: str = "",
    actor: str = "",
) -> Written:
    """Keep a score, or its components, of a project or of one of its conversations.

    score: 0 to 100; without one, the mean of the components that were measured. components: name →
    0 to 100, None where it was not measured. source: where these came from. commit: of the project's
    source. conversation: its id, or the beginning of one that is held here, which takes on the score.
    Raises NotFound, or Invalid for anything that breaks a rule.
    """
    if score is None and not components:
        raise Invalid("nothing is given", field="score", hint="give a score, or a component such as coverage=81.5")
    given = {
        name: load_component(
            name, {"value": _rounded(value, f"components.{name}"), "source": None if value is None else source}
        )
        for name, value in (components or {}).items()
    }
    total = _rounded(score, "score")
    if total is None:
        total = mean(one.value for one in given.values())
    facts = {"commit": check_commit(commit), "conversation": check_conversation(conversation), "note": note}
    return _write(store, "quality.add", project, lambda _: {"score": total, "components": given, **facts}, actor)


def measure(
    store: Store,
    *,
    project: str,
    path: str | Path | None = None,
    coverage: str | Path | None = None,
    lint: str | Path | None = None,
    tests: str | Path | None = None,
    note: str = "",
    actor: str = "",
) -> Written:
    """Keep what the given reports and the code graph say of a project, and of which commit; what they do not is null.

    path: the folder of the source, else the project's own. coverage: a report of coverage.py (JSON),
    Cobertura (XML) or lcov. lint: of ruff, ESLint or pylint (JSON), or SARIF. tests: JUnit's XML. A graph
    of the project that is not stale tells complexity and the documented share. The score is the mean of
    what was measured. Nothing of the source is run. Raises Failed for a report that cannot be read,
    Invalid for one of another format, or where there is neither a report nor a graph.
    """
    files = {"coverage": coverage, "lint": lint, "tests": tests}
    given = {name: file for name, file in files.items() if file is not None}
    owner_name = projects.resolve(store.view(), project).name
    summary = _of_graph(store, owner_name)
    if not given and summary is None:
        hint = "name one with --coverage, --lint or --tests, or read the source: sbfs graph index PROJECT"
        raise Invalid("no report is given, and there is no current code graph", field="coverage", hint=hint)
    reports = measuring.read(given)

    def facts(owner: Project) -> Mapping[str, Any]:
        found = measuring.source(owner, path, reports)
        parts = measuring.components(reports, given, found.lines if found else None) if given else {}
        parts |= measuring.of_graph(summary) if summary else {}
        total = mean(one.value for one in parts.values())
        commit = found.commit if found else summary.commit if summary else ""
        return {"score": total, "components": parts, "commit": commit, "note": note}

    return _write(store, "quality.measure", project, facts, actor)


def _of_graph(store: Store, project: str) -> Summary | None:
    """What the project's code graph says, where it is of the source as it is now."""
    from sbfs.graph.measuring import summary

    try:
        found = summary(store, project)
    except NotFound:
        return None
    return None if found.stale else found


def _write(store: Store, verb: str, project: str, facts: Callable[[Project], Mapping[str, Any]], actor: str) -> Written:
    limit = store.limit("body")
    owner = projects.resolve(store.view(), project)
    said = facts(owner)
    check_size(said["note"], field="note", limit=limit, hint="shorten it, or raise limits.body in sbfs.yaml")

    def build(tx: Transaction) -> Written:
        name = projects.resolve(tx.view, project).name
        facts = dict(said)
        if facts.get("conversation"):
            facts["conversation"] = give_quality(tx, facts["conversation"], facts["score"])
        made = Measurement(id=new_id("qual", tx.now), created=tx.now, project=name, **facts)
        tx.actor = tx.actor or name
        # A project that is renamed or removed meanwhile must not be left a folder of its former name.
        tx.need(projects.KIND.path_of(project=name))
        kept = loaded(tx.create(KIND, KIND.path_of(project=name, month=made.month, id=made.id), dump(made)))
        of = f" of {kept.conversation}" if kept.conversation else ""
        tx.describe(f"{name}: {headline(kept)}{of}", Ids=kept.id)
        return Written(kept, dict(tx.redacted))

    return store.write(verb, build, actor=actor)


def remove(store: Store, *, quality_id: str, actor: str = "") -> Measurement:
    """Remove a measurement; `sbfs undo` brings it back."""

    def build(tx: Transaction) -> Measurement:
        record = tx.find(tx.view.find((KIND,), quality_id, what="measurement")[0])
        if record is None:
            raise gone("measurement", quality_id)
        old = loaded(record)
        tx.remove(KIND, record.path)
        if old.conversation:
            give_quality(tx, old.conversation, _before(tx, old))
        tx.actor = tx.actor or old.project
        tx.describe(f"Remove a measurement of {old.project}: {headline(old)}", Ids=old.id)
        return old

    return store.write("quality.remove", build, actor=actor)


def _before(tx: Transaction, old: Measurement) -> Score:
    """The score of a conversation by the newest of its other measurements in the same project."""
    others = [
        one
        for one in points(tx.view, old.project, conversations=True)
        if one.conversation == old.conversation and one.id != old.id
    ]
    return max(others, key=lambda one: one.timestamp).score if others else None


def _rounded(value: Score, field: str) -> Score:
    checked = check_score(value, field)
    return None if checked is None else rounded(checked)
