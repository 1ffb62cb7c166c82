"""The index: whatever way it came about, it answers as a fresh one would; filters equal a scan; damage is told."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.entry import Entry
from sbfs.errors import Invalid
from sbfs.search.engine import Broken, Engine, Filters, Found, Question

NOW = "2026-11-22T14:03:07.123Z"
WORDS = ["red", "build", "deploy", "deploying", "getStats", "the", "of", "café", "x1"]
VALUES = st.sampled_from(["", "a", "b", "a b", "A", "é", "\0", "\ud800", "v" * 300, "v" * 299 + "w"])
TIMES = st.sampled_from(
    ["", "2026-11-22T14:03:07.123Z", "2026-11-22T14:03:07.124Z", "2026-11-21T00:00:00.000Z", "2025"]
)
PATHS = st.sampled_from(
    ["projects/web/a.yaml", "projects/web-2/b.yaml", "projects/api/inbox/c.yaml", "é/d[1].yaml", "p"]
)

entries = st.builds(
    Entry,
    id=VALUES,
    kind=st.sampled_from(["message", "conversation"]),
    project=VALUES,
    path=PATHS,
    title=st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join),
    timestamp=TIMES,
    group=st.sampled_from(["", "", "g", "h"]),
    seq=st.integers(0, 6),
    speaker=st.sampled_from(["", "Ada"]),
    text=st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    identifiers=st.sampled_from(["", "getStats", "a.b_c"]),
    tool_text=st.sampled_from(["", "red error"]),
    thinking=st.sampled_from(["", "build"]),
    facets=st.dictionaries(
        st.sampled_from(["role", "tags", "group", "kind"]), VALUES | st.lists(VALUES, max_size=2).map(tuple), max_size=2
    ),
    quality=st.none() | st.sampled_from([0.0, 50.0, 99.5, 100.0]),
    due=st.sampled_from(["", "2026-11-22T14:03:07.122Z", NOW, "2026-11-22T14:03:07.124Z"]),
    parent=st.sampled_from(["", "g"]),
)

filters = st.builds(
    Filters,
    words=st.dictionaries(
        st.sampled_from(["kind", "project", "group", "id", "parent", "role", "tags", "nobody"]),
        st.frozensets(VALUES | st.sampled_from(["message", "g"]), min_size=1, max_size=2),
        max_size=2,
    ),
    since=TIMES,
    until=TIMES,
    path=st.sampled_from(
        ["", "projects/web", "projects/web/", "projects/*/inbox/*", "*.yaml", "é/", "é/d[[]1].yaml", "?"]
    ),
    quality_from=st.none() | st.sampled_from([0.0, 50.0, 60.0]),
    quality_to=st.none() | st.sampled_from([0.0, 50.0, 100.0]),
    now=st.sampled_from(["", NOW]),
)

changes = st.lists(st.tuples(st.integers(0, 9), st.none() | entries), max_size=12)


def note(id: str, text: str = "", **fields: object) -> tuple[str, str, Entry]:
    """Something to add: an entry that is its own key."""
    given = {"kind": "message", "project": "web", "path": f"projects/web/{id}.yaml", "text": text}
    return id, f"blob-{id}", Entry(id=id, **given | fields)


def turns(group: str, *texts: str) -> list[tuple[str, str, Entry]]:
    """A conversation."""
    return [note(f"{group}#{seq}", text, group=group, seq=seq, parent=group) for seq, text in enumerate(texts)]


@pytest.fixture
def engine(tmp_path: Path):
    """An empty index."""
    engine = Engine.create(tmp_path / "index")
    yield engine
    engine.close()


def ask(engine: Engine, text: str, **given: object) -> list[str]:
    """The keys that a question finds, best first."""
    return [hit.key for hit in engine.search(Question(text, **given)).hits]


def answers(engine: Engine, questions: list[Question]) -> list[list[tuple[str, float]]]:
    """Keys and scores, comparable between indexes."""
    found = (engine.search(question).hits for question in questions)
    return [[(hit.key, pytest.approx(hit.score, abs=1e-6)) for hit in hits] for hits in found]


# -- what is there ---------------------------------------------------------------------------------


def test_what_is_added_is_found_and_what_is_removed_is_not(engine: Engine):
    """A record that was written a moment ago is found now; a deleted one never again."""
    engine.apply([], [note("a", "the build is red"), note("b", "a red herring")])
    assert sorted(ask(engine, "red")) == ["a", "b"]
    engine.apply(["a"], [note("c", "building in red")])
    assert sorted(ask(engine, "is the build red?")) == ["b", "c"]
    assert engine.keys() == {"b": "blob-b", "c": "blob-c"}
    assert engine.count() == 2


def test_what_is_added_again_replaces(engine: Engine):
    """A record that changed must not be found by what it said before, nor twice by what it still says."""
    engine.apply([], [note("a", "red build")])
    engine.apply([], [note("a", "green build")])
    engine.apply([], [note("a", "green build, again")])
    assert ask(engine, "build") == ["a"]
    assert ask(engine, "red") == []
    assert engine.count() == 1


def test_a_hit_says_what_lists_need(engine: Engine):
    """Lists are printed from hits alone."""
    entry = replace(
        turns("g", "red build")[0][2], title="News", timestamp=NOW, due=NOW, local_id="uuid", project="web", seq=3
    )
    engine.apply([], [("k", "blob", entry)])
    (hit,) = engine.search(Question("build")).hits
    said = {
        name: getattr(hit, name) for name in ("id", "kind", "project", "path", "group", "seq", "timestamp", "title")
    }
    assert said == {name: getattr(entry, name) for name in said}
    assert (hit.key, hit.blob, hit.due, hit.parent, hit.local_id) == ("k", "blob", NOW, "g", "uuid")
    assert hit.score > 0
    assert hit.matched == ("build",)


def test_every_part_of_an_entry_is_searched_but_thinking_only_when_asked(engine: Engine):
    """Title, text, speaker, names of code, tools and date; what a model thought is private until asked for."""
    engine.apply(
        [],
        [
            note("title", title="Zebra crossing"),
            note("text", "many zebras"),
            note("speaker", "hello", speaker="Zebra"),
            note("names", identifiers="getZebraStats"),
            note("tool", tool_text="zebra: command not found"),
            note("thinking", thinking="perhaps a zebra"),
            note("dated", "hello", timestamp=NOW),
        ],
    )
    assert set(ask(engine, "zebra")) == {"title", "text", "speaker", "names", "tool"}
    assert set(ask(engine, "zebra", thinking=True)) == {"title", "text", "speaker", "names", "tool", "thinking"}
    assert ask(engine, "zebra")[0] == "title"
    assert ask(engine, "what was said on 22 November?") == ["dated"] == ask(engine, "2026-11-22")
    assert ask(engine, "getZebraStats")[0] == "names" == ask(engine, "stats")[0]


def test_a_question_without_words_lists_the_newest(engine: Engine):
    """`search --kind message` alone asks for what is new."""
    times = {"old": "2026-11-20T00:00:00.000Z", "new": NOW, "never": ""}
    engine.apply([], [note(id, timestamp=time) for id, time in times.items()])
    assert ask(engine, " ") == ["new", "old", "never"]
    assert ask(engine, "", filters=Filters(until=NOW)) == ["old"]
    assert ask(engine, "the of") == []


# -- ranking ---------------------------------------------------------------------------------------


def test_an_answer_without_the_words_is_found_beside_the_question(engine: Engine):
    """Answers seldom repeat the question's words; without its neighbours such a turn is never found."""
    engine.apply([], [*turns("g", "what is the deploy key?", "it is kept in the vault"), *turns("h", "hello", "bye")])
    assert ask(engine, "deploy key") == ["g#0", "g#1"]
    assert ask(engine, "deploy key", neighbours=False) == ["g#0"]
    assert engine.search(Question("deploy key")).total == 1


