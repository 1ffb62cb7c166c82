"""A store's numbers as plain data: what `--json` prints, and what the dashboard shows."""

from __future__ import annotations

from typing import Any

from sbfs import times
from sbfs.documents import statistics
from sbfs.stats import Code, Mail, Numbers, Score

Document = dict[str, Any]


def document(found: Numbers) -> Document:
    """`{numbers}`: a mapping for each part, each with what it was counted from."""
    by_day = statistics.document(found.conversations_by_day)["stats"]["by"]
    numbers = {
        "revision": found.revision,
        "since": times.dump(found.since),
        "until": times.dump(found.until),
        "projects": found.projects,
        "mail": _mail(found.mail),
        "conversations": {**statistics.document(found.conversations)["stats"], "by_day": by_day},
        "quality": [_score(one) for one in found.quality],
        "activity": vars(found.activity),
        "code": [_code(one) for one in found.code],
    }
    answer: Document = {"numbers": numbers}
    if found.unreadable:
        answer["unreadable"] = [{"path": path, "error": why} for path, why in found.unreadable]
    return answer


def _mail(mail: Mail) -> Document:
    flows = [vars(flow) for flow in mail.flows]
    boxes = [vars(box) for box in mail.boxes]
    return {**vars(mail), "by_day": dict(mail.by_day), "flows": flows, "boxes": boxes}


def _code(one: Code) -> Document:
    return {**vars(one), "counts": dict(one.counts), "before": None if one.before is None else dict(one.before)}


def _score(one: Score) -> Document:
    return {**vars(one), "points": [{"timestamp": when, "score": score} for when, score in one.points]}
