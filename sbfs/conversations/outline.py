"""What helps people to find their way in a conversation: sections, and a line on each tool call.

All forms of an export and the view in the terminal are made of these; nothing here knows how they look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sbfs.conversations.value import Commit, Conversation, Part, SubAgent, Turn

Lines = Mapping[str, Sequence[Turn]]
"""A conversation's turns by line: `messages` is the conversation itself, `agent-<id>` are its sub-agents'."""

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "shell": ("Bash", "shell", "exec_command", "local_shell", "local_shell_call", "run_shell_command"),
    "edit": ("Edit", "MultiEdit", "str_replace_based_edit_tool", "replace"),
    "patch": ("apply_patch",),
    "write": ("Write", "write_file"),
    "read": ("Read", "read_file", "NotebookRead"),
    "search": ("Grep", "Glob", "LS", "glob", "search_file_content", "list_directory"),
    "todo": ("TodoWrite", "update_plan", "write_todos"),
    "agent": ("Task", "Agent"),
    "web": ("WebFetch", "WebSearch", "web_fetch", "google_web_search", "web_search"),
}
"""What tools of the known agents do → their names."""

_ACTION_OF = {name: action for action, names in ACTIONS.items() for name in names}
_PATHS = ("file_path", "notebook_path", "absolute_path", "path", "dir_path")


@dataclass(frozen=True)
class Section:
    """A prompt or a compaction, and what followed it. number: of the prompt, from 1; 0 of other sections.
    turns: with the opening one, which only what came before the first prompt has not."""

    number: int
    turns: tuple[Turn, ...]

    @property
    def opening(self) -> Turn | None:
        """The turn that begins it."""
        return self.turns[0] if opens(self.turns[0]) else None


def opens(turn: Turn) -> bool:
    """Whether a turn begins a section: typed by a person, or a summary of all that was before."""
    return turn.is_prompt or (turn.origin == "compaction" and turn.role != "system" and bool(turn.text))


def sections(turns: Iterable[Turn]) -> tuple[Section, ...]:
    """The turns of a line in sections, all of them, in their order."""
    found: list[list[Turn]] = []
    for turn in turns:
        if opens(turn) or not found:
            found.append([])
        found[-1].append(turn)
    prompts = 0
    made = []
    for group in found:
        prompts += group[0].is_prompt
        made.append(Section(prompts if group[0].is_prompt else 0, tuple(group)))
    return tuple(made)


def shown(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The turns that have anything to show. Some responses hold line breaks only, or thinking that was not
    kept; that a conversation was compacted is said by the summary, where there is one; and a notification
    was shown when it came, not when it reached the agent."""
    found = [turn for turn in turns if _says_something(turn)]
    prompts = {turn.id for turn in found if turn.is_prompt}
    kept = [turn for turn in found if turn.origin != "delivery" or turn.of in prompts]
    pairs = zip(kept, [*kept[1:], None], strict=True)
    return tuple(one for one, after in pairs if not (_is_boundary(one) and after and after.origin == "compaction"))


def _says_something(turn: Turn) -> bool:
    return turn.origin in ("interruption", "delivery", "compaction") or any(
        part.type in ("tool_call", "tool_result", "image", "raw") or part.text.strip() for part in turn.parts
    )


def _is_boundary(turn: Turn) -> bool:
    return turn.origin == "compaction" and turn.role == "system"


# -- tools -----------------------------------------------------------------------------------------


def action(call: Part) -> str:
    """What a call does: a key of ACTIONS, or ""."""
    return _ACTION_OF.get(call.name, "")


def tally(turns: Iterable[Turn], most: int = 99) -> str:
    """`3 Bash · 2 Read`: the tools that were called, the most used first. most: of more, the rest is summed up."""
    counts = Counter(call.name or "tool" for turn in turns for call, _ in turn.calls).most_common()
    words = [f"{count} {name}" for name, count in counts[:most]]
    rest = sum(count for _, count in counts[most:])
    return " · ".join([*words, f"{rest} more"] if rest else words)


def field(call: Part, *names: str) -> str:
    """The first of these fields of a call's input that holds text, or ""."""
    if not isinstance(call.input, Mapping):
        return ""
    return next((value for name in names if isinstance(value := call.input.get(name), str) and value), "")


def path_of(call: Part, folders: Sequence[str] = ()) -> str:
    """The file or folder that a call is about, without the conversation's own folder before it."""
    path = field(call, *_PATHS)
    inside = [folder for folder in folders if path.startswith(folder.rstrip("/") + "/")]
    return path[len(max(inside, key=len).rstrip("/")) + 1 :] if inside else path


def command_of(call: Part) -> str:
    """What a shell was told."""
    if isinstance(call.input, str):
        return call.input
    words = call.input.get("command") if isinstance(call.input, Mapping) else None
    if isinstance(words, list | tuple):
        # Codex gives ["bash", "-lc", "<script>"].
        texts = [str(word) for word in words]
        return texts[2] if len(texts) == 3 and texts[1] in ("-lc", "-c") else " ".join(texts)
    return field(call, "command", "cmd", "script")


