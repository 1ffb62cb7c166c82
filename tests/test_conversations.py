"""Conversations as they are listed, shown, found and removed; facts, turns and their files; the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from domain_helpers import SECRET, Shell
from helpers import git
from hypothesis import given
from hypothesis import strategies as st
from transcript_helpers import GIVEN, LONG, SMALL, answered, begin, bring, fresh, said, write

from sbfs import conversations, doctor, verbs
from sbfs.conversations import value
from sbfs.conversations.facts import Facts, ModelCount, Tokens, ToolCount, dump_facts, load_facts
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.record import Record
from sbfs.store import Store


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the given transcripts, which nobody changes."""
    with fresh(tmp_path_factory.mktemp("given") / "store") as store:
        bring(store, GIVEN)
        return store.root


@pytest.fixture
def filled(root: Path) -> Store:
    """That store."""
    return Store.open(root)


# -- lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [LONG, SMALL]),
        ({"project": "spotter"}, [LONG, SMALL]),
        ({"since": datetime(2026, 2, 11, tzinfo=UTC)}, [LONG]),
        ({"until": datetime(2026, 2, 11, tzinfo=UTC)}, [SMALL]),
        ({"model": "sonnet"}, [LONG]),
        ({"agent": "claude-code"}, [LONG, SMALL]),
        ({"agent": "codex"}, []),
        ({"tool": "WebSearch"}, [SMALL]),
        ({"branch": "spotter-gqc"}, [LONG]),
        ({"min_quality": 1}, []),
        ({"text": "PHOENIX in background"}, [SMALL]),
        ({"text": "did you push?"}, [LONG]),
        ({"text": '"seq"'}, []),
        ({"limit": 1}, [LONG]),
        ({"model": "sonnet", "tool": "WebSearch"}, []),
    ],
)
def test_lists_keep_to_what_they_are_asked_for(filled: Store, asked: dict[str, Any], found: list[str]) -> None:
    """A filter that lets others through, or finds what only stands in the file's keys."""
    page = conversations.list(filled, **asked)
    assert [one.header.id for one in page.items] == found


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"agent": "claude"}, "agent"), ({"min_quality": 200}, "quality"), ({"min_quality": -1}, "quality")],
)
def test_a_filter_that_nothing_can_meet_is_refused(filled: Store, asked: dict[str, Any], field: str) -> None:
    """A slip in a filter that is answered with an empty list."""
    with pytest.raises(Invalid) as caught:
        conversations.list(filled, **asked)
    assert caught.value.field == field


def test_empty_sessions_and_subagents_are_hidden_unless_asked_for(store: Store, tmp_path: Path) -> None:
    """Lists full of warm-ups and helpers (anthropics/claude-code#39162, itlackey/akm#829)."""
    meta = said("a", "Caveat", isMeta=True)
    write(tmp_path / "99999999-1111-4222-8333-444444444444.jsonl", meta)
    bring(begin(store), tmp_path, GIVEN)
    assert [one.header.id for one in conversations.list(store).items] == [LONG, SMALL]
    assert conversations.list(store, empty=True).total == 3
    page = conversations.list(store, subagents=True)
    assert [[side.id for side in one.subagents] for one in page.items] == [["a881341", "acompact-fffbd0"], []]


def test_a_list_says_what_bars_need(filled: Store) -> None:
    """Model, timestamp, duration, tools and quality, which users of lists depend on."""
    (_, one) = verbs.run("conversation.list", filled)["conversations"]
    assert (one["model"], one["timestamp"], one["quality_score"]) == (
        "claude-opus-4-6",
        "2026-02-10T22:57:54.684Z",
        None,
    )
    assert (one["duration_ms"], one["tool_usage"]["Bash"], one["prompts"]) == (112_064, 2, 2)
    assert json.dumps(one)


# -- one conversation --------------------------------------------------------------------------------


