"""What search knows of one record, or of one turn of a conversation; domains make it, search takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One thing that can be found.

    id: of the record, of a turn `<conversation>#<turn>`. project: that owns the file, or "". path: of the
    file. timestamp: UTC text as records write it, of mail when it was delivered; "" is unknown. group: the
    conversation's or thread's id, by which results are grouped; "" stands alone. seq: place within the group,
    which no other entry of it has, for neighbours; 0 for none. speaker: who says it. identifiers: names of
    code. tool_text: inputs and results of tools. thinking: searched only when asked for. facets: word → value
    or values to filter by. quality: 0 to 100, None where not measured. due: not to be found before this time.
    parent: a turn's conversation. local_id: the id that a transcript gave a turn. extra: what a result says of it
    besides, JSON values under names of their own; not searched.
    """

    id: str
    kind: str
    project: str
    path: str
    title: str = ""
    timestamp: str = ""
    group: str = ""
    seq: int = 0
    speaker: str = ""
    text: str = ""
    identifiers: str = ""
    tool_text: str = ""
    thinking: str = ""
    facets: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    quality: float | None = None
    due: str = ""
    parent: str = ""
    local_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
