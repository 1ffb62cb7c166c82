"""Facts that are handed from process to process are those that the file's shard says."""

from __future__ import annotations

from pathlib import Path

import pytest
from callgraph_cases import own_cases

from sbfs.code import passing, shards
from sbfs.code.facts import Facts
from sbfs.code.reading import read

SBFS = Path(__file__).resolve().parent.parent / "sbfs"


def everything() -> list[Facts]:
    """Facts of files in all languages: sbfs itself, and the cases of the call graph."""
    own = {file.relative_to(SBFS).as_posix(): file.read_bytes() for file in sorted(SBFS.rglob("*.py"))}
    files = [*own.items(), *(each for case in own_cases() for each in case.files.items())]
    return [read(path, raw) for path, raw in files]


def test_facts_that_are_settled_are_those_of_the_shard_and_stay_the_same_on_their_way():
    found = everything()
    assert {"python", "typescript", "javascript", "ruby"} <= {one.language for one in found}
    for facts in found:
        raw = shards.dump(facts, exact=True)
        assert raw == shards.dump(facts)
        packed = passing.pack(facts)
        passing.settle(facts)
        assert facts == shards.load(facts.path, raw) == passing.unpack(packed)


@pytest.mark.parametrize("key", [float("inf"), "\ud800"])
def test_what_a_shard_cannot_hold_is_refused_where_it_must_be_exact(key):
    facts = read("a.py", b"def f():\n    return g()\n")
    facts.symbols[-1].flows[0] = ["return", ["item", "x", key]]
    with pytest.raises(ValueError):
        shards.dump(facts, exact=True)
    assert shards.load("a.py", shards.dump(facts)) != facts


@pytest.mark.parametrize("text", ["~", "~~", "a~b", "~a~", '["attr","a","b"]', "=", ""])
def test_texts_that_look_like_what_a_shard_writes_for_others_stay_what_they_are(text):
    facts = read("a.py", b"def f(x, y=1):\n    return x.a.b\n")
    forms = [text, ["attr", "x", text], ["attr", ["attr", "x", "y"], text], ["attr", text, "x"], ["lit", "str", text]]
    facts.symbols[-1].flows[0] = ["return", ["list", [["lit", "str"], *forms]]]
    passing.settle(facts)
    assert shards.load("a.py", shards.dump(facts)) == facts
