"""Transcripts into the store: every total, any number of steps, whatever is broken, killed or imported twice."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from domain_helpers import SECRET, few, put
from helpers import assert_sound, commits, git, spawn
from hypothesis import given, settings
from hypothesis import strategies as st
from transcript_helpers import (
    GIVEN,
    LONG,
    PARTS,
    SMALL,
    answered,
    begin,
    bring,
    content,
    forget,
    fresh,
    import_in_pieces,
    meet,
    pair,
    said,
    sums,
    write,
)

from sbfs import conflicts, conversations, doctor, history, projects, worktree
from sbfs.conversations import line as lines
from sbfs.conversations.imports import folders
from sbfs.store import Store


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the given transcripts come to when they are imported at once: path → etag."""
    with fresh(tmp_path_factory.mktemp("whole")) as store:
        bring(store, GIVEN)
        return sums(store)


_COLUMNS = ("messages", "output", "input", "cache_creation", "cache_read", "calls", "results", "errors", "prompts")
_TOTALS = {
    PARTS[0]: (152, 38_899, 180, 349_474, 14_771_617, 186, 186, 7, 4),
    PARTS[1]: (3, 3, 15, 42_176, 34_159, 2, 2, 0, 0),
    PARTS[2]: (1, 6, 3, 2_487, 166_758, 0, 0, 0, 0),
    PARTS[3]: (4, 212, 54, 17_696, 88_231, 6, 6, 0, 2),
    "": (160, 39_120, 252, 411_833, 15_060_765, 194, 194, 7, 6),
}


@pytest.mark.parametrize("part", _TOTALS)
def test_the_given_transcripts_come_to_their_totals(store: Store, part: str) -> None:
    """Counts that take a chunk for a response, a result for a prompt, or miss a file."""
    bring(begin(store), GIVEN / part)
    facts = conversations.value.add_facts(one.header.facts for one in conversations.list(store).items)
    tokens, tools = facts.tokens, facts.tools.values()
    found = (
        *(facts.messages, tokens.output, tokens.input, tokens.cache_creation, tokens.cache_read),
        *(sum(getattr(tool, name) for tool in tools) for name in ("calls", "results", "errors")),
        facts.prompts,
    )
    assert dict(zip(_COLUMNS, found, strict=True)) == dict(zip(_COLUMNS, _TOTALS[part], strict=True))


def test_models_tools_and_the_rest_come_to_their_totals(store: Store) -> None:
    """A model, a tool, a compaction or a sub-agent that is lost or counted twice; agents listed as conversations."""
    imported = bring(begin(store), GIVEN)
    items = conversations.list(store).items
    facts = conversations.value.add_facts(one.header.facts for one in items)
    assert {name: (one.messages, one.tokens.output) for name, one in facts.models.items()} == {
        "claude-opus-4-6": (157, 39_117),
        "claude-sonnet-4-5-20250929": (3, 3),
    }
    calls = {"Bash": 81, "Read": 43, "Edit": 35, "Write": 13, "Glob": 9, "Grep": 5, "TaskOutput": 3, "WebFetch": 3}
    assert {name: one.calls for name, one in facts.tools.items()} == {**calls, "Task": 1, "WebSearch": 1}
    assert [one.header.id for one in items] == [LONG, SMALL]
    assert (facts.compactions, facts.subagents.messages, facts.commits) == (1, 3, 5)
    assert sum(one.interrupted for one in facts.tools.values()) == 1
    long = conversations.show(store, conversation_id=LONG).conversation
    assert [(one.id, one.compaction, one.messages) for one in long.subagents] == [
        ("a881341", False, 3),
        ("acompact-fffbd0", True, 1),
    ]
    assert (long.subagents[0].kind, long.subagents[0].reported_tokens) == ("claude-code-guide", 43_179)
    assert long.facts.active_ms == 2_729_883
    lines = {name: sum(source.left_out.get(name, 0) for source in long.sources) for name in ("progress/hook_progress",)}
    assert lines["progress/hook_progress"] >= 1_032
    assert {one.state for one in imported.conversations} == {"new"}