def test_a_conversation_is_shown_whole_or_in_part(filled: Store) -> None:
    """A turn that is counted differently from what is shown, or a sub-agent that is shown nowhere."""
    whole = conversations.show(filled, conversation_id="258c")
    assert [turn.seq for turn in whole.turns] == list(range(1, whole.total + 1))
    assert [turn.text for turn in whole.turns if turn.is_prompt] == [
        "Implement spotter-gqc",
        "check again",
        "new beads for the epic were added. tackle them",
        "did you push?",
    ]
    assert sum(len(turn.calls) for turn in whole.turns) == 186
    assert all(result is not None for turn in whole.turns for _, result in turn.calls)
    assert [*whole.subagents] == ["a881341"]
    assert len(whole.subagents["a881341"]) == 4
    (fifth,) = conversations.show(filled, conversation_id=LONG, turn=5).turns
    assert fifth == whole.turns[4]
    around = conversations.show(filled, conversation_id=LONG, around=fifth.id[:20]).turns
    assert [turn.seq for turn in around] == [2, 3, 4, 5, 6, 7, 8]
    first = conversations.show(filled, conversation_id=LONG, limit=10)
    rest = conversations.show(filled, conversation_id=LONG, cursor=first.next)
    assert (*first.turns, *rest.turns) == whole.turns
    side = conversations.show(filled, conversation_id=LONG, agent="acompact-fffbd0")
    assert (side.total, side.turns[-1].role) == (4, "assistant")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"conversation_id": "nothing"}, NotFound),
        ({"conversation_id": ""}, NotFound),
        ({"conversation_id": "258c", "turn": 0}, NotFound),
        ({"conversation_id": "258c", "turn": 100_000}, NotFound),
        ({"conversation_id": "258c", "around": "msg_"}, NotFound),
        ({"conversation_id": "258c", "agent": "nobody"}, NotFound),
    ],
)
def test_what_is_not_there_is_said(filled: Store, asked: dict[str, Any], error: type[Exception]) -> None:
    """A wrong id or number that shows something else."""
    with pytest.raises(error):
        conversations.show(filled, **asked)


def test_a_cursor_that_is_none(filled: Store) -> None:
    """A fault of sbfs for what a person mistyped."""
    for cursor in ("zz", "-3", "", "1.5"):
        with pytest.raises(Invalid, match="cursor"):
            conversations.show(filled, conversation_id="258c", cursor=cursor)


def test_a_turn_that_a_merge_left_twice_is_shown_once_and_mended(store: Store, tmp_path: Path) -> None:
    """Two clones that cut their turns in different places, and a turn that counts twice from then on."""
    file = write(tmp_path / f"{LONG}.jsonl", said("a", "Hi"), answered("b", "m", "Yes"), said("c", "Ho"))
    bring(begin(store), file)
    path = conversations.show(store, conversation_id=LONG).path.replace("conversation.yaml", "messages-0002.jsonl")
    lines = (store.root / path.replace("-0002", "-0001")).read_bytes().split(b"\n")
    fuller = lines[1].replace(b'"Yes"}', b'"Yes"}, {"type": "text", "text": "and more"}')
    (store.root / path).write_bytes(fuller + b"\n")
    git(store.root, "add", "-A")
    git(store.root, "commit", "-qm", "by a merge")
    shown = conversations.show(store, conversation_id=LONG)
    assert [turn.text for turn in shown.turns] == ["Hi", "Yes\n\nand more", "Ho"]
    write(file, said("a", "Hi"), answered("b", "m", "Yes"), said("c", "Ho"), said("d", "Hm"))
    (grown,) = bring(store, file).conversations
    assert (grown.conversation.facts.turns, grown.conversation.facts.messages) == (4, 1)
    assert not (store.root / path).exists()
    assert doctor.check(store).findings == ()


