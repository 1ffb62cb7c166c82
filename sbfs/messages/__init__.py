"""Mail between projects: each message lies in its sender's outbox and its recipient's inbox.

The outbox's copy is written once; the inbox's carries `status` and is otherwise the same. Verbs that
write are in `writing`, verbs that read in `reading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.messages.exporting import export as export
    from sbfs.messages.reading import count as count
    from sbfs.messages.reading import list as list
    from sbfs.messages.reading import show as show
    from sbfs.messages.reading import thread as thread
    from sbfs.messages.value import INBOX as INBOX
    from sbfs.messages.value import OUTBOX as OUTBOX
    from sbfs.messages.value import PRIORITIES as PRIORITIES
    from sbfs.messages.value import STATUSES as STATUSES
    from sbfs.messages.value import TYPES as TYPES
    from sbfs.messages.value import Attachment as Attachment
    from sbfs.messages.value import Message as Message
    from sbfs.messages.writing import Sent as Sent
    from sbfs.messages.writing import archive as archive
    from sbfs.messages.writing import edit as edit
    from sbfs.messages.writing import forward as forward
    from sbfs.messages.writing import mark as mark
    from sbfs.messages.writing import read as read
    from sbfs.messages.writing import remove as remove
    from sbfs.messages.writing import reply as reply
    from sbfs.messages.writing import send as send

__all__ = [
    "INBOX",
    "OUTBOX",
    "PRIORITIES",
    "STATUSES",
    "TYPES",
    "Attachment",
    "Message",
    "Sent",
    "archive",
    "count",
    "edit",
    "export",
    "forward",
    "list",
    "mark",
    "read",
    "remove",
    "reply",
    "send",
    "show",
    "thread",
]

__getattr__ = names_of(
    __name__,
    {
        "exporting": "export",
        "reading": "count list show thread",
        "value": "INBOX OUTBOX PRIORITIES STATUSES TYPES Attachment Message",
        "writing": "Sent archive edit forward mark read remove reply send",
    },
)