def test_importing_again_changes_nothing(store: Store) -> None:
    """A second import that writes anything, even where the cache is gone."""
    bring(begin(store), GIVEN)
    before, head = content(store), commits(store.root)
    assert {one.state for one in bring(store, GIVEN).conversations} == {"known"}
    forget(store)
    assert {one.state for one in bring(store, GIVEN).conversations} == {"known"}
    assert (content(store), commits(store.root)) == (before, head)
    assert_sound(store.root)


@st.composite
def _steps(draw: st.DrawFn) -> list[tuple[str, int, bool]]:
    """(file, bytes of it that are there, whether the cache is gone), each file growing to its end."""
    sizes = {part: (GIVEN / part).stat().st_size for part in PARTS}
    cuts = draw(st.lists(st.tuples(st.sampled_from(PARTS), st.floats(0, 1), st.booleans()), max_size=5))
    grown = dict.fromkeys(PARTS, 0)
    steps = []
    for part, share, forgotten in cuts:
        grown[part] = max(grown[part], int(sizes[part] * share))
        steps.append((part, grown[part], forgotten))
    ends = [(part, sizes[part], False) for part in draw(st.permutations(PARTS))]
    return steps + ends


@settings(few, max_examples=8)
@given(steps=_steps(), held=st.sampled_from([0, 40_000, lines.HELD]), piece=st.sampled_from([150_000, 1 << 30]))
def test_any_cut_in_any_number_of_steps_and_any_order_of_files_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    whole: dict[str, str],
    steps: list[tuple[str, int, bool]],
    held: int,
    piece: int,
) -> None:
    """Records that depend on how often, when, or in which order transcripts were imported."""
    folder = tmp_path_factory.mktemp("steps")
    with pytest.MonkeyPatch.context() as patch, fresh(folder / "store") as store:
        patch.setattr(lines, "HELD", held)
        patch.setattr(conversations.importing, "PIECE", piece)
        for part, size, forgotten in steps:
            _grow(folder / "files" / part, GIVEN / part, size)
            if forgotten:
                forget(store)
            bring(store, folder / "files")
        assert sums(store) == whole


