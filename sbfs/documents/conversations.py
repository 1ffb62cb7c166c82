"""What the verbs of conversations answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sbfs import times
from sbfs.conversations.value import SubAgent, Tokens, dump, dump_turn, tool_usage
from sbfs.store import Page

if TYPE_CHECKING:
    from sbfs.conversations.importing import Grown, Imported
    from sbfs.conversations.reading import Listed, Shown

Document = dict[str, Any]


def imported(done: Imported) -> Document:
    """What an import came to."""
    states = [one.state for one in done.conversations]
    document: Document = {
        "conversations": [_grown(one) for one in done.conversations],
        "count": len(done.conversations),
        **{state: states.count(state) for state in ("new", "grown", "known")},
        "skipped": [{"path": path, "why": why} for path, why in done.skipped],
        "unreadable": [{"path": path, "line": line, "error": why} for path, line, why in done.unreadable],
        "unreadable_count": done.unreadable_count,
        "waiting": [*done.waiting],
        "repeated": done.repeated,
        "dry_run": done.dry_run,
    }
    if done.dry_run:
        document["secrets"] = [{"path": path, "placeholder": mark, "masked": said} for path, mark, said in done.masked]
    return {**document, **({"redacted": done.redacted} if done.redacted else {})}


def _grown(one: Grown) -> Document:
    conversation = one.conversation
    return {
        "id": conversation.id,
        "project": one.project,
        "title": conversation.title,
        "agent": conversation.agent,
        "state": one.state,
        "entries": one.entries,
        "prompts": conversation.facts.prompts,
        "messages": conversation.facts.messages,
    }


def page(found: Page) -> Document:
    """A list of conversations."""
    document: Document = {"conversations": [_listed(one) for one in found.items], "count": len(found.items)}
    document |= {"total": found.total, "next": found.next}
    if found.unreadable:
        document["unreadable"] = [{"path": path, "error": why} for path, why in found.unreadable]
    return document


def _listed(one: Listed) -> Document:
    header, facts = one.header, one.header.facts
    document = {
        "id": header.id,
        "project": header.project,
        "title": header.title,
        "agent": header.agent,
        "model": header.models[0] if header.models else None,
        "models": header.models,
        "timestamp": header.started or None,
        "ended": header.ended or None,
        "duration_ms": _elapsed(header.started, header.ended),
        "active_ms": facts.active_ms,
        "branches": header.branches,
        "prompts": facts.prompts,
        "messages": facts.messages,
        "commits": facts.commits,
        "tokens": tokens(facts.tokens),
        "tool_usage": tool_usage(facts),
        "quality_score": header.quality,
        "path": header.path,
    }
    return document if one.subagents is None else {**document, "subagents": [_subagent(side) for side in one.subagents]}


def _elapsed(started: str, ended: str) -> int | None:
    if not started or not ended:
        return None
    return round((times.load(ended) - times.load(started)).total_seconds() * 1000)


def tokens(count: Tokens) -> Document:
    """Tokens of the four sorts."""
    return {name: getattr(count, name) for name in ("input", "output", "cache_creation", "cache_read")}


def _subagent(side: SubAgent) -> Document:
    return {**vars(side), "tokens": tokens(side.tokens)}


def shown(one: Shown) -> Document:
    """A conversation with turns."""
    document: Document = {
        "conversation": dump(one.conversation),
        "project": one.project,
        "path": one.path,
        "edited": one.edited,
        "turns": [dump_turn(each) for each in one.turns],
        "count": len(one.turns),
        "total": one.total,
        "next": one.next,
    }
    if one.subagents:
        document["subagents"] = {id: [dump_turn(each) for each in turns] for id, turns in one.subagents.items()}
    return document
