"""Who calls what, over all own cases: one test for each feature of each language."""

from __future__ import annotations

import json

import pytest
from callgraph_cases import CASES, Score, differences, edges_of, linked, outside_cases, own_cases

FEATURES = sorted({(path.parent.parent.name, path.parent.name) for path in CASES.glob("*/*/*.txt")})

LEAST = {"python": 130, "javascript": 30, "typescript": 20, "ruby": 45}
"""Cases that each language has at least."""


@pytest.mark.parametrize(("language", "feature"), FEATURES, ids=lambda part: str(part))
def test_every_case_gives_its_edges(language, feature):
    wrong = {case.name: found for case in own_cases(language, feature) if (found := differences(case))}
    assert not wrong, "\n".join(f"{name}: {line}" for name, lines in wrong.items() for line in lines)


def test_there_are_enough_cases():
    counted = {language: len(own_cases(language)) for language in LEAST}
    assert all(counted[language] >= least for language, least in LEAST.items()), counted
    assert len(own_cases()) >= 250


def test_the_cases_reach_the_figures_that_are_set():
    """Small programs: precision and recall of at least .98 for exact and inferred edges; what is admitted is wrong."""
    score = Score()
    for case in own_cases():
        score.add(edges_of(*linked(case.files)), case.expected_at("inferred"))
    assert score.precision >= 0.98
    assert score.recall >= 0.98


def test_an_outside_folder_is_read(tmp_path):
    case = tmp_path / "imports" / "plain"
    case.mkdir(parents=True)
    (case / "main.py").write_text("from other import f\nf()\n")
    (case / "other.py").write_text("def f():\n    pass\n")
    (case / "callgraph.json").write_text(json.dumps({"main": ["other.f"], "other": [], "other.f": []}))
    (found,) = outside_cases(tmp_path)
    assert (found.language, found.feature, found.name) == ("python", "imports", "plain")
    assert edges_of(*linked(found.files)) == found.expected == {("main", "other.f")}