def test_scores_are_not_lent_to_another_conversation(engine: Engine):
    """Turns that merely lie beside each other in the index have nothing to do with each other."""
    engine.apply([], [*turns("g", "hello", "the deploy key"), *turns("h", "it is here", "bye")])
    assert set(ask(engine, "deploy key")) == {"g#0", "g#1"}


def test_neighbours_are_found_wherever_they_were_added(engine: Engine):
    """A conversation grows: its next turn comes in a later commit, or an earlier one is written anew."""
    first, second, third = turns("g", "hello", "the deploy key", "it is here")
    engine.apply([], [second, *turns("h", "hello", "hello")])
    engine.apply([], [third])
    engine.apply([], [first])
    assert ask(engine, "deploy key")[0] == "g#1"
    assert set(ask(engine, "deploy key")) == {"g#0", "g#1", "g#2"}


def test_a_conversation_about_it_lifts_its_turns(engine: Engine):
    """Of two like turns, the one whose whole conversation is about the question is meant."""
    about = turns("g", "deploy tonight", "x", "x", "x", "the key is lost", "x", "x", "x", "deploy failed")
    other = turns("h", "lunch tonight", "x", "x", "x", "the key is lost", "x", "x", "x", "lunch was late")
    engine.apply([], [*about, *other])
    assert ask(engine, "lost key deploy").index("g#4") < ask(engine, "lost key deploy").index("h#4")


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, max_size=8), filters, st.sampled_from(["", "red build", "getStats deploy", "café of"]))
def test_filters_equal_a_scan_and_leave_scores_alone(given: list[Entry], wanted: Filters, text: str):
    """Whatever values facets, times and paths have; and a record is as good as it is, whoever else is admitted."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.create(Path(folder) / "index")
        every = {f"k{number}": entry for number, entry in enumerate(given)}
        half = len(given) // 2
        engine.apply([], [(key, "b", entry) for key, entry in [*every.items()][:half]])
        engine.apply([], [(key, "b", entry) for key, entry in [*every.items()][half:]])
        whole = {hit.key: hit.score for hit in engine.search(Question(text)).hits}
        found = {hit.key: hit.score for hit in engine.search(Question(text, wanted)).hits}
        admitted = {key for key, entry in every.items() if wanted.admits(entry)}
        assert found == {key: score for key, score in whole.items() if key in admitted}
        engine.close()


@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.15, 0.01])
def test_of_many_the_best_admitted_come_whatever_share_they_are(tmp_path: Path, share: float):
    """A filter that is applied to the best of all only, where more are wanted than those hold; equal scores apart."""
    chance = random.Random(7)
    engine = Engine.create(tmp_path / "index")
    moments = [f"2026-11-{day:02}T00:00:00.000Z" for day in range(1, 29)]
    for part in range(2):
        given = []
        for number in range(700):
            red = chance.randint(0, 3)
            # What is admitted is what scores least.
            said = {"quality": 25 * (red + chance.random()), "timestamp": chance.choice(moments)}
            given.append(note(f"n{part}-{number}", "red " * red + "build deploy", identifiers="okapi", **said))
        engine.apply([], given)
    admitted = Filters(quality_to=100 * share)
    for text in ("red", "build red", "okapi"):
        whole = engine.search(Question(text, limit=2_000, neighbours=False)).hits
        listed = {hit.key for hit in engine.search(Question("", admitted, limit=2_000)).hits}
        wanted = [hit.key for hit in whole if hit.key in listed]
        found = engine.search(Question(text, admitted, limit=150, neighbours=False))
        assert [hit.key for hit in found.hits] == wanted[:150]
        assert found.total == len(wanted)
    engine.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(changes, max_size=5), st.booleans())
def test_any_sequence_of_changes_equals_a_fresh_index(commits: list[list[tuple[int, Entry | None]]], rebuild: bool):
    """Adds, replacements and removals in any order, merged or not: the same records, hits and scores."""
    questions = [Question(text) for text in ("", "red build deploy", "getStats", "café of")]
    questions += [Question("build OR red -deploy", syntax=True), Question('"red build"', syntax=True)]
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.create(Path(folder) / "index")
        state: dict[str, Entry] = {}
        for commit in commits:
            # Of a group, no two have the same place.
            latest = {key: entry and replace(entry, seq=key + 1) for key, entry in commit}
            engine.apply(
                [f"k{key}" for key, entry in latest.items() if entry is None],
                [(f"k{key}", "b", entry) for key, entry in latest.items() if entry is not None],
            )
            state = {key: entry for key, entry in state.items() if latest.get(int(key[1:]), entry) is not None}
            state |= {f"k{key}": entry for key, entry in latest.items() if entry is not None}
            assert engine.keys() == dict.fromkeys(state, "b")
        if rebuild:
            engine.apply([], [], rebuild=True)
        fresh = Engine.create(Path(folder) / "fresh")
        fresh.apply([], [(key, "b", entry) for key, entry in state.items()])
        if rebuild:
            fresh.apply([], [], rebuild=True)
        assert [sorted(one, key=lambda hit: hit[0]) for one in answers(engine, questions)] == [
            sorted(one, key=lambda hit: hit[0]) for one in answers(fresh, questions)
        ]
        engine.close()
        fresh.close()


def test_equal_hits_come_in_the_same_order_from_any_index(tmp_path: Path):
    """Else two clones of one store would show different pages."""
    given = [note(f"n{number}", "red", timestamp=NOW) for number in range(40)]
    forwards, backwards = Engine.create(tmp_path / "a"), Engine.create(tmp_path / "b")
    forwards.apply([], given)
    for one in reversed(given):
        backwards.apply([], [one])
    assert ask(forwards, "red", limit=10) == ask(backwards, "red", limit=10)
    assert ask(forwards, "", limit=10) == ask(backwards, "", limit=10)


def test_many_small_commits_are_merged_and_still_found(engine: Engine):
    """Whoosh merges small segments through our own codec: places of phrases and weights must survive it."""
    for number in range(40):
        engine.apply([f"n{number - 7}"], [note(f"n{number}", f"word{number} red red build {'red ' * (number % 3)}")])
    assert len(list(engine.folder.glob("*.seg"))) < 20
    assert ask(engine, "word39") == ["n39"]
    assert set(ask(engine, '"red build"', syntax=True, limit=50)) == {f"n{number}" for number in range(33, 40)}


def test_a_large_build_in_several_commits_is_one_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Memory is bounded by writing a large build piece by piece."""
    monkeypatch.setattr("sbfs.search.engine.SEGMENT", 50)
    engine = Engine.create(tmp_path / "index")
    told: list[int] = []
    engine.apply(
        [], [note(f"n{number}", f"red word{number}") for number in range(60)], rebuild=True, progress=told.append
    )
    assert engine.count() == len(engine.keys()) == 60
    assert told == list(range(1, 61))
    assert ask(engine, "word3") == ["n3"]


