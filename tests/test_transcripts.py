"""Transcripts into events, and entries into turns: each format's quirks, and whatever is broken in a file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcript_helpers import GIVEN, LONG, PARTS, SMALL, answered, said, write

from sbfs.errors import Failed, Invalid
from sbfs.transcripts import claude_code, codex, finding, gemini, jsonl, lines, merging
from sbfs.transcripts.events import Cursor, Event, Transcript, moment


def read(path: Path, format: str = "auto") -> list[Event]:
    """All events of one file."""
    (transcript,) = finding.transcripts(path, format)
    return [event for event, _ in finding.events(transcript, Cursor())]


def origins(path: Path) -> list[str]:
    """What its entries are."""
    return [event.origin for event in read(path) if not event.left_out and not event.trouble]


# -- finding -----------------------------------------------------------------------------------------


def test_a_folder_is_read_by_looking_into_its_files(tmp_path: Path) -> None:
    """A format guessed from a name, a file of something else that stops the folder, an agent that is a session."""
    for part in PARTS:
        (tmp_path / "p" / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / part).write_bytes((GIVEN / part).read_bytes())
    write(tmp_path / "p" / "history.jsonl", {"display": "x", "project": "/x"})
    (tmp_path / "p" / "sessions-index.json").write_text("{}")
    (tmp_path / "p" / "empty.jsonl").write_bytes(b"")
    (tmp_path / "p" / "notes.json").write_bytes(b"\xff\xfe\0\0")
    found = sorted((one.session, one.agent, one.compaction) for one in finding.transcripts(tmp_path))
    assert found == [(LONG, "", False), (LONG, "a881341", False), (LONG, "acompact-fffbd0", True), (SMALL, "", False)]


def test_what_is_no_transcript_is_told(tmp_path: Path) -> None:
    """A file that is named and silently passed over, or a wrong word that is another error."""
    for raw in (b"hello\n", b"\0\1\2\xff" * 100, b"[]\n", b'{"a": 1}\n'):
        file = tmp_path / "x.jsonl"
        file.write_bytes(raw)
        with pytest.raises(Invalid) as caught:
            list(finding.transcripts(file))
        assert (caught.value.path, "--format" in caught.value.hint) == (str(file), True)
    with pytest.raises(Invalid, match="none of auto"):
        list(finding.transcripts(file, "csv"))
    with pytest.raises(Failed, match="no such file"):
        list(finding.transcripts(tmp_path / "nothing"))
    (tmp_path / "empty.jsonl").write_bytes(b"")
    assert list(finding.transcripts(tmp_path / "empty.jsonl")) == []


# -- lines -------------------------------------------------------------------------------------------


def test_lines_that_cannot_be_read_are_named_and_passed_over(tmp_path: Path) -> None:
    """One bad line that hides the rest, or stops the import (section 4 of any reader's experience)."""
    deep = b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    bad = [
        b"{",
        b"[1]",
        b'"text"',
        b"nul",
        b'{"a": 1' + b"0" * 5000 + b"}",
        deep,
        b'{"a": ' + b"[" * 150 + b"]" * 150 + b"}",
    ]
    file = write(tmp_path / "x.jsonl", {"n": 1}, *bad, {"n": 2})
    found = [
        (entry and entry.get("n"), bool(trouble), cursor.line) for entry, trouble, cursor in lines.read(file, Cursor())
    ]
    assert found == [(1, False, 1), *((None, True, number) for number in range(2, 9)), (2, False, 9)]


def test_ends_marks_and_runs_of_nul_are_no_content(tmp_path: Path) -> None:
    """CRLF, a byte order mark, NUL after a crash, blank lines, invalid UTF-8: read as damage, or kept."""
    raw = b'\xef\xbb\xbf{"n": 1}\r\n\r\n\0\0\0\0{"n": 2}\n\0\0\0\n{"n": "\xff"}\n   \n'
    file = tmp_path / "x.jsonl"
    file.write_bytes(raw)
    assert [entry["n"] for entry, trouble, _ in lines.read(file, Cursor()) if not trouble] == [1, 2, "\ufffd"]


def test_half_a_line_waits(tmp_path: Path) -> None:
    """A line that is imported before it is whole, or a cursor that stands behind it."""
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"n": 1}\n{"n": 2')
    ((_, _, cursor),) = lines.read(file, Cursor())
    assert (cursor.offset, lines.is_waiting(file, cursor.offset)) == (9, True)
    file.write_bytes(b'{"n": 1}\n{"n": 2}\n')
    ((entry, _, cursor),) = lines.read(file, cursor)
    assert (entry, cursor.line, lines.is_waiting(file, cursor.offset)) == ({"n": 2}, 2, False)


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of a hundred megabytes that fills the memory, or becomes a file that no host takes (failure mode 46)."""
    monkeypatch.setattr(lines, "LONGEST", 1000)
    file = write(tmp_path / "x.jsonl", {"n": 1}, b'{"n": "' + b"x" * 5_000_000 + b'"}', {"n": 2})
    found = [(entry, trouble) for entry, trouble, _ in lines.read(file, Cursor())]
    assert found == [({"n": 1}, ""), (None, "is longer than 1000 bytes"), ({"n": 2}, "")]
    file.write_bytes(b'{"n": "' + b"x" * 5_000_000)
    assert [*lines.read(file, Cursor())] == []


@given(
    st.recursive(
        st.none() | st.text() | st.floats() | st.integers(-(2**60), 2**60), lambda one: st.lists(one, max_size=3)
    )
)
def test_what_is_read_can_be_written(value: Any) -> None:
    """Halves of characters, NaN: values that JSON reads and a record cannot hold."""
    raw = json.dumps({"v": [value, "\ud83d", "\ud83d\ude00"]}).encode()
    entry, trouble = lines._entry(raw)
    assert trouble == ""
    assert entry["v"][1:] == ["\ufffd", "\U0001f600"]
    json.dumps(entry, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("given_time", "kept"),
    [
        ("2026-02-10T10:00:00.123Z", "2026-02-10T10:00:00.123Z"),
        ("2026-02-10T11:00:00+01:00", "2026-02-10T10:00:00.000Z"),
        ("2026-02-10", "2026-02-10T00:00:00.000Z"),
        ("2026-02-30T10:00:00.123Z", ""),
        ("soon", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        (None, ""),
        (12, ""),
    ],
)
def test_times_are_those_of_records(given_time: Any, kept: str) -> None:
    """A time that is guessed, shifted, or stops the import."""
    assert moment(given_time) == kept


# -- Claude Code -------------------------------------------------------------------------------------


def test_what_a_person_typed_is_told_from_what_stands_in_their_place(tmp_path: Path) -> None:
    """Notifications, commands, summaries, results and interruptions that count as prompts."""
    texts = {
        "Fix it": "prompt",
        "<task-notification>done": "notification",
        "<command-name>/mcp</command-name>": "command",
        "<local-command-stdout>x": "command",
        "<system-reminder>x": "meta",
        "[Request interrupted by user for tool use]": "interruption",
        "": "meta",
    }
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(b"x").decode()},
    }
    file = write(
        tmp_path / "s.jsonl",
        *(said(str(number), text) for number, text in enumerate(texts)),
        said("meta", "Caveat", isMeta=True),
        said("sum", "This session is being continued", isCompactSummary=True),
        said("ide", [{"type": "text", "text": "<ide_opened_file>x"}, {"type": "text", "text": "Fix it"}]),
        said("image", [image]),
        said("result", [{"type": "tool_result", "tool_use_id": "t", "content": "Fix it"}]),
        said("side", "Fix it", isSidechain=True),
        {
            "type": "queue-operation",
            "operation": "enqueue",
            "content": "Also this",
            "timestamp": "2026-01-01T00:00:00Z",
        },
        {"type": "queue-operation", "operation": "enqueue", "content": "/mcp"},
        {"type": "queue-operation", "operation": "enqueue", "content": "/home/pat is full"},
        {"type": "queue-operation", "operation": "dequeue"},
    )
    rest = ["meta", "compaction", "prompt", "prompt", "result", "task", "queued", "command", "queued"]
    assert origins(file) == [*texts.values(), *rest]
    assert [event.left_out for event in read(file)][-1] == "queue-operation/dequeue"


def test_nothing_that_is_null_or_missing_stops_the_reader(tmp_path: Path) -> None:
    """A null id, model, usage, request or content (itlackey/akm#829 and others): every entry is still an event."""
    entries: list[Any] = [said("a", "Fix it"), answered("b", "m", "Done")]
    for entry in list(entries):
        for key in [*entry]:
            entries += [{**entry, key: None}, {name: value for name, value in entry.items() if name != key}]
    for entry in (entries[0], entries[1]):
        for key in entry["message"]:
            entries.append({**entry, "message": {**entry["message"], key: None}})
    entries += [
        {**entries[1], "message": {**entries[1]["message"], "content": [None, 5, {}, {"type": "text"}, {"type": []}]}}
    ]
    entries += [
        {"type": type} for type in ("user", "assistant", "system", "progress", "summary", "queue-operation", "x", None)
    ]
    file = write(tmp_path / "s.jsonl", *entries)
    found = read(file, "claude-code")
    assert len(found) == len(entries)
    assert all(event.left_out or (event.id and event.turn) for event in found)


def test_unknown_entries_are_kept_whole(tmp_path: Path) -> None:
    """A type of next year that is lost, or taken for something else."""
    entry = {"type": "pr-link", "sessionId": "s", "url": "https://example.org/1", "deep": {"a": [1]}}
    (_, event) = read(write(tmp_path / "s.jsonl", said("a", "Hi"), entry))
    assert (event.origin, event.name, event.parts) == ("unknown", "pr-link", [{"type": "raw", "entry": entry}])


def test_cache_creation_is_the_sum_of_its_two_sorts_where_they_are_told() -> None:
    """Tokens of the cache that are counted from the flat number, which may disagree."""
    usage = {
        "cache_creation_input_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
    }
    assert claude_code._tokens(usage)["cache_creation"] == 5
    assert claude_code._tokens({"cache_creation_input_tokens": 1})["cache_creation"] == 1
    assert claude_code._tokens({"input_tokens": -5, "output_tokens": "7", "cache_creation": None})["input"] == 0


def test_a_result_keeps_what_its_text_does_not_say(tmp_path: Path) -> None:
    """Structured results that are stored twice, or whose only copy is dropped."""
    block = {"type": "tool_result", "tool_use_id": "t", "content": "stdout here", "is_error": True}
    told = {
        "stdout": "stdout here",
        "stderr": "only here",
        "interrupted": False,
        "originalFile": "x" * 99,
        "agentId": "a1",
    }
    (event,) = read(write(tmp_path / "s.jsonl", said("r", [block], toolUseResult=told)))
    (part,) = event.parts
    assert (part["details"], part["agent"], part["error"]) == ({"stderr": "only here"}, "a1", True)


# -- one response, one message -----------------------------------------------------------------------


def chunk(
    id: str, message: str = "m", request: str = "r", output: int = 1, *, side: bool = False, speed: str = ""
) -> Event:
    """A chunk of an answer."""
    usage = {"input": 1, "output": output, "cache_creation": 0, "cache_read": 0}
    parts = [{"type": "text", "text": id}]
    return Event(
        id, message, "assistant", "answer", request=request, usage=usage, speed=speed, sidechain=side, parts=parts
    )


def merged(*events: Event) -> dict[str, Any]:
    """One turn of several chunks."""
    turn = merging.begin(events[0])
    for event in events[1:]:
        merging.add(turn, event)
    return turn


@pytest.mark.parametrize(
    ("events", "outputs"),
    [
        # ccusage#901, #938: the first chunk's count is a tenth of the last one's.
        ([chunk("a", output=1), chunk("b", output=9), chunk("c", output=4)], [9]),
        # #976: no request is a request of its own.
        ([chunk("a", request="", output=1), chunk("b", request="", output=2)], [2]),
        ([chunk("a", request="", output=1), chunk("b", request="r", output=2)], [1, 2]),
        ([chunk("a", request="r1", output=3), chunk("b", request="r2", output=2)], [3, 2]),
        # A side conversation replays its parent's messages.
        ([chunk("a", request="r1", output=3), chunk("b", request="r2", output=9, side=True)], [3]),
        ([chunk("a", request="r1", output=9, side=True), chunk("b", request="r2", output=3)], [3]),
    ],
)
def test_the_rule_of_counting(events: list[Event], outputs: list[int]) -> None:
    """Tokens that are counted per line, once too often, or from the first chunk."""
    turn = merged(*events)
    assert [one["tokens"]["output"] for one in merging.requests(turn)] == outputs
    assert turn["tokens"]["output"] == sum(outputs)
    assert [part["text"] for part in turn["content"]] == [event.id for event in events]


def test_on_a_tie_the_entry_that_says_its_speed_counts() -> None:
    """A fast answer that is counted, and paid for, as a slow one."""
    assert merged(chunk("a"), chunk("b", speed="fast"))["speed"] == "fast"
    assert merged(chunk("a", speed="fast"), chunk("b"))["speed"] == "fast"


# -- Codex -------------------------------------------------------------------------------------------


def _codex(payload: dict[str, Any], type: str = "response_item", second: int = 0) -> dict[str, Any]:
    return {"timestamp": f"2026-02-10T10:00:{second:02}.000Z", "type": type, "payload": payload}


def _message(role: str, text: str, second: int = 0) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return _codex({"type": "message", "role": role, "content": [{"type": kind, "text": text}]}, second=second)


def _count(total: int, last: int | None, second: int = 0, output: int = 10) -> dict[str, Any]:
    def usage(number: int) -> dict[str, int]:
        return {
            "input_tokens": number,
            "cached_input_tokens": number // 2,
            "output_tokens": output,
            "total_tokens": number,
        }

    info = {"total_token_usage": usage(total), **({"last_token_usage": usage(last)} if last is not None else {})}
    return _codex({"type": "token_count", "info": info}, "event_msg", second)


META = {
    "id": "019a-codex",
    "timestamp": "2026-02-10T10:00:00.000Z",
    "cwd": "/home/pat/api",
    "cli_version": "0.9",
    "git": {"branch": "main"},
}


def test_a_session_of_codex(tmp_path: Path) -> None:
    """Messages that are read twice, arguments that stay JSON within JSON, counts that are added as they grow."""
    file = write(
        tmp_path / "rollout-2026-02-10T10-00-00-019a.jsonl",
        _codex(META, "session_meta"),
        _codex({"cwd": "/home/pat/api", "model": "gpt-x", "effort": "high"}, "turn_context"),
        _message("user", "<environment_context>x</environment_context>"),
        _message("user", "Fix it", 1),
        _codex({"type": "user_message", "message": "Fix it"}, "event_msg", 1),
        _codex(
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "x"},
            second=2,
        ),
        _codex(
            {"type": "function_call", "name": "shell", "arguments": '{"command": ["ls"]}', "call_id": "c1"}, second=2
        ),
        _count(100, 100, 3),
        _count(100, 100, 3),
        _codex(
            {
                "type": "function_call_output",
                "call_id": "c1",
                "output": '{"output": "a\\nb", "metadata": {"exit_code": 1}}',
            },
            second=4,
        ),
        _message("assistant", "Done", 5),
        _count(250, None, 6, output=30),
        _codex({"type": "turn_aborted", "reason": "interrupted"}, "event_msg", 7),
        _codex({"type": "new_thing", "x": 1}, "event_msg", 8),
        _codex({"message": "So far"}, "compacted", 9),
    )
    (transcript,) = finding.transcripts(file)
    assert (transcript.format, transcript.session) == ("codex", "019a-codex")
    kept = [event for event in read(file) if not event.left_out]
    assert [event.origin for event in kept] == [
        *("notice", "meta", "prompt", "answer", "answer", "answer", "result", "answer", "answer"),
        *("interruption", "unknown", "compaction"),
    ]
    first, call, used, result, answer, more = kept[3:9]
    assert first.turn == call.turn == used.turn != answer.turn == more.turn
    assert (call.parts[0]["input"], call.model, call.branch) == ({"command": ["ls"]}, "gpt-x", "main")
    assert (result.parts[0]["text"], result.parts[0]["error"]) == ("a\nb", True)
    assert used.usage == {"input": 50, "output": 10, "cache_creation": 0, "cache_read": 50}
    assert more.usage == {"input": 75, "output": 20, "cache_creation": 0, "cache_read": 75}


def test_a_spawned_session_does_not_count_its_parents_tokens(tmp_path: Path) -> None:
    """A replayed history that doubles every count of the parent."""
    spawned = {**META, "id": "child", "source": {"subagent": {"thread_spawn": {"parent_thread_id": "parent"}}}}
    file = write(
        tmp_path / "rollout-x.jsonl",
        _codex(spawned, "session_meta"),
        *(_count(100 * number, 100, 5) for number in (1, 2, 3)),
        _message("assistant", "Mine", 8),
        _count(350, 50, 9),
    )
    (transcript,) = finding.transcripts(file)
    assert (transcript.session, transcript.agent) == ("parent", "child")
    assert [event.usage["input"] for event in read(file) if event.usage] == [25]


def _told(type: str, second: int = 0, **said: Any) -> dict[str, Any]:
    return _codex({"type": type, **said}, "event_msg", second)


def test_a_session_of_a_newer_codex(tmp_path: Path) -> None:
    """What the screen shows counted as turns, cache writes counted as input, failures that only events tell."""
    usage = {
        "input_tokens": 100, "cached_input_tokens": 40, "cache_write_input_tokens": 30, "output_tokens": 10,
        "reasoning_output_tokens": 5, "total_tokens": 110,
    }  # fmt: skip
    plan = {"type": "Plan", "id": "p", "text": "First this"}
    file = write(
        tmp_path / "rollout-2026-09-10T10-00-00-019a.jsonl",
        {**_codex({**META, "session_id": "019a-codex", "forked_from_id": None}, "session_meta"), "ordinal": 0},
        _codex({"environments": {}}, "world_state"),
        _codex({"cwd": "/home/pat/api", "model": "gpt-x"}, "turn_context"),
        _told("task_started", turn_id="t1"),
        _message("developer", "<permissions>…</permissions>"),
        _message("user", "Fix it", 1),
        _codex({"type": "function_call", "name": "create_issue", "namespace": "mcp__github__", "arguments": "{}",
                "call_id": "c1"}, second=2),
        _told("mcp_tool_call_end", 3, call_id="c1", result={"Ok": {"content": [], "isError": True}}),
        _codex({"type": "function_call_output", "call_id": "c1", "output": "no access"}, second=3),
        _codex({"type": "function_call", "name": "exec_command", "arguments": '{"cmd": "make"}', "call_id": "c2"},
               second=4),
        _codex({"type": "function_call_output", "call_id": "c2",
                "output": "Wall time: 0.1 seconds\nProcess exited with code 2\nOutput:\nProcess exited with code 0"},
               second=5),
        _codex({"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin Patch", "call_id": "c3"},
               second=6),
        _codex({"type": "custom_tool_call_output", "call_id": "c3", "output": "Exit code: 0\nOutput:\nDone"}, second=6),
        _codex({"type": "tool_search_call", "call_id": "c4", "arguments": {"query": "x"}}, second=7),
        _codex({"type": "tool_search_output", "call_id": "c4", "tools": [{"name": "y"}]}, second=7),
        _codex({"type": "image_generation_call", "id": "ig", "revised_prompt": "a cat", "result": "aGk="}, second=8),
        _codex({"type": "compaction", "encrypted_content": "x"}, second=8),
        _told("context_compacted", 8),
        _told("token_count", 9, info={"total_token_usage": usage, "last_token_usage": usage}),
        _codex({"response_id": "r", "usage": usage}, "token_usage_record", 9),
        _told("item_completed", 9, item=plan),
        _told("item_completed", 9, item={"type": "AgentMessage", "id": "m"}),
        _told("thread_name_updated", 9, thread_id="t", thread_name="Mending it"),
        _told("error", 9, message="at capacity", codex_error_info="server_overloaded"),
        _told("turn_aborted", 10, reason="interrupted", duration_ms=1500),
        _told("task_complete", 11, turn_id="t1", duration_ms=247714, last_agent_message="Done"),
    )  # fmt: skip
    kept = [event for event in read(file) if not event.left_out]
    assert [(event.origin, event.name) for event in kept] == [
        ("notice", "session_meta"), ("meta", ""), ("prompt", ""), *[("answer", ""), ("result", "")] * 4, ("answer", ""),
        ("answer", ""), ("unknown", "item_completed"), ("notice", "custom-title"), ("error", "error"),
        ("interruption", ""), ("notice", "turn_duration"),
    ]  # fmt: skip
    calls = [part for event in kept for part in event.parts if part["type"] == "tool_call"]
    results = [part for event in kept for part in event.parts if part["type"] == "tool_result"]
    names = ["mcp__github__create_issue", "exec_command", "apply_patch", "tool_search", "image_generation"]
    assert [call["name"] for call in calls] == names
    assert (calls[3]["input"], calls[4]["input"]) == ({"query": "x"}, "a cat")
    assert [bool(part.get("error")) for part in results] == [True, True, False, False, False]
    assert results[3]["details"] == {"tools": [{"name": "y"}]}
    assert results[4]["images"][0]["data"] == b"hi"
    (used,) = [event.usage for event in kept if event.usage]
    assert used == {"input": 30, "output": 10, "cache_creation": 30, "cache_read": 40}
    assert [event.facts["durationMs"] for event in kept if "durationMs" in event.facts] == [1500, 247714]
    left = {event.left_out for event in read(file) if event.left_out}
    assert {"world_state", "token_usage_record", "event_msg/item_completed", "response_item/compaction"} <= left


@pytest.mark.parametrize("cut", [None, 5])
def test_history_that_is_copied_from_another_session_is_left_out(tmp_path: Path, cut: int | None) -> None:
    """A sub-agent that begins with its parent's talk: said twice, and its tokens paid twice."""
    spawned = {
        **META, "id": "child", "session_id": "root", "parent_thread_id": "parent", "subagent_history_start_ordinal": 4,
        "source": {"subagent": {"thread_spawn": {"parent_thread_id": "parent"}}},
    }  # fmt: skip
    entries = [
        _codex(spawned, "session_meta", 5),
        _codex({**META, "id": "parent"}, "session_meta"),
        _message("user", "Asked of the parent", 1),
        _count(100, 100, 2),
        _message("user", "Asked of the child", 6),
        _message("assistant", "Mine", 7),
        _count(150, 50, 8),
    ]
    file = write(tmp_path / "rollout-x.jsonl", *({**entry, "ordinal": n} for n, entry in enumerate(entries)))
    (transcript,) = finding.transcripts(file)
    assert (transcript.session, transcript.agent) == ("root", "child")
    events = [event for event, _ in finding.events(transcript, Cursor())]
    if cut:
        # Reading goes on another day: what is remembered is in the cursor.
        cursor = [behind for _, behind in finding.events(transcript, Cursor())][cut - 1]
        events[cut:] = [event for event, _ in finding.events(transcript, cursor)]
    texts = [part["text"] for event in events for part in event.parts if part["type"] == "text"]
    assert texts == ["Asked of the child", "Mine"]
    assert [event.usage["input"] for event in events if event.usage] == [25]
    assert [event.left_out for event in events if event.left_out] == [
        "session_meta (copied)", "response_item (copied)", "event_msg (copied)",
    ]  # fmt: skip


def test_a_copied_entry_is_known_wherever_it_stands(tmp_path: Path) -> None:
    """A fork that repeats what was said, and numbers it anew."""
    one = write(tmp_path / "rollout-a.jsonl", {**_message("user", "Hi", 1), "ordinal": 7})
    other = write(tmp_path / "rollout-b.jsonl", {**_message("user", "Hi", 1), "ordinal": 3})
    assert [event.id for event in read(one)] == [event.id for event in read(other)]


def test_a_compressed_session_of_codex_is_told(tmp_path: Path) -> None:
    """An archive that is passed over without a word."""
    (tmp_path / "rollout-2026-01-01T00-00-00-019a.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (transcript,) = finding.transcripts(tmp_path)
    assert "zstd -d" in transcript.refused


def test_the_output_of_codex_exec_is_recognised_and_refused(tmp_path: Path) -> None:
    """Half a session that is imported as if it were one, without a word."""
    file = write(
        tmp_path / "x.jsonl", {"type": "thread.started", "thread_id": "t"}, {"type": "turn.completed", "usage": {}}
    )
    (transcript,) = finding.transcripts(file)
    assert "codex exec --json" in transcript.refused


# -- Gemini ------------------------------------------------------------------------------------------

GEMINI: dict[str, Any] = {
    "sessionId": "g-1",
    "projectHash": "abc",
    "startTime": "2026-02-10T10:00:00.000Z",
    "summary": "Fixing it",
    "messages": [
        {"id": "1", "timestamp": "2026-02-10T10:00:00.000Z", "type": "user", "content": "Fix it"},
        {
            "id": "2",
            "timestamp": "2026-02-10T10:00:05.000Z",
            "type": "gemini",
            "content": "Done",
            "model": "gemini-x",
            "thoughts": [{"subject": "Plan", "description": "Look first"}],
            "tokens": {"input": 100, "output": 10, "cached": 40, "thoughts": 5, "tool": 2, "total": 117},
            "toolCalls": [
                {
                    "id": "t",
                    "name": "read",
                    "args": {"path": "x"},
                    "status": "success",
                    "result": [{"functionResponse": {"response": {"output": "text"}}}],
                }
            ],
        },
        {"id": "3", "timestamp": "x", "type": "info", "content": "Saved"},
        {"id": "4", "type": "new"},
        None,
    ],
}


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_session_of_gemini(tmp_path: Path, ending: str) -> None:
    """Cached tokens that count twice, tool results that are lost, a message that comes again and is kept twice."""
    file = tmp_path / f"session-1.{ending}"
    if ending == "json":
        file.write_text(json.dumps(GEMINI))
    else:
        head = {key: value for key, value in GEMINI.items() if key != "messages"}
        first = {**GEMINI["messages"][1], "content": "Do"}
        write(file, head, GEMINI["messages"][0], first, *GEMINI["messages"][1:4])
    found = [event for event in read(file) if not event.trouble]
    assert [event.origin for event in found] == ["notice", "prompt", "answer", "notice", "unknown"]
    assert found[2].usage == {"input": 62, "output": 15, "cache_creation": 0, "cache_read": 40}
    assert [part["type"] for part in found[2].parts] == ["thinking", "text", "tool_call", "tool_result"]
    assert (found[2].parts[1]["text"], found[2].parts[3]["text"], found[2].folder_hash) == ("Done", "text", "abc")


def test_a_session_of_a_newer_gemini(tmp_path: Path) -> None:
    """A summary that comes later, what was taken back, a shortened history over what was said, a known folder."""
    chats = tmp_path / "tmp" / "api" / "chats"
    chats.mkdir(parents=True)
    (chats.parent / ".project_root").write_text("/home/pat/api\n")
    head = {key: GEMINI[key] for key in ("sessionId", "projectHash", "startTime")}
    question, answer = GEMINI["messages"][:2]
    call = {
        **answer["toolCalls"][0],
        "agentId": "g-2",
        "description": "Reads x",
        "resultDisplay": {"fileDiff": "-a\n+b"},
    }
    masked = {**answer, "content": "(shortened)"}
    file = write(
        chats / "session-2026-02-10T10-00-g1.jsonl",
        {**head, "kind": "main"},
        question,
        {**answer, "toolCalls": [call]},
        {
            "$set": {
                "lastUpdated": "2026-02-10T10:00:09.000Z",
                "summary": "Mending it",
                "directories": ["/home/pat/lib"],
            }
        },
        {"id": "9", "timestamp": "2026-02-10T10:00:07.000Z", "type": "user", "content": [{"text": "No, wait"}]},
        {"$rewindTo": "9"},
        {"$set": {"messages": [question, masked, {"id": "s", "type": "user", "content": "<state_snapshot>…"}]}},
    )
    file.write_text(file.read_text() + "not json\n")
    found = read(file)
    assert [(event.origin, event.name) for event in found if not event.trouble] == [
        ("notice", "ai-title"), ("notice", "session"), ("prompt", ""), ("answer", ""), ("prompt", ""),
        ("notice", "rewind"), ("meta", ""),
    ]  # fmt: skip
    assert [event.trouble for event in found if event.trouble] == ["is not JSON: expecting value"]
    kept = [event for event in found if not event.trouble]
    assert {event.folder for event in kept} == {"/home/pat/api"}
    assert kept[0].parts[0]["text"] == "Mending it"
    assert kept[1].facts == {"directories": ["/home/pat/lib"]}
    result = kept[3].parts[-1]
    assert kept[3].parts[1]["text"] == "Done"
    assert (result["agent"], result["details"]["resultDisplay"]) == ("g-2", {"fileDiff": "-a\n+b"})


def test_a_sub_agent_of_gemini_belongs_to_its_parent(tmp_path: Path) -> None:
    """A sub-agent in the list of conversations, and what it was asked counted as a person's prompt."""
    folder = tmp_path / "chats" / "g-1"
    folder.mkdir(parents=True)
    head = {"sessionId": "g-2", "projectHash": "abc", "startTime": "2026-02-10T10:00:00.000Z", "kind": "subagent"}
    write(folder / "g-2.jsonl", head, {"id": "1", "type": "user", "content": "Look into it"})
    (transcript,) = finding.transcripts(tmp_path)
    assert (transcript.session, transcript.agent, transcript.name) == ("g-1", "g-2", "g-1/g-2.jsonl")
    assert [event.origin for event, _ in finding.events(transcript, Cursor())] == ["task"]


def test_half_a_session_of_gemini_is_told(tmp_path: Path) -> None:
    """A file that is being written anew, and stops the import or loses what is known."""
    file = tmp_path / "session-1.json"
    file.write_text(json.dumps(GEMINI)[:-50])
    assert list(finding.transcripts(file)) == []


# -- plain -------------------------------------------------------------------------------------------


def test_the_plain_format(tmp_path: Path) -> None:
    """Optional keys that are required, roles that are guessed, other keys that are lost."""
    file = write(
        tmp_path / "talk.jsonl",
        {"id": "7", "role": "user", "name": "Pat", "content": "Hi", "timestamp": "2026-02-11T20:36:45Z"},
        {"content": ["a", {"type": "text", "text": "b"}, {"type": "chart", "x": 1}]},
        {"role": "assistant", "content": "Yes", "model": "m", "mood": "good"},
        {"role": "critic", "content": "No", "timestamp": "yesterday"},
        {"role": "tool", "content": "42"},
    )
    found = read(file)
    assert [(event.role, event.origin, event.name) for event in found] == [
        ("user", "prompt", "Pat"),
        ("user", "prompt", ""),
        ("assistant", "answer", ""),
        ("system", "unknown", "critic"),
        ("user", "result", ""),
    ]
    assert found[0].timestamp == "2026-02-11T20:36:45.000Z"
    assert [part["type"] for part in found[1].parts] == ["text", "text", "raw"]
    assert (found[2].facts, found[3].facts) == ({"mood": "good"}, {"timestamp": "yesterday"})


def test_a_plain_file_is_the_same_session_on_every_machine(tmp_path: Path) -> None:
    """An id that comes from the folder or the clock, so that two clones have the conversation twice."""
    one = write(tmp_path / "a" / "talk.jsonl", {"content": "Hi"})
    two = write(tmp_path / "b" / "talk.jsonl", {"content": "Hi"}, {"content": "More"})
    other = write(tmp_path / "c" / "talk.jsonl", {"content": "Another"})
    ids = [next(jsonl.sessions(file)).session for file in (one, two, other)]
    assert ids[0] == ids[1] != ids[2]


def test_every_format_has_the_interface() -> None:
    """A format that lacks one of the three functions, or whose name is not what the command line calls it."""
    assert [*finding.FORMATS] == ["claude-code", "codex", "gemini", "jsonl"]
    for module in (claude_code, codex, gemini, jsonl):
        assert finding.FORMATS[module.NAME] is module
        assert module.detect(Path("x.jsonl"), b"") == 0
        assert not [*module.sessions(Path(__file__))] or isinstance(next(module.sessions(Path(__file__))), Transcript)
