"""The advanced syntax: what it means, what it refuses, and where its errors point."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sbfs.entry import Entry
from sbfs.errors import Invalid
from sbfs.search.engine import Engine, Question
from sbfs.search.syntax import LONGEST, MOST

RECORDS = {
    "red": {
        "title": "Build is red",
        "text": "the build failed on main",
        "facets": {"role": "user", "status": "unread"},
    },
    "green": {"title": "Build is green", "text": "main was deployed", "facets": {"role": "user", "status": "read"}},
    "state": {"title": "", "text": "the state of the art is red", "facets": {"role": "tool", "box": "a b"}},
    "name": {"title": "Parser", "text": "see parse_query", "identifiers": "LeafMatcher", "facets": {"role": "user"}},
    "deep": {"title": "", "text": "nothing", "tool_text": "permission denied", "thinking": "perhaps green woman"},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An index of those records."""
    engine = Engine.create(tmp_path_factory.mktemp("syntax") / "index")
    entries = [
        (key, "blob", Entry(id=key, kind="message", project="web", path=f"{key}.yaml", **fields))
        for key, fields in RECORDS.items()
    ]
    engine.apply([], entries[:3])
    engine.apply([], entries[3:])
    return engine


def found(engine: Engine, query: str) -> set[str]:
    """The keys that a query finds."""
    answer = engine.search(Question(query, syntax=True))
    assert answer.total == len(answer.hits)
    return {hit.key for hit in answer.hits}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("build", {"red", "green"}),
        ("build red", {"red"}),
        ("build AND failing", {"red"}),
        ("red OR deployed", {"red", "green", "state"}),
        ("build -red", {"green"}),
        ("NOT build", {"state", "name", "deep"}),
        ("NOT NOT build", {"red", "green"}),
        ("build (red OR deployed) -failed", {"green"}),
        ('"build is red"', {"red"}),
        ('"red build"', set()),
        ('"state of the art"', {"state"}),
        ('"state art"', set()),
        ('text:"build failed"', {"red"}),
        ("title:red", {"red"}),
        ("text:red", {"state"}),
        ("the build", {"red", "green"}),
        ("role:user", {"red", "green", "name"}),
        ("role:user -status:read", {"red", "name"}),
        ('box:"a b"', {"state"}),
        ("box:a", set()),
        ("kind:message build", {"red", "green"}),
        ("deploy*", {"green"}),
        ("b?ild", {"red", "green"}),
        ("title:b*d", {"red", "green"}),
        ("text:b*d", {"red"}),
        ("name:leaf*", {"name"}),
        ("LeafMatcher", {"name"}),
        ("parse_query", {"name"}),
        ("leaf", {"name"}),
        ("tool:denied", {"deep"}),
        ("thinking:perhaps", {"deep"}),
        ('thinking:"green woman"', {"deep"}),
        ("perhaps", set()),
        ("wom?n OR nothing", {"deep"}),
        ("nowhere", set()),
    ],
)
def test_queries_mean_what_the_page_says(engine: Engine, query: str, keys: set[str]):
    """Each form of the syntax, on records that differ in what it asks for."""
    assert found(engine, query) == keys


@pytest.mark.parametrize(
    ("query", "position", "says"),
    [
        ("build (red", 6, "not closed"),
        ("build red)", 9, "closes none"),
        ('build "red', 6, "quote is not closed"),
        ("build AND", 9, "missing"),
        ("OR build", 0, "stands between"),
        ("build ( )", 8, "missing"),
        ("title: build", 6, "missing"),
        ("colour:red", 0, "nothing has a field"),
        ("a*", 0, "too many words"),
        ("x y*z*a*b*c*d", 2, "too many words"),
        ('"the"', 0, "no word in this phrase"),
        ('tool:"permission denied"', 5, "phrases can be asked"),
        ("red ?!", 4, "too many words"),
        ("red !!", 4, "no letter"),
        (" ".join(["red"] * (MOST + 1)), 4 * MOST, "more than"),
        ("(" * 30 + "red", 20, "parentheses in each other"),
    ],
)
def test_errors_point_at_the_character(engine: Engine, query: str, position: int, says: str):
    """Who writes a query has to see where it went wrong."""
    with pytest.raises(Invalid) as error:
        engine.search(Question(query, syntax=True))
    assert error.value.details["position"] == position
    assert says in error.value.sentence
    shown, pointer = error.value.sentence.splitlines()[1:]
    assert shown[pointer.index("^") :][:5] == query[position : position + 5]


def test_a_query_of_stop_words_alone_is_refused(engine: Engine):
    """It could find nothing, and would look like an answer."""
    with pytest.raises(Invalid, match="left out"):
        engine.search(Question("the of", syntax=True))


def test_hits_name_the_terms_for_marking(engine: Engine):
    """Snippets mark what matched; what was excluded is not marked."""
    (hit,) = engine.search(Question("build -deployed", syntax=True)).hits
    assert hit.matched == ("build",)
    (hit,) = engine.search(Question("text:fail*", syntax=True)).hits
    assert hit.matched == ("fail",)


@given(st.text(alphabet='ab "()*?:-\\[]{}^$.|+#\0\ud800 ANDORT\n', max_size=60))
@example("(a+)+" * 20 + "*")
@example("[a-z]*b*")
def test_any_query_is_answered_or_refused(engine: Engine, query: str):
    """Nothing that can be typed may end in a traceback."""
    with suppress(Invalid):
        assert engine.search(Question(query, syntax=True)).total is not None


@pytest.mark.parametrize(
    "query",
    [
        "a" * (LONGEST + 1),
        "-" * LONGEST,
        "NOT " * (LONGEST // 4),
        "(" * LONGEST,
        '"' * LONGEST,
        "*a" * (LONGEST // 2),
        "title:" * (LONGEST // 6),
        "build* " * (MOST - 1),
    ],
)
def test_long_queries_take_no_long_time(engine: Engine, query: str):
    """A query is bounded by its length, not by what it would expand to."""
    start = time.process_time()
    with suppress(Invalid):
        engine.search(Question(query, syntax=True))
    assert time.process_time() - start < 5


def test_a_pattern_that_stands_for_too_many_words_is_refused(tmp_path: Path):
    """Else one pattern reads the whole index."""
    engine = Engine.create(tmp_path / "index")
    text = " ".join(f"wo{number}rd" for number in range(1_500))
    engine.apply([], [("a", "b", Entry(id="a", kind="message", project="", path="a", text=text))])
    with pytest.raises(Invalid, match="stands for more than"):
        engine.search(Question("wo*rd", syntax=True))
    assert engine.search(Question("wo12*rd", syntax=True)).total == 1