def _grow(file: Path, source: Path, size: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(source, "rb") as old:
        file.write_bytes(old.read(size))


# -- copies ------------------------------------------------------------------------------------------

OTHER = "99999999-1111-4222-8333-444444444444"


@pytest.mark.parametrize("first", ["long", "copy", "both"])
def test_a_resumed_copy_is_counted_once(store: Store, tmp_path: Path, first: str) -> None:
    """Tokens and prompts of a resumed or forked transcript that count in both (ccusage's #976 and others)."""
    more = [
        entry
        for number in range(150)
        for entry in (
            said(f"new-{number}", f"And {number}", "2026-03-01T10:00:00.000Z"),
            answered(f"a-{number}", f"m-{number}", "Yes", output=2),
        )
    ]
    write(tmp_path / f"{OTHER}.jsonl", *(GIVEN / PARTS[0]).read_bytes().splitlines(), *more)
    both = [GIVEN / PARTS[0], tmp_path / f"{OTHER}.jsonl"]
    begin(store)
    for paths in {"long": [[both[0]], [both[1]]], "copy": [[both[1]], [both[0]]], "both": [both[::-1]]}[first]:
        imported = bring(store, *paths)
    assert imported.repeated > 400
    items = conversations.list(store).items
    facts = conversations.value.add_facts(one.header.facts for one in items)
    assert (facts.messages, facts.prompts, facts.tokens.output) == (152 + 150, 4 + 150, 38_899 + 300)
    if first != "copy":
        assert [one.header.id for one in items] == [LONG, OTHER] or [one.header.id for one in items] == [OTHER, LONG]
        copy = conversations.show(store, conversation_id=OTHER)
        assert (copy.conversation.continues, copy.total) == ((LONG,), 300)


def test_a_copied_answer_under_other_ids_is_counted_once(store: Store, tmp_path: Path) -> None:
    """A copy whose entries got new ids: the message's and the request's still say what it is."""
    write(tmp_path / f"{OTHER}.jsonl", said("a", "Hi"), answered("b", "m", "Yes", output=7))
    write(tmp_path / f"{LONG}.jsonl", said("c", "Ho"), answered("d", "m", "Yes", output=7), answered("e", "n", "No"))
    bring(begin(store), tmp_path)
    facts = conversations.value.add_facts(one.header.facts for one in conversations.list(store).items)
    assert (facts.messages, facts.tokens.output) == (2, 12)


def test_two_clones_that_import_the_same_session_come_to_one(tmp_path: Path) -> None:
    """Two machines, one of them further: two conversations, a conflict, or facts that fit neither."""
    near, far = pair(tmp_path)
    long = tmp_path / "files" / PARTS[0]
    _grow(long, GIVEN / PARTS[0], 1_500_000)
    bring(near, long.parent)
    bring(near, GIVEN / PARTS[2])
    _grow(long, GIVEN / PARTS[0], 10_000_000)
    bring(far, long.parent)
    bring(far, GIVEN / PARTS[1])
    meet(near, far)
    with fresh(tmp_path / "whole") as one:
        bring(one, *(GIVEN / part for part in PARTS[:3]))
        assert sums(near) == sums(far) == sums(one)
    assert conflicts.list(near).items == []
    for clone in (near, far):
        assert {one.state for one in bring(clone, GIVEN / PARTS[0]).conversations} == {"known"}


@pytest.mark.parametrize("time", ["2026-03-01T10:00:00.000Z", "2026-02-11T20:40:00.000Z"], ids=["later", "meanwhile"])
@pytest.mark.parametrize("shared", [1863, 700, 61])
def test_two_clones_that_import_a_session_and_its_fork_apart_count_what_they_share_once(
    tmp_path: Path, time: str, shared: int
) -> None:
    """Tokens and prompts that both clones' conversations have after a sync, or that neither has any more."""
    near, far = pair(tmp_path)
    copied = (GIVEN / PARTS[0]).read_bytes().splitlines()[:shared]
    place = {name: json.loads(copied[50])[name] for name in ("cwd", "gitBranch", "version")}
    more = [
        one
        for n in range(40)
        for one in (
            said(f"n{n}", f"And {n}", time, **place),
            answered(f"a{n}", f"m{n}", "Yes", time=time, **place),
        )
    ]
    fork = write(tmp_path / "files" / f"{OTHER}.jsonl", *copied, *more)
    bring(near, *(GIVEN / part for part in PARTS[:3]))
    bring(far, fork)
    meet(near, far)
    with fresh(tmp_path / "whole") as one:
        bring(one, fork, *(GIVEN / part for part in PARTS[:3]))
        assert sums(near) == sums(far)
        # Which of them has the last result of what they share hangs on where the copy was cut.
        assert sums(near) == sums(one) or time < "2026-02-12"
        expected = conversations.value.add_facts(one.header.facts for one in conversations.list(one).items)
    facts = conversations.value.add_facts(one.header.facts for one in conversations.list(near).items)
    assert replace(facts, turns=0, tools={}) == replace(expected, turns=0, tools={})
    assert sum(tool.results for tool in facts.tools.values()) == sum(tool.results for tool in expected.tools.values())
    assert facts.tool_calls == expected.tool_calls
    assert (facts.messages, facts.prompts) == (156 + 40, 4 + 40)
    assert conflicts.list(near).items == []
    # What grows from here on is known to be where it is now.
    fork.write_bytes(fork.read_bytes() + json.dumps(said("last", "Bye", time)).encode() + b"\n")
    for clone in (far, near):
        bring(clone, fork, *(GIVEN / part for part in PARTS[:3]))
    meet(near, far)
    facts = conversations.value.add_facts(one.header.facts for one in conversations.list(near).items)
    assert (facts.messages, facts.prompts) == (156 + 40, 4 + 41)


def test_a_copy_that_says_nothing_else_goes(tmp_path: Path) -> None:
    """A resumed session in which nothing was said, as a second conversation with the same turns."""
    near, far = pair(tmp_path)
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}
    result = [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]
    entries = [said("a", "Hi"), answered("b", "m", call)]
    bring(near, write(tmp_path / f"{LONG}.jsonl", *entries))
    bring(far, write(tmp_path / f"{OTHER}.jsonl", *entries, said("c", result)))
    meet(near, far)
    items = conversations.list(near, empty=True).items
    facts = conversations.value.add_facts(one.header.facts for one in items)
    assert (facts.messages, facts.prompts, facts.tools["Bash"].calls, facts.tools["Bash"].results) == (1, 1, 1, 1)
    bring(near, write(tmp_path / f"{'8' * 8}{OTHER[8:]}.jsonl", said("x", "Ho", "2026-04-01T10:00:00.000Z")))
    bring(far, write(tmp_path / "y" / f"{'8' * 7}9{OTHER[8:]}.jsonl", said("x", "Ho", "2026-04-01T10:00:00.000Z")))
    meet(near, far)
    assert len([one for one in conversations.list(near).items if one.header.title == "Ho"]) == 1