def tasks_of(call: Part) -> tuple[tuple[str, str], ...]:
    """(text, status) of a to-do list; status: `completed`, `in_progress`, `pending`, or another word."""
    tasks = call.input.get("todos") or call.input.get("plan") if isinstance(call.input, Mapping) else None
    if not isinstance(tasks, list | tuple):
        return ()
    found = [task for task in tasks if isinstance(task, Mapping)]
    return tuple((_first(task, "content", "step", "description"), _first(task, "status")) for task in found)


def _first(task: Mapping[str, Any], *names: str) -> str:
    return next((str(task[name]) for name in names if task.get(name)), "")


def about(call: Part, folders: Sequence[str] = ()) -> str:
    """One line on what a call is about, whatever tool it is: `Run the tests`, `src/app.py`, `TODO in src`."""
    return one_line(_about(call, folders))


def _about(call: Part, folders: Sequence[str]) -> str:
    match action(call):
        case "shell":
            return field(call, "description") or command_of(call)
        case "read":
            return path_of(call, folders) + _range(call)
        case "edit" | "write":
            return path_of(call, folders)
        case "search":
            what, where = field(call, "pattern", "query"), field(call, "glob", "include")
            place = path_of(call, folders) or where
            return f"{what} in {place}" if what and place else what or place
        case "todo":
            tasks = tasks_of(call)
            return f"{sum(status == 'completed' for _, status in tasks)} of {len(tasks)} done" if tasks else ""
        case "patch":
            return ", ".join(
                line.split(": ", 1)[1] for line in patch_of(call).splitlines() if line[:4] == "*** " and ": " in line
            )
        case _:
            known = field(call, "description", "query", "url", "prompt", "title", "subject", "name", "task_id")
            return known or path_of(call, folders) or _any_text(call.input)


def _range(call: Part) -> str:
    first, count = (call.input.get(name) if isinstance(call.input, Mapping) else None for name in ("offset", "limit"))
    if not isinstance(first, int) and not isinstance(count, int):
        return ""
    begin = first if isinstance(first, int) else 1
    return f":{begin}–{begin + count - 1}" if isinstance(count, int) else f":{begin}–"


def patch_of(call: Part) -> str:
    """The text of a patch."""
    return call.input if isinstance(call.input, str) else field(call, "input", "patch")


def _any_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return ""
    return next((f"{key}: {one}" for key, one in value.items() if isinstance(one, str | int) and one != ""), "")


def outcome(result: Part | None) -> str:
    """How a call ended: `24 lines`, `error`, `interrupted`, `no result`, or "" for a short word."""
    if result is None:
        return "no result"
    if result.error:
        return "interrupted" if result.interrupted else "error"
    lines = result.text.strip("\n").count("\n") + 1
    return f"{lines:,} lines" if lines > 1 else ""


# -- what belongs to a turn ------------------------------------------------------------------------


def subagents_by_call(conversation: Conversation, lines: Lines) -> dict[str, tuple[SubAgent, ...]]:
    """Id of the tool call that began it → sub-agents. Of those whose call is unknown, ""; none that compact."""
    calls = {call.id for turns in lines.values() for turn in turns for call, _ in turn.calls if call.id}
    results = {
        part.agent: part.id
        for turns in lines.values()
        for turn in turns
        for part in turn.parts
        if part.agent and part.id
    }
    found: dict[str, tuple[SubAgent, ...]] = {}
    for agent in conversation.subagents:
        if not agent.compaction:
            call = agent.call or results.get(agent.id, "")
            call = call if call in calls else ""
            found[call] = (*found.get(call, ()), agent)
    return found


def commits_by_turn(conversation: Conversation, turns: Iterable[Turn]) -> dict[str, tuple[Commit, ...]]:
    """Id of a turn of the main line → commits made in it, by its sub-agents too."""
    turn_of_call = {call.id: turn.id for turn in turns for call, _ in turn.calls}
    turn_of_agent = {agent.id: turn_of_call.get(agent.call, "") for agent in conversation.subagents}
    found: dict[str, tuple[Commit, ...]] = {}
    for commit in conversation.commits:
        turn = turn_of_agent.get(commit.agent, "") if commit.agent else commit.turn
        found[turn] = (*found.get(turn, ()), commit)
    return found


# -- words -----------------------------------------------------------------------------------------


def one_line(text: str, width: int = 200) -> str:
    """The first line that says something, cut at `width` characters."""
    line = next((line.strip() for line in text[:10_000].splitlines() if line.strip()), "")
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def span(milliseconds: int) -> str:
    """`45 min`, `1 h 15 min`, `12 s`."""
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def clock(timestamp: str) -> str:
    """`20:36:45` of a time as records write it."""
    return timestamp[11:19]


def day(timestamp: str) -> str:
    """`2026-02-11` of a time as records write it."""
    return timestamp[:10]


def counted(number: int, noun: str) -> str:
    """`1 prompt`, `1,200 prompts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def tallies(conversation: Conversation) -> Iterator[str]:
    """`4 prompts`, `152 messages` …: what is counted of a conversation, where there is any."""
    facts = conversation.facts
    counts = {
        "prompt": facts.prompts,
        "message": facts.messages,
        "tool call": facts.tool_calls,
        "commit": facts.commits,
        "compaction": facts.compactions,
        "sub-agent": sum(not agent.compaction for agent in conversation.subagents),
    }
    return (counted(number, noun) for noun, number in counts.items() if number)