# -- misspelt words --------------------------------------------------------------------------------


def test_unknown_words_stand_for_their_nearest(engine: Engine):
    """`adpotion` finds the adoption, and says so; a known word stands for itself."""
    engine.apply([], [note("a", "the adoption agency"), note("b", "getConversationStats is slow")], rebuild=True)
    found = engine.search(Question("adpotion"))
    assert [hit.key for hit in found.hits] == ["a"]
    assert found.spelled == {"adpotion": ("adoption",)}
    assert found.hits[0].matched == ("adopt",)
    assert ask(engine, "getConvStat") == ["b"]
    assert engine.search(Question("adoption")).spelled == {}
    assert engine.search(Question("zzzzqqq")) == Found([], total=0, spelled={}, terms=("zzzzqqq",))


def test_a_search_loads_no_more_than_it_needs(tmp_path: Path):
    """Whoosh, numpy and scikit-learn take longer to load than a search does; a new store's first one, too."""
    engine = Engine.create(tmp_path / "index")
    engine.apply([], [note("a", "red build", timestamp=NOW)], rebuild=True)
    engine.fit(due=True)
    program = (
        "import sys; from pathlib import Path; from sbfs.search.engine import *\n"
        f"e = Engine.open(Path({str(tmp_path / 'index')!r}))\n"
        "f = e.search(Question('red builds', Filters(words={'kind': frozenset(['message'])}, since='2026')))\n"
        "assert len(f.hits) == 1\n"
        "assert not {'numpy', 'sklearn', 'scipy', 'whoosh.index', 'pickle'} & sys.modules.keys()\n"
        "e.search(Question('biuld'))\n"
        "assert not {'sklearn', 'scipy'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# -- damage, crowds and hostility ------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed", "flipped"])
