"""What is counted of a line of turns: a fold over them in their order, so that it can be taken up anywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sbfs.conversations.value import PROMPTS, Commit, Facts, ModelCount, Tokens, ToolCount
from sbfs.fetching import pattern
from sbfs.transcripts import merging

Plain = dict[str, Any]

GAP = 300_000
"""Milliseconds up to which a gap between two entries counts as work, where no duration is recorded."""

TITLE = 100
"""Characters of a title that is made from a prompt."""

_COMMIT = pattern(r"^\[([^\]\s]+)(?: \(root-commit\))? ([0-9a-f]{7,40})\] (.+)$", re.M)
"""How `git commit` tells of what it made."""

_REDACTED = pattern(r"\[redacted:([a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*)")

_TASKS = ("Task", "Agent")
"""Tools that begin a sub-agent."""

_COUNTS = ("prompts", "messages", "turns", "thinking", "interruptions", "compactions")


@dataclass
class Hour:
    """What is counted of one hour. models and tools: name → counts, in the order of the dataclasses in `value`.
    durations, gaps: milliseconds; which of them is the active time shows at the end."""

    counts: Counter[str] = field(default_factory=Counter)
    models: dict[str, list[int]] = field(default_factory=dict)
    tools: dict[str, list[int]] = field(default_factory=dict)
    side: list[int] = field(default_factory=lambda: [0] * 6)
    durations: int = 0
    gaps: int = 0

    def facts(self, *, recorded: bool) -> Facts:
        """The same as facts. recorded: whether any duration is recorded in the whole line."""
        return Facts(
            **{name: self.counts[name] for name in _COUNTS},
            active_ms=self.durations if recorded else self.gaps,
            models={name: _model_count(row) for name, row in self.models.items()},
            tools={name: ToolCount(*row) for name, row in self.tools.items()},
            subagents=_model_count(self.side),
        )


def _model_count(row: list[int]) -> ModelCount:
    return ModelCount(row[0], Tokens(*row[1:]))


@dataclass
class Task:
    """A sub-agent as its parent tells of it."""

    call: str
    kind: str
    description: str
    reported_tokens: int | None


@dataclass
class Tally:
    """The counts of one line, as far as turns were added. agent: the sub-agent whose line it is, "" for the
    main one; compaction: whether that agent only summed up."""

    agent: str = ""
    compaction: bool = False
    turns: int = 0
    hours: dict[str, Hour] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)
    branches: dict[str, None] = field(default_factory=dict)
    folders: dict[str, None] = field(default_factory=dict)
    versions: dict[str, None] = field(default_factory=dict)
    redacted: Counter[str] = field(default_factory=Counter)
    commits: list[Commit] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    summaries: list[tuple[str, str]] = field(default_factory=list)
    first: str = ""
    last: str = ""
    branch: str = ""
    recorded: bool = False
    _latest: datetime | None = None
    _begun: dict[str, tuple[str, str]] = field(default_factory=dict)
    _at_boundary: bool = False

    # -- adding

    def add(self, turn: Plain, raw: bytes) -> None:
        """One more turn; raw: its line as it is kept."""
        self.turns += 1
        self._place(turn)
        when = turn.get("timestamp", "")
        hour = self._hour(when)
        self._time(when)
        hour.counts["turns"] += not self.agent
        origin = turn.get("origin")
        if origin in PROMPTS and not self.agent and not turn.get("sidechain"):
            hour.counts["prompts"] += 1
            self.titles.setdefault("prompt", _first_line(turn))
        if origin == "interruption":
            hour.counts["interruptions"] += 1
            self._duration(turn.get("facts", {}), hour)
        if turn.get("role") == "assistant":
            # What was too large for one turn goes on in another, and is counted with the first.
            if not turn.get("of"):
                self._answer(turn, hour)
        elif origin == "compaction":
            self._compaction(turn, hour)
        elif turn.get("role") == "system":
            self._notice(turn, hour)
        self._parts(turn, when)
        self._time(turn.get("ended", ""))
        if b"[redacted:" in raw:
            self.redacted.update(_REDACTED.findall(raw.decode()))

    def _place(self, turn: Plain) -> None:
        if branch := turn.get("branch"):
            self.branch = branch
            self.branches[branch] = None
        if folder := turn.get("folder"):
            self.folders[folder] = None
        if version := turn.get("version"):
            self.versions[version] = None

    def _hour(self, when: str) -> Hour:
        return self.hours.setdefault(when[:13], Hour())

    def _time(self, when: str) -> None:
        if not when:
            return
        self.first = min(self.first or when, when)
        self.last = max(self.last, when)
        now = datetime.fromisoformat(when)
        if not self.agent and self._latest is not None and now > self._latest:
            gap = round((now - self._latest).total_seconds() * 1000)
            self._hour(when).gaps += gap if gap < GAP else 0
        self._latest = max(now, self._latest or now)

    def _answer(self, turn: Plain, hour: Hour) -> None:
        side = not self.compaction and bool(self.agent or turn.get("sidechain"))
        counted = merging.requests(turn) or [{"speed": "", "tokens": {}}]
        name = turn.get("model", "")
        synthetic = turn.get("origin") == "error" and (not name or name.startswith("<"))
        for one in counted:
            model = f"{name}-fast" if one["speed"] == "fast" else name
            row = [1, *(one["tokens"].get(sort, 0) for sort in Tokens.__dataclass_fields__)]
            hour.counts["messages"] += 1
            if not synthetic:
                self.models.setdefault(model)
                _add(hour.models, model, row)
            if side:
                hour.side[:] = map(sum, zip(hour.side, row, strict=True))
        hour.counts["thinking"] += any(part.get("type") == "thinking" for part in turn["content"])

    def _compaction(self, turn: Plain, hour: Hour) -> None:
        # A boundary, then the summary: together they are one.
        boundary = turn.get("role") == "system"
        hour.counts["compactions"] += boundary or not self._at_boundary
        self._at_boundary = boundary

    def _notice(self, turn: Plain, hour: Hour) -> None:
        name, facts = turn.get("name", ""), turn.get("facts", {})
        if name == "turn_duration":
            self._duration(facts, hour)
        elif name == "summary":
            self.summaries.append((str(facts.get("leafUuid", "")), _first_line(turn)))
        elif name.endswith("-title"):
            self.titles[name] = _first_line(turn)

    def _duration(self, facts: Plain, hour: Hour) -> None:
        if isinstance(spent := facts.get("durationMs"), int):
            hour.durations += spent
            self.recorded = True

    def _parts(self, turn: Plain, when: str) -> None:
        for part in turn["content"]:
            type = part.get("type")
            if type == "tool_call":
                _add(self._hour(when).tools, part.get("name", ""), [1, 0, 0, 0])
                self._begin_task(part)
            elif type == "tool_result":
                self._result(turn, part, part.get("timestamp") or when)

    def _begin_task(self, part: Plain) -> None:
        given = part.get("input")
        if part.get("name") in _TASKS and isinstance(given, dict):
            said = (given.get("subagent_type"), given.get("description"))
            self._begun[part.get("id", "")] = tuple(one if isinstance(one, str) else "" for one in said)  # type: ignore[assignment]

    def _result(self, turn: Plain, part: Plain, when: str) -> None:
        error = bool(part.get("error"))
        row = [0, 1, error, error and bool(part.get("interrupted"))]
        _add(self._hour(when).tools, part.get("name", ""), row)
        self._time(when)
        if agent := part.get("agent"):
            call = part.get("id", "")
            used = part.get("details", {}).get("totalTokens")
            kind, description = self._begun.pop(call, ("", ""))
            self.tasks[agent] = Task(call, kind, description, used if isinstance(used, int) else None)
        text = part.get("text", "")
        if "] " in text and "[" in text:
            for branch, hash, subject in _COMMIT.findall(text):
                self.commits.append(Commit(hash, subject.strip(), branch, turn["id"], self.agent, when))

    # -- the outcome

    def facts(self) -> dict[str, Facts]:
        """UTC hour → what is counted, in the order of time."""
        return {hour: self.hours[hour].facts(recorded=self.recorded) for hour in sorted(self.hours)}

    def title(self, is_own: Callable[[str], bool]) -> str:
        """By a person, by the agent, by a summary of one of its own entries, or by its first prompt."""
        own = [text for leaf, text in self.summaries if is_own(leaf)]
        said = (self.titles.get("custom-title"), self.titles.get("ai-title"), *own[-1:], self.titles.get("prompt"))
        return next((one for one in said if one), "")


def _add(rows: dict[str, list[int]], name: str, row: list[int]) -> None:
    rows[name] = (
        [one + other for one, other in zip(rows[name], row, strict=True)] if name in rows else list(map(int, row))
    )


def _first_line(turn: Plain) -> str:
    texts = (part["text"] for part in turn["content"] if part.get("type") == "text")
    line = next((" ".join(line.split()) for text in texts for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"


def sum_hours(tallies: Iterable[Tally], commits: Iterable[Commit]) -> dict[str, Facts]:
    """UTC hour → what is counted in all lines, and the commits, which several of them may tell of."""
    found: dict[str, Facts] = {}
    for hour, facts in _all_hours(tallies, commits):
        found[hour] = found[hour] + facts if hour in found else facts
    return dict(sorted(found.items()))


def _all_hours(tallies: Iterable[Tally], commits: Iterable[Commit]) -> Iterator[tuple[str, Facts]]:
    for tally in tallies:
        yield from tally.facts().items()
    for commit in commits:
        yield commit.timestamp[:13], Facts(commits=1)
