"""Several entries, one turn: streaming chunks of a response become one message, results join their calls.

The rule of counting, and of what a copy is, is ccusage's present one (https://github.com/ryoppippi/ccusage),
reached there over several that counted too much or too little:

1. An answer is counted once for each pair of message and request; no request is a value of its own.
2. Of the same pair, the entry with the largest sum of tokens counts; on a tie, the one that says its speed.
3. The same message under another request, where either is on a side conversation: a side conversation
   replays its parent's messages, so it is one, and the one that is not on the side counts.

Content is kept by message: the blocks of all its entries, in their order.
"""

from __future__ import annotations

from typing import Any

from sbfs.transcripts.events import Event, Plain


def begin(event: Event) -> Plain:
    """A turn of its first entry. Its place, and where it was said, are added by whoever keeps it."""
    turn: Plain = {"id": event.turn, "role": event.role, "origin": event.origin}
    optional = {
        "timestamp": event.timestamp,
        "name": event.name,
        "model": event.model,
        "sidechain": event.sidechain,
        "speed": event.speed,
        "request": event.request,
        "tokens": event.usage,
        "facts": event.facts,
    }
    turn.update({key: value for key, value in optional.items() if value})
    if event.turn != event.id:
        turn["entries"] = [event.id]
    turn["content"] = list(event.parts)
    return turn


def add(turn: Plain, event: Event) -> None:
    """One more entry of a turn that has begun."""
    copied = bool(turn.get("sidechain")) != event.sidechain
    _note(turn, event.id, event.timestamp)
    content = turn.pop("content")
    if event.facts:
        turn["facts"] = {**turn.get("facts", {}), **event.facts}
    if event.model and not turn.get("model"):
        turn["model"] = event.model
    turn["content"] = content + [part for part in event.parts if not (copied and part in content)]
    if event.usage is not None:
        _count(turn, event, copied)
    if copied:
        turn.pop("sidechain", None)


def replace(turn: Plain, event: Event) -> Plain:
    """The turn as an entry that says all of it has it now; its place stays."""
    kept = {name: turn[name] for name in ("seq", "folder", "branch", "version") if name in turn}
    fresh = begin(event)
    content = fresh.pop("content")
    place = {"seq": kept.pop("seq")} if "seq" in kept else {}
    return place | fresh | kept | {"content": content}


def attach(turn: Plain, part: Plain, event: Event) -> None:
    """The result of a call, in the turn that called."""
    _note(turn, event.id, event.timestamp)
    turn["content"].append(part)


def _note(turn: Plain, entry: str, timestamp: str) -> None:
    content = turn.pop("content")
    if entry not in (known := turn.setdefault("entries", [])):
        known.append(entry)
    if timestamp > str(turn.get("ended", turn.get("timestamp", ""))):
        turn["ended"] = timestamp
    turn["content"] = content


def _count(turn: Plain, event: Event, copied: bool) -> None:
    counted = requests(turn)
    mine: Plain = {"request": event.request, "speed": event.speed, "tokens": event.usage}
    same = next((one for one in counted if one["request"] == event.request), None)
    if same is not None:
        if _weight(mine) > _weight(same):
            same.update(mine)
    elif not copied:
        counted.append(mine)
    elif turn.get("sidechain"):
        counted = [mine]
    _write(turn, counted)


def _weight(one: Plain) -> tuple[int, bool]:
    return total(one["tokens"]), bool(one["speed"])


def total(tokens: Plain) -> int:
    """The sum of the four sorts."""
    return sum(tokens.get(sort, 0) for sort in ("input", "output", "cache_creation", "cache_read"))


def requests(turn: Plain) -> list[Plain]:
    """What is counted of a turn: `request`, `speed` and `tokens` of each answer in it; most have one."""
    if "requests" in turn:
        return [{"request": "", "speed": "", "tokens": {}} | one for one in turn["requests"]]
    if "tokens" not in turn:
        return []
    return [{"request": turn.get("request", ""), "speed": turn.get("speed", ""), "tokens": turn["tokens"]}]


def _write(turn: Plain, counted: list[Plain]) -> None:
    said = [{key: value for key, value in one.items() if value or key == "tokens"} for one in counted]
    many = {"tokens": sum_tokens([one["tokens"] for one in counted]), "requests": said}
    for key in ("request", "speed", "tokens", "requests"):
        turn.pop(key, None)
    # The content stays last, where people look for it.
    turn |= {**(said[0] if len(said) == 1 else many), "content": turn.pop("content")}


def sum_tokens(many: list[Plain]) -> Plain:
    """Tokens by sort, added."""
    found: dict[str, Any] = {}
    for tokens in many:
        for sort, count in tokens.items():
            found[sort] = found.get(sort, 0) + count
    return found
