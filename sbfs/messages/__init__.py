"""Mail between projects: each message lies in its sender's outbox and its recipient's inbox.

The outbox's copy is written once; the inbox's carries `status` and is otherwise the same. Verbs that
write are in `writing`, verbs that read in `reading`.
"""

from sbfs.messages.exporting import export
from sbfs.messages.reading import count, list, show, thread
from sbfs.messages.value import INBOX, OUTBOX, PRIORITIES, STATUSES, TYPES, Attachment, Message
from sbfs.messages.writing import Sent, archive, edit, forward, mark, read, remove, reply, send

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