def test_a_removed_conversation_stays_removed_where_another_clone_went_on(tmp_path: Path) -> None:
    """A removal that a clone's growth undoes, or that keeps what was removed as a conflict (failure mode 24)."""
    near, far = pair(tmp_path)
    small = tmp_path / "files" / PARTS[3]
    _grow(small, GIVEN / PARTS[3], 30_000)
    bring(near, small)
    meet(near, far)
    conversations.remove(near, conversation_id=SMALL)
    _grow(small, GIVEN / PARTS[3], 10_000_000)
    bring(far, small)
    meet(near, far)
    for clone in (near, far):
        assert [path.rpartition("/")[2] for path in content(clone)] == ["conversation.yaml"]
        assert (conversations.list(clone).items, conflicts.list(clone).items) == ([], [])
        assert bring(clone, small).skipped


# -- what is broken ----------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_lines_lost_doubled_swapped_cut_or_strange_never_stop_an_import(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A transcript that something happened to, and an import that ends in an error, or loses what can be read."""
    good = [*(GIVEN / PARTS[3]).read_bytes().splitlines()]
    strange = st.sampled_from(
        [b"", b"{", b"null", b"[]", b"\0\0", b'{"type": "user"}', b'{"type": "x", "uuid": null}', b"\xff\xfe"]
    )
    changed = data.draw(st.lists(st.sampled_from(range(len(good))), max_size=60))
    lines = [good[number] for number in changed]
    for _ in range(data.draw(st.integers(0, 4))):
        lines.insert(data.draw(st.integers(0, len(lines))), data.draw(strange))
    if lines and data.draw(st.booleans()):
        lines[-1] = lines[-1][: len(lines[-1]) // 2]
    folder = tmp_path_factory.mktemp("broken")
    with fresh(folder / "store") as store:
        file = write(folder / f"{OTHER}.jsonl", *lines)
        imported = bring(store, file, format="claude-code")
        held = (
            {turn.id for turn in conversations.turns(store.view(), _folder(store))} if imported.conversations else set()
        )
        prompts = {number for number in changed if b'"content": "' in good[number] and number in (3, 25)}
        assert len(held & {"5440873c-2d59-4c8c-88ec-c0a8c38a027d", "f643538d-cf06-4b9a-9bb0-9ae5c26ea07a"}) >= len(
            prompts - set(changed[-1:])
        )
        head = commits(store.root)
        assert all(one.state == "known" for one in bring(store, file, format="claude-code").conversations)
        assert commits(store.root) == head


def _folder(store: Store) -> str:
    ((folder, _),) = folders(store.view())
    return folder


def test_what_cannot_be_read_is_counted_and_named(store: Store, tmp_path: Path) -> None:
    """Lines that are lost without a word."""
    file = write(tmp_path / f"{OTHER}.jsonl", said("a", "Hi"), b"{oops", b"[]", said("b", "Ho"))
    imported = bring(begin(store), file)
    assert [(line, why.split(":")[0]) for _, line, why in imported.unreadable] == [
        (2, "is not JSON"),
        (3, "is no mapping of keys to values"),
    ]
    (source,) = conversations.show(store, conversation_id=OTHER).conversation.sources
    assert (source.lines, source.unreadable, [line for line, _ in source.places]) == (4, 2, [2, 3])


def test_a_transcript_that_was_rewritten_is_read_anew_and_loses_nothing(store: Store, tmp_path: Path) -> None:
    """A shorter or other file whose cursor points into the void; what vanished from it, vanished here."""
    file = write(tmp_path / f"{OTHER}.jsonl", *(said(f"a{number}", f"Prompt {number}") for number in range(5)))
    bring(begin(store), file)
    write(file, said("a3", "Prompt 3"), said("b", "New"))
    (grown,) = bring(store, file).conversations
    assert (grown.state, grown.conversation.facts.prompts) == ("grown", 6)


def test_half_a_line_waits_and_a_grown_session_costs_little(store: Store, tmp_path: Path) -> None:
    """A half-written line that is imported; a session of 3 MB that is stored anew for one more turn."""
    raw = (GIVEN / PARTS[0]).read_bytes()
    file = tmp_path / PARTS[0]
    file.write_bytes(raw + b'{"type": "us')
    imported = bring(begin(store), file)
    assert imported.waiting == (str(file),)
    before = _objects(store)
    file.write_bytes(raw + json.dumps(said("late", "One more thing")).encode() + b"\n")
    (grown,) = bring(store, file).conversations
    assert (grown.state, grown.entries, grown.conversation.facts.prompts) == ("grown", 1, 5)
    assert _objects(store) - before < 16_000


def _objects(store: Store) -> int:
    return sum(
        file.stat().st_size for file in (store.root / ".git" / "objects").rglob("*") if file.suffix in ("", ".pack")
    )


def test_a_killed_import_is_taken_up_where_it_was(tmp_path: Path) -> None:
    """A kill that leaves a store that is not whole, or entries that are never imported."""
    with fresh(tmp_path / "whole") as store:
        bring(store, GIVEN)
        whole = sums(store)
    fresh(tmp_path / "store").close()
    for delay in (0.05, 0.3, 0.6, 1.0):
        process = spawn(import_in_pieces, tmp_path / "store", GIVEN)
        process.join(0.6 + delay)
        process.kill()
        process.join()
    with Store.open(tmp_path / "store") as store:
        bring(store, GIVEN)
        assert sums(store) == whole
        assert_sound(store.root, litter=True)


# -- what is kept ------------------------------------------------------------------------------------


def test_no_content_is_lost(store: Store) -> None:
    """A block's text of the given transcripts that the store does not hold."""
    bring(begin(store), GIVEN)
    held = "\n".join(raw.decode() for path, raw in content(store).items() if path.endswith(".jsonl"))
    lost = [
        text
        for part in PARTS
        for text in _texts(GIVEN / part)
        if json.dumps(text, ensure_ascii=False)[1:-1] not in held
    ]
    assert lost == []


def _texts(file: Path) -> Iterator[str]:
    for line in file.read_bytes().splitlines():
        entry = json.loads(line)
        blocks = entry.get("message", {}).get("content", ()) if entry["type"] in ("user", "assistant") else ()
        for block in [{"text": blocks}] if isinstance(blocks, str) else blocks:
            inner = block.get("content")
            yield from (block[key] for key in ("text", "thinking") if key in block)
            yield from [inner] if isinstance(inner, str) else (one["text"] for one in inner or () if "text" in one)
            yield from (value for value in block.get("input", {}).values() if isinstance(value, str))


def test_images_are_kept_by_content_and_go_with_their_conversation(store: Store, tmp_path: Path) -> None:
    """Images as text in a record, twice where they are pasted twice, or left behind by a removal."""
    encoded = base64.b64encode(b"\x89PNG picture").decode()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "see"}, image]}
    for name in (OTHER, LONG):
        write(
            tmp_path / f"{name}.jsonl",
            said(f"a{name}", [{"type": "text", "text": "Look"}, image]),
            said(f"b{name}", [result]),
        )
    bring(begin(store), tmp_path)
    (turn, orphan) = conversations.show(store, conversation_id=OTHER).turns
    path = f"projects/spotter/{turn.parts[1].path}"
    assert store.view().read(path) == b"\x89PNG picture"
    assert (orphan.origin, orphan.parts[0].images[0].path) == ("result", turn.parts[1].path)
    assert encoded.encode() not in b"".join(content(store).values())
    conversations.remove(store, conversation_id=OTHER)
    assert store.view().read(path)
    conversations.remove(store, conversation_id=LONG)
    assert store.view().read(path) is None
    assert doctor.check(store).findings == ()