def test_every_damaged_file_is_told_or_harmless(tmp_path: Path, damage: str):
    """Whatever a damaged index does, callers see Broken, or an answer; never another error."""
    engine = Engine.create(tmp_path / "index")
    engine.apply([], [note(f"n{number}", f"red build {number}", timestamp=NOW) for number in range(20)], rebuild=True)
    engine.fit()
    engine.apply(["n3"], [note("late", "red again")])
    engine.close()
    for file in sorted((tmp_path / "index").rglob("*")):
        if not file.is_file():
            continue
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "index", copy)
        _damage(copy / file.relative_to(tmp_path / "index"), damage)
        try:
            hurt = Engine.open(copy)
            hurt.search(Question("biuld red"))
            hurt.search(Question('"red build" -again kind:message', syntax=True))
            hurt.like(None, "red build", Filters(since="2026"), 5)
            hurt.keys()
            hurt.apply(["n4"], [note("n5", "more")])
            hurt.close()
        except (Broken, Invalid):
            pass
        shutil.rmtree(copy)


def test_bytes_that_change_anywhere_are_told_or_harmless(tmp_path: Path):
    """A number that lies, in a file that is read without Whoosh: an error that is not Broken, or no end."""
    chance = random.Random(11)
    whole, hurt = tmp_path / "index", tmp_path / "hurt"
    engine = Engine.create(whole)
    engine.apply([], [*turns("g", *(f"red build {number}" for number in range(30))), note("a", "getStats red")])
    engine.apply(["g#3"], [note("b", "red again")])
    engine.fit()
    engine.close()
    named = sorted(file for file in whole.rglob("*") if file.is_file() and file.stat().st_size)
    for _ in range(60):
        shutil.copytree(whole, hurt)
        file = hurt / chance.choice(named).relative_to(whole)
        data = bytearray(file.read_bytes())
        for _ in range(chance.choice((1, 3, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        file.write_bytes(data)
        with contextlib.suppress(Broken, Invalid):
            opened = Engine.open(hurt)
            opened.search(Question("biuld red", Filters(path="p*")))
            opened.search(Question('"red build" -again OR num*', syntax=True))
            opened.like(None, "red build", Filters(), 5)
            opened.apply(["a"], [note("c", "more")])
            opened.close()
        shutil.rmtree(hurt)


def _damage(file: Path, damage: str) -> None:
    data = bytearray(file.read_bytes())
    if damage == "removed":
        file.unlink()
        return
    if damage == "flipped":
        for at in range(0, len(data), max(1, len(data) // 7)):
            data[at] ^= 0xFF
    file.write_bytes(b"" if damage == "emptied" else data[: len(data) // 2] if damage == "truncated" else data)


def test_a_folder_without_an_index_is_broken(tmp_path: Path):
    """Nothing there, something else there, or an index already there."""
    with pytest.raises(Broken):
        Engine.open(tmp_path)
    Engine.create(tmp_path / "index")
    with pytest.raises(Broken):
        Engine.create(tmp_path / "index")


def test_a_failed_writing_leaves_the_index_as_it_was(engine: Engine):
    """An entry that cannot be read while the index is written must not cost what is there, nor leave it locked."""
    engine.apply([], [note("a", "red")])

    def entries():
        yield note("b", "red")
        raise Invalid("cannot be read", path="c.yaml")

    with pytest.raises(Invalid):
        engine.apply(["a"], entries())
    assert ask(engine, "red") == ["a"]
    engine.apply([], [note("c", "red")])
    assert sorted(ask(engine, "red")) == ["a", "c"]


def test_readers_see_whole_commits_while_others_write(tmp_path: Path):
    """Two writers and a reader at once: no error, every commit whole, and all of them in the end."""
    Engine.create(tmp_path / "index").close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_pairs, args=(tmp_path / "index", name)) for name in "ab"]
    for writer in writers:
        writer.start()
    engine = Engine.open(tmp_path / "index")
    while any(writer.is_alive() for writer in writers):
        assert engine.search(Question("red")).total % 2 == 0
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert engine.search(Question("red")).total == 40 == engine.count()


def _write_pairs(folder: Path, name: str) -> None:
    engine = Engine.open(folder)
    for number in range(10):
        engine.apply([], [note(f"{name}{number}{half}", "red") for half in "xy"])


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"word{number}" for number in range(10_000)),
        "red " * 100_000,
        "a" * 1_000_000,
        "a_" * 50_000,
        "a.B" * 50_000,
        "\0" * 1000 + "red",
        "\ud800 red \udfff",
        'red AND (OR NOT "*?[]{}^~:/\\',
        "(a+)+" * 1000,
        "2026-11-22 " * 5_000,
    ],
)
def test_hostile_questions_are_answered_in_bounded_time(engine: Engine, text: str):
    """A pasted log, a word of a megabyte, what is an operator elsewhere: words like any other."""
    engine.apply([], [note("a", "red build " + " ".join(f"word{number}" for number in range(200)))], rebuild=True)
    start = time.process_time()
    engine.search(Question(text, thinking=True))
    assert time.process_time() - start < 10


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_entry_can_be_indexed_and_any_question_asked(text: str, question: str):
    """Keys, ids, paths and texts are what people and files make them."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.create(Path(folder) / "index")
        entry = Entry(id=text, kind=text, project=text, path=text.replace("\0", ""), title=text, text=text, group=text)
        engine.apply([], [(text, text, entry)])
        assert engine.keys() == {text: text}
        engine.search(Question(question))
        assert ask(engine, "", filters=Filters(words={"kind": frozenset([text]), "group": frozenset([text])})) == [text]
        engine.apply([text], [])
        assert engine.keys() == {}
        engine.close()


def test_the_engine_writes_only_below_its_folder(tmp_path: Path, hermetic: Path):
    """Temporary files elsewhere would be left by a kill, and read by others."""
    engine = Engine.create(tmp_path / "index")
    engine.apply([], [note("a", "red")], rebuild=True)
    assert [one.name for one in tmp_path.iterdir()] == ["index"]
    assert not list(hermetic.rglob("*"))
    assert not list((tmp_path / "index").rglob("*.tmp"))
