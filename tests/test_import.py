"""Transcripts into the store: every total, any number of steps, whatever is broken, killed or imported twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from domain_helpers import few
from helpers import assert_sound, commits
from hypothesis import given
from hypothesis import strategies as st
from transcript_helpers import GIVEN, LONG, PARTS, SMALL, begin, bring, content, forget, fresh, sums

from sbfs import conversations
from sbfs.conversations import line as lines
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


@few
@given(steps=_steps(), held=st.sampled_from([0, 40_000, lines.HELD]), piece=st.sampled_from([30_000, 1 << 30]))
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