def test_no_secret_reaches_git_from_any_place_of_a_transcript(store: Store, tmp_path: Path) -> None:
    """A secret in a key, a name, a branch, an unknown entry, a title, a path or a cursor that Git keeps for ever."""
    call = {"type": "tool_use", "id": "t", "name": SECRET, "input": {SECRET: [SECRET]}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": SECRET, "is_error": True}
    file = write(
        tmp_path / f"{SECRET}.jsonl",
        said("a", f"My key is {SECRET}", gitBranch=SECRET, cwd=f"/home/{SECRET}", version=SECRET, todos=[SECRET]),
        answered("b", f"m {SECRET}", call, {"type": "thinking", "thinking": SECRET}, {"type": SECRET}),
        said("c", [result], toolUseResult={"stdout": SECRET, SECRET: 1}),
        {"type": SECRET, "sessionId": "s", "uuid": SECRET, SECRET: SECRET},
        {"type": "queue-operation", "operation": "enqueue", "content": SECRET},
        {"type": "progress", "data": {"type": SECRET}},
        {"type": "summary", "summary": SECRET, "leafUuid": "a"},
        {"type": "system", "subtype": SECRET, "content": SECRET, "uuid": "z"},
    )
    begin(store)
    told = bring(store, file, dry_run=True)
    assert (told.dry_run, bool(told.redacted), content(store)) == (True, True, {})
    imported = bring(store, file)
    assert imported.redacted == told.redacted
    conversations.list(store)
    for one in store.root.rglob("*"):
        assert not one.is_file() or SECRET.encode() not in one.read_bytes(), one
    assert SECRET not in git(store.root, "log", "--all", "-p", "--format=%B")
    assert conversations.list(store).items[0].header.title == "[redacted:github-token:1]"
    (kept,) = [conversations.show(store, conversation_id=one.header.id) for one in conversations.list(store).items]
    assert sum(kept.conversation.redacted.values()) > 10


SECRETS = [f"ghp_{letter * 20}{number:016}" for number, letter in enumerate("aBcD")]


@few
@given(
    places=st.lists(st.integers(0, 9), max_size=12),
    cuts=st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=4),
)
def test_secrets_have_the_same_numbers_in_any_number_of_steps(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], cuts: list[tuple[int, bool]]
) -> None:
    """Placeholders whose numbers depend on when a transcript was imported, so that two machines differ."""
    words = [*SECRETS, "nothing", "[redacted:github-token:2]"]
    entries = [said(f"e{number}", f"Key {words[place % len(words)]}") for number, place in enumerate(places)]
    folder = tmp_path_factory.mktemp("numbers")
    file = folder / "files" / f"{OTHER}.jsonl"
    with fresh(folder / "whole") as one, fresh(folder / "steps") as store:
        bring(one, write(file, *entries))
        for cut, forgotten in sorted(cuts):
            bring(store, write(file, *entries[:cut]))
            if forgotten:
                forget(store)
        bring(store, write(file, *entries))
        assert sums(store) == sums(one)