def test_titles_come_from_people_first(store: Store, tmp_path: Path) -> None:
    """A conversation named after a slash command, or after another session's summary."""
    command = said("a", "<command-name>/clear</command-name>")
    prompt = said("b", "\n  Fix   the build\nplease")
    file = tmp_path / f"{LONG}.jsonl"
    begin(store)
    steps = [
        ([command, prompt], "Fix the build"),
        ([{"type": "summary", "summary": "Of another", "leafUuid": "zz", "sessionId": "x"}], "Fix the build"),
        ([{"type": "summary", "summary": "Mending", "leafUuid": "b", "sessionId": "x"}], "Mending"),
        ([{"type": "ai-title", "aiTitle": "By the agent", "sessionId": "x"}], "By the agent"),
        ([{"type": "custom-title", "customTitle": "By Pat", "sessionId": "x"}], "By Pat"),
    ]
    entries: list[Any] = []
    for more, title in steps:
        entries += more
        (grown,) = bring(store, write(file, *entries)).conversations
        assert grown.conversation.title == title


# -- facts and turns ---------------------------------------------------------------------------------

_COUNTS = st.integers(0, 2**40)
_TOKENS = st.builds(Tokens, *[_COUNTS] * 5)
_MODELS = st.builds(ModelCount, _COUNTS.filter(bool), _TOKENS)
_FACTS = st.builds(
    Facts,
    **dict.fromkeys(("prompts", "messages", "turns", "thinking", "compactions", "commits", "active_ms"), _COUNTS),
    models=st.dictionaries(st.text(max_size=5), _MODELS, max_size=3),
    tools=st.dictionaries(st.text(max_size=5), st.builds(ToolCount, *[_COUNTS] * 4), max_size=3),
    subagents=st.just(ModelCount()) | _MODELS,
)


@given(_FACTS, _FACTS)
def test_facts_come_back_and_add_up(one: Facts, other: Facts) -> None:
    """A count that is lost in the file, or in a sum."""
    assert load_facts(dump_facts(one)) == one
    both = one + other
    assert both == value.add_facts([one, other])
    assert both.tokens == one.tokens + other.tokens
    assert both.tool_calls == one.tool_calls + other.tool_calls


def test_hours_add_up_to_the_whole(filled: Store) -> None:
    """Statistics by day that differ from those of the whole."""
    for one in conversations.list(filled).items:
        assert value.add_facts(one.header.hours.values()) == one.header.facts
        assert all(len(hour) == 13 for hour in one.header.hours)


def test_files_say_what_their_values_say(filled: Store) -> None:
    """A key of a turn or of a conversation that reading loses."""
    view = filled.view()
    for kind in (conversations.KIND, conversations.TURNS):
        paths = [path for path, _ in view.walk(kind)]
        assert paths
        for path in paths:
            record = view.record(path)
            assert kind.dump(kind.load(record.data)) == record.data
            assert Record.make(path, record.data).raw == record.raw


def test_search_is_told_every_turn_once(filled: Store) -> None:
    """A prompt or an answer that search does not know, results apart from their calls, two turns at one place."""
    view = filled.view()
    entries = [
        one for path, _ in view.walk(conversations.TURNS) for one in conversations.TURNS.entries(view.record(path))
    ]
    assert len({one.id for one in entries}) == len(entries)
    assert len({(one.group, one.seq) for one in entries}) == len(entries)
    prompts = [one for one in entries if "prompt" in one.facets.get("flags", ())]
    assert len(prompts) == 6
    bash = next(one for one in entries if one.facets.get("tool") == ("Bash",))
    assert bash.tool_text.startswith("Bash ")
    assert sum("subagent" in one.facets.get("flags", ()) for one in entries) == 8
    (whole,) = conversations.KIND.entries(view.record(conversations.show(filled, conversation_id=LONG).path))
    assert (whole.title, whole.facets["agent"]) == ("Implement spotter-gqc", ("claude-code",))


