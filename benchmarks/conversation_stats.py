"""Measure statistics over many conversations: `python benchmarks/conversation_stats.py`.

Each row is a whole process, start-up included, on a store whose catalogs are those of a store in use;
`sbfs --help` is timed in turn with it, to tell what any command takes.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import SBFS, Row, clean_environment, interleave, report, run, table, write_json
from stores import git, put, settle

from sbfs import projects
from sbfs.conversations.facts import Facts, ModelCount, Tokens, ToolCount, add_facts
from sbfs.conversations.value import KIND, Conversation, dump
from sbfs.kind import new_id
from sbfs.record import Record
from sbfs.store import Store

CONVERSATIONS = 1_000
PROJECTS = tuple(f"project-{number:02}" for number in range(10))
MODELS = ("claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001", "gpt-5.1-codex")
TOOLS = ("Bash", "Read", "Edit", "Write", "Glob", "Grep", "Task", "WebFetch", "WebSearch", "TodoWrite")
LIMIT = "<= 0.3"
RUNS = 15


def conversation(dice: random.Random, end: datetime) -> Conversation:
    """One of the last year: up to six hours, one or two models, most of the tools."""
    begin = end - timedelta(minutes=dice.randrange(60 * 24 * 365))
    count = dice.choices((1, 2, 3, 6), (4, 3, 2, 1))[0]
    models = dice.sample(MODELS, dice.randrange(1, 3))
    hours = {}
    for number in range(count):
        moment = begin + timedelta(hours=number)
        hours[f"{moment:%Y-%m-%dT%H}"] = facts(dice, models)
    last = begin + timedelta(hours=count - 1, minutes=1)
    return Conversation(
        id=new_id("conv", begin),
        agent="codex" if models[0].startswith("gpt") else "claude-code",
        title="Look for the reason why the build is red",
        started=begin,
        ended=last,
        updated=last,
        models=tuple(models),
        branches=("main",),
        facts=add_facts(hours.values()),
        hours=hours,
        quality=float(dice.randrange(101)) if dice.random() < 0.5 else None,
    )


def facts(dice: random.Random, models: list[str]) -> Facts:
    """Of one hour."""
    counts = {
        name: ModelCount(dice.randrange(5, 60), Tokens(*(dice.randrange(10**5) for _ in range(4)))) for name in models
    }
    calls = {name: dice.randrange(1, 40) for name in dice.sample(TOOLS, 8)}
    return Facts(
        prompts=dice.randrange(1, 9),
        messages=sum(count.messages for count in counts.values()),
        turns=dice.randrange(10, 99),
        active_ms=dice.randrange(3_600_000),
        models=counts,
        tools={name: ToolCount(count, count, dice.randrange(2), 0) for name, count in calls.items()},
    )


def build(root: Path, count: int) -> None:
    """A store of conversations, committed at once, and used once."""
    dice, end = random.Random(1), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with Store.init(root) as store:
        for name in PROJECTS:
            projects.add(store, name=name)
    for _ in range(count):
        one = conversation(dice, end)
        path = KIND.path_of(project=dice.choice(PROJECTS), month=one.month, id=one.id)
        put(root, {path: Record.make(path, dump(one)).raw})
    git(root, "-c", "core.fsync=none", "add", "-A")
    git(root, "-c", "core.fsync=none", "commit", "-q", "-m", f"{count} conversations")
    settle(root)


def measured(root: Path, count: int) -> list[Row]:
    """The rows, each in turn with `sbfs --help`."""
    rows = []
    for arguments in ([], ["--by", "day,model"], ["--window", "7,30,90"]):
        command = ["conversation", "stats", *arguments]
        actions = [
            lambda command=command: run(SBFS, "--store", root, *command, "--json"),
            lambda command=command: run(SBFS, "--store", root, *command),
            lambda: run(SBFS, "--help"),
        ]
        document, spoken, least = interleave(RUNS, *actions)
        name = " ".join(("sbfs", *command))
        rows.append(Row(f"`{name} --json`", count, document, "`sbfs --help`:", least, document.median, LIMIT))
        rows.append(Row(f"`{name}`", count, spoken, "`sbfs --help`:", least, spoken.median, LIMIT))
    return rows


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=CONVERSATIONS, help="conversations (%(default)s)")
    parser.add_argument("--json", type=Path, default=Path("conversation_stats.json"), help="where the document goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clean_environment(Path(folder))
        root = Path(folder) / "store"
        build(root, given.count)
        rows = measured(root, given.count)
        document = {**report(rows, [given.count], Path(folder)), "command": "python benchmarks/conversation_stats.py"}
    write_json(given.json, document)
    print(table(rows))


if __name__ == "__main__":
    main()