def test_a_record_too_large_for_git_hosts_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that GitHub refuses, so that no sync succeeds any more (failure mode 46)."""
    monkeypatch.setattr("sbfs.transcripts.lines.LONGEST", 2_000)
    huge = [answered(f"h{number}", "m", f"{number} " + "x" * 1_500) for number in range(5)]
    monkeypatch.setattr(lines, "LARGEST", 4_000)
    monkeypatch.setattr(lines, "CLOSED", 1)
    file = write(tmp_path / f"{OTHER}.jsonl", said("a", "Hi"), said("b", "x" * 5_000), *huge, said("c", "Ho"))
    imported = bring(begin(store), file)
    assert [(line, why) for _, line, why in imported.unreadable] == [(2, "is longer than 2000 bytes")]
    assert max(len(raw) for path, raw in content(store).items() if path.endswith(".jsonl")) < 7_000
    assert conversations.list(store).items[0].header.facts.messages == 1
    held = b"".join(content(store).values())
    assert all(b"%d xxx" % number in held for number in range(5))
    assert conversations.list(store).items[0].header.facts.prompts == 2


# -- whose it is -------------------------------------------------------------------------------------


def test_a_transcript_goes_where_its_working_directory_belongs(store: Store, tmp_path: Path) -> None:
    """A rule that is not asked, a source path whose name only begins alike, a question that nobody is asked."""
    projects.add(store, name="api", source_path="/home/pat/api/")
    projects.add(store, name="inner", source_path="/home/pat/api/inner")
    projects.add(store, name="other")
    put(store, "sbfs.yaml", (store.root / "sbfs.yaml").read_text() + "imports:\n  projects:\n    /srv: other\n")
    assert worktree.save(store).invalid == ()
    where = {
        "/home/pat/api": "api",
        "/home/pat/api/inner/x": "inner",
        "/home/pat/apiary": None,
        "/srv/x": "other",
        "": None,
    }
    for number, folder in enumerate(where):
        write(tmp_path / f"{number:08}{OTHER[8:]}.jsonl", said(f"a{number}", "Hi", cwd=folder or None))
    imported = conversations.import_(store, paths=[tmp_path])
    assert {one.project for one in imported.conversations} == {"api", "inner", "other"}
    assert [why for _, why in imported.skipped] == [
        "no project fits /home/pat/apiary",
        "it does not say where it was held",
    ]
    asked: list[str] = []

    def choose(folder: str, names: Sequence[str]) -> str | None:
        asked.append(folder)
        return "api" if "api" in names and folder.startswith("/home") else None

    again = conversations.import_(store, paths=[tmp_path], choose=choose)
    assert ([one.state for one in again.conversations].count("new"), len(again.skipped)) == (1, 1)
    assert asked[0] == "/home/pat/apiary"


def test_a_hash_of_the_working_directory_is_enough(store: Store, tmp_path: Path) -> None:
    """Gemini's folders, which cannot be turned back, and fit no project although one's source path is known."""
    projects.add(store, name="api", source_path="/home/pat/api")
    hashed = hashlib.sha256(b"/home/pat/api").hexdigest()
    message = {"id": "1", "type": "user", "content": "Hi", "timestamp": "2026-01-01T00:00:00Z"}
    file = tmp_path / "session-1.json"
    file.write_text(json.dumps({"sessionId": "g", "projectHash": hashed, "messages": [message]}))
    assert [one.project for one in conversations.import_(store, paths=[file]).conversations] == ["api"]
    answer = {"id": "2", "type": "gemini", "content": "Ho", "tokens": {"input": 1, "output": 2}}
    for text in ("Ho", "Ho ho"):
        file.write_text(
            json.dumps({"sessionId": "g", "projectHash": hashed, "messages": [message, {**answer, "content": text}]})
        )
        (grown,) = conversations.import_(store, paths=[file]).conversations
        assert (grown.state, grown.conversation.facts.messages) == ("grown", 1)
    assert conversations.show(store, conversation_id="g").turns[1].text == "Ho ho"
    forget(store)
    assert [one.state for one in conversations.import_(store, paths=[file]).conversations] == ["known"]


def test_a_person_whose_edit_is_broken_keeps_only_that_conversation(store: Store, tmp_path: Path) -> None:
    """An edit by hand that stops the import of everything else, or is overwritten."""
    for name in (OTHER, LONG):
        write(tmp_path / f"{name}.jsonl", said(f"a{name}", "Hi"))
    bring(begin(store), tmp_path)
    path = conversations.show(store, conversation_id=OTHER).path
    broken = put(store, path, b"a: [1\n")
    for name in (OTHER, LONG):
        write(tmp_path / f"{name}.jsonl", said(f"a{name}", "Hi"), said(f"b{name}", "Ho"))
    imported = bring(store, tmp_path)
    assert [(one.conversation.id, one.state) for one in imported.conversations] == [(LONG, "grown")]
    assert [path in why for _, why in imported.skipped] == [True]
    assert broken.read_bytes() == b"a: [1\n"


def test_undo_takes_an_import_back_and_it_can_be_made_again(store: Store) -> None:
    """A cursor that outlives what it tells of: after an undo nothing would be imported any more."""
    bring(begin(store), GIVEN / PARTS[3])
    before = sums(store)
    history.undo(store)
    assert content(store) == {}
    assert [one.state for one in bring(store, GIVEN / PARTS[3]).conversations] == ["new"]
    assert sums(store) == before