def test_a_turn_that_breaks_the_rules_is_named_with_its_line() -> None:
    """A hand edit of a turn file that is taken, or cannot be found."""
    path = "projects/a/conversations/2026/01/s-1/messages-0001.jsonl"
    for bad, line in ((b'{"id": "a", "content": []}\n{oops\n', 2), (b"[]\n", 1), (b'{"a": 1, "a": 2}\n', 1)):
        with pytest.raises(Invalid) as caught:
            Record.parse(path, bad)
        assert (caught.value.path, caught.value.line) == (path, line)
    with pytest.raises(Invalid, match="must be a turn"):
        conversations.TURNS.check(Record.parse(path, b'{"content": []}\n'))


# -- the command line --------------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command line on a store with a project."""
    fresh(tmp_path / "store").close()
    return Shell(tmp_path / "store")


def test_import_list_show_and_remove_at_the_shell(shell: Shell, tmp_path: Path) -> None:
    """What the library does and a person cannot reach or read."""
    key = said("k", f"The key is {SECRET}")
    write(tmp_path / "more" / "99999999-1111-4222-8333-444444444444.jsonl", key, b"{half")
    told = shell("conversation", "import", str(tmp_path / "more"), "--project", "spotter", "--dry-run")
    assert "would take out [redacted:github-token:1]: ghp_" in told.out
    assert SECRET not in told.out + told.err
    done = shell("conversation", "import", str(GIVEN), str(tmp_path / "more"), "--project", "spotter")
    assert (done.status, "3 new, 0 grown, 0 known" in done.out) == (0, True)
    assert ":2: is not JSON" in done.err
    assert "taken out before it reached Git: 1 github-token" in done.err
    listed = shell("conversation", "list").out
    assert "Implement spotter-gqc" in listed
    shown = shell("conversation", "show", "d6e0")
    assert "start phoenix in background" in shown.out
    assert "▸ Bash  Start Phoenix server in background" in shown.out
    assert "Command running in background" not in shown.out
    assert "Command running in background" in shell("conversation", "show", "d6e0", "--full").out
    assert [turn["seq"] for turn in shell.json("conversation", "show", "d6e0", "--turn", "2")["turns"]] == [2]
    assert shell("conversation", "remove", "d6e0").out == f"removed {SMALL}\n"
    shell.fails(3, "not_found", "conversation", "show", "d6e0")


def test_what_fits_no_project_is_told_with_what_to_do(shell: Shell) -> None:
    """A transcript that is left alone without a word."""
    answer = shell("conversation", "import", str(GIVEN))
    assert (answer.status, "no project fits /home/" in answer.err, "--project" in answer.err) == (0, True, True)


def test_the_agents_own_folders_are_found(shell: Shell, hermetic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transcripts that are not found where agents keep them, or a wrong variable that nobody is told of."""
    shell.fails(4, "invalid", "conversation", "import")
    write(hermetic / ".claude" / "projects" / "p" / f"{LONG}.jsonl", said("a", "One"))
    write(hermetic / ".config" / "claude" / "projects" / "p" / f"{SMALL}.jsonl", said("b", "Two"))
    assert "2 new" in shell("conversation", "import", "--project", "spotter").out
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/nowhere")
    monkeypatch.setenv("CODEX_HOME", str(hermetic / "codex"))
    (hermetic / "codex" / "sessions").mkdir(parents=True)
    answer = shell("conversation", "import", "--project", "spotter")
    assert "$CLAUDE_CONFIG_DIR is set, but /nowhere/projects is not there" in answer.err


def test_an_ambiguous_id_lists_what_it_could_be(store: Store, tmp_path: Path) -> None:
    """A beginning that reaches some conversation."""
    for name in (LONG, LONG[:-1] + "e"):
        write(tmp_path / "files" / f"{name}.jsonl", said(f"a{name}", "Hi"))
    bring(begin(store), tmp_path / "files")
    with pytest.raises(Ambiguous):
        conversations.show(store, conversation_id=LONG[:8])
