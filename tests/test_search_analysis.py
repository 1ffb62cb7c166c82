"""Words, stems, names of code and dates: both sides of search see text the same way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbfs.entry import Entry
from sbfs.search import analysis


def entry(**fields: object) -> Entry:
    """An entry with nothing in it but what is given."""
    return Entry(**{"id": "a", "kind": "message", "project": "web", "path": "a.yaml"} | fields)


def stems(text: str) -> list[str]:
    """What a question asks for."""
    return [term.stem for term in analysis.ask(text) if term.stem]


def test_words_end_at_punctuation_and_lose_their_possessive():
    """`group?` must ask for group, and Caroline's for Caroline; an inner apostrophe is part of the word."""
    assert analysis.words("Caroline's group? isn't: RED-ish, caf\u00e9 o\u2019clock") == [
        "caroline", "group", "isn't", "red", "ish", "café", "o'clock",
    ]  # fmt: skip


def test_questions_lose_the_words_they_are_made_of():
    """Words that stand in every question score and cost time if they are looked for."""
    assert stems("When did I tell you about the failing builds, and who was it?") == ["tell", "fail", "build"]


def test_a_word_is_asked_once_whatever_its_form():
    """A word that is written twice would count twice."""
    assert stems("deploy deployed deploying") == ["deploi"]


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("getConversationStats", {"getconversationstats", "get", "conversation", "stats"}),
        ("parse_HTTPHeader2", {"parse_httpheader2", "parse", "http", "header", "2"}),
        ("sbfs.search.open_index", {"sbfs.search.open_index", "sbfs", "search", "open_index", "open", "index"}),
        ("src/my-app/main.py", {"src/my-app/main.py", "src", "my", "app", "main", "py"}),
        ("__init__", {"__init__", "init"}),
        ("the", {"the"}),
    ],
)
def test_names_are_split_and_kept_whole(name: str, terms: set[str]):
    """A name of code is asked for as it is written, or by a part of it that somebody remembers."""
    assert terms <= set(analysis.names(name))


def test_prose_holds_names_only_where_it_looks_like_code():
    """Else every word of a mail would stand in the index a second time."""
    assert not list(analysis.names_in_prose("The build is red. Please look (again); and/or wait"))[3:]
    found = set(analysis.names_in_prose("call get_stats() in engine.py or Cache::dropAll."))
    assert {"get_stats", "engine.py", "cache::dropall", "stats", "drop"} <= found


def test_a_date_is_found_in_words_and_in_figures():
    """People ask for `22 November`; records hold 2026-11-22."""
    body = analysis.analyse(entry(timestamp="2026-11-22T14:03:07.123Z")).body
    assert set(stems("22 November 2026")) == set(body)
    assert set(stems("what happened on 2026-11-22?")) >= set(body)
    assert analysis.date_words("soon") == "" == analysis.date_words("2026-13-01")


def test_the_speaker_belongs_to_the_text_and_places_count_stop_words():
    """A question that names the speaker must find the turn; a phrase must know what stands between its words."""
    body = analysis.analyse(entry(speaker="Ada", text="the state of the art")).body
    assert body == {"ada": [0], "state": [2], "art": [5]}


def test_tool_output_keeps_its_small_words():
    """Its stop words may be names of commands."""
    assert "who" in analysis.analyse(entry(tool_text="$ who -a")).tool


def test_marks_show_every_form_of_a_term():
    """What is marked in a snippet is what was matched: other forms of the word, and names that hold it."""
    text = "Deployed? Yes: deploying's hard; see deploy_now and redeploy."
    spans = [text[start:end] for start, end in analysis.marks(text, ["deploi", "deploy"])]
    assert spans == ["Deployed", "deploying's", "deploy_now"]


def test_letters_that_look_the_same_are_the_same():
    """A composed and a decomposed accent are one letter to whoever types it."""
    assert analysis.words("cafe\u0301") == analysis.words("caf\u00e9")


@given(st.text(), st.text())
def test_any_text_can_be_analysed_and_asked(text: str, more: str):
    """Text comes from people, models and files: NULs, surrogates and every script."""
    terms = analysis.analyse(entry(text=text, title=more, tool_text=text, identifiers=more, thinking=text))
    assert all(places == sorted(places) for places in terms.body.values())
    assert all(0 <= start <= end <= len(text) for start, end in analysis.marks(text, terms.body))
    analysis.ask(text)


@given(st.text(alphabet="abcAB_./' é’0", max_size=40))
def test_what_is_written_is_found_by_the_same_words(text: str):
    """A record's own text as a question must ask for terms that the record has."""
    terms = analysis.analyse(entry(text=text))
    for term in analysis.ask(text):
        assert term.stem in terms.body if term.stem else term.word in terms.names
