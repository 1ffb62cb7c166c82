"""TF-IDF: numpy answers as scikit-learn would, for texts that are alike, for labels, and where no index is left."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy
import pytest

from sbfs.entry import Entry
from sbfs.search import matrix
from sbfs.search.engine import Broken, Engine, Filters, Question
from sbfs.search.fits import LITTLE
from sbfs.search.matrix import Matrix
from sbfs.search.spelling import Spelling, grams

TEXTS = {
    "build": "the build is red since the parser was changed",
    "builds": "builds are red: somebody changed the parser",
    "lunch": "lunch is late, and the soup is cold",
    "soup": "cold soup again for lunch",
}


def note(key: str, text: str, **fields: str) -> tuple[str, str, Entry]:
    """Something to add."""
    given = {"kind": "message", "project": "web", "path": f"{key}.yaml"} | fields
    return key, f"blob-{key}", Entry(id=key, text=text, **given)


@pytest.fixture
def engine(tmp_path: Path):
    """An index that was fitted to those texts."""
    engine = Engine.create(tmp_path / "index")
    engine.apply([], [note(key, text) for key, text in TEXTS.items()], rebuild=True)
    yield engine
    engine.close()


def like(engine: Engine, text: str, key: str | None = None, limit: int = 3, **given: object) -> list[str]:
    """The keys of what is like a text."""
    return [hit.key for hit in engine.like(key, text, Filters(**given), limit)]


def test_what_is_alike_is_found_best_first(engine: Engine):
    """By the words that few others have; without the record itself."""
    assert like(engine, TEXTS["build"]) == ["build", "builds"]
    assert like(engine, TEXTS["build"], "build") == ["builds"]
    assert like(engine, TEXTS["soup"], limit=1) == ["soup"]
    scores = [hit.score for hit in engine.like(None, TEXTS["build"], Filters(), 5)]
    assert scores[0] == pytest.approx(1, abs=1e-3)
    assert like(engine, "") == [] == like(engine, "nothing known")


def test_filters_hold_for_what_is_alike(engine: Engine):
    """More like this, of that project."""
    engine.apply([], [note("api", TEXTS["build"], project="api")])
    assert like(engine, TEXTS["build"], words={"project": frozenset(["api"])}) == ["api"]
    assert like(engine, TEXTS["build"], path="build") == ["build", "builds"]


def test_what_came_and_went_since_is_known(engine: Engine):
    """Weights are those of the last fit, records those of now."""
    engine.apply(["build"], [note("new", "the parser of the red build"), note("soup", "no more of that")])
    assert like(engine, TEXTS["build"]) == ["new", "builds"] or like(engine, TEXTS["build"]) == ["builds", "new"]
    assert like(engine, "cold soup for lunch") == ["lunch"]
    engine.apply([], [], rebuild=True)
    assert set(like(engine, TEXTS["build"])) == {"new", "builds"}


def test_a_small_index_needs_no_fit(tmp_path: Path):
    """A new store, whose first search would wait for scikit-learn; an empty one, which has nothing to weigh."""
    engine = Engine.create(tmp_path / "index")
    assert like(engine, "red") == []
    assert engine.search(Question("biuld")).spelled == {}
    engine.apply([], [note(key, text) for key, text in TEXTS.items()], rebuild=True)
    assert like(engine, TEXTS["build"]) == ["build", "builds"]
    engine.apply(["builds"], [note("okapi", "a hippopotamus for lunch")])
    assert like(engine, TEXTS["build"]) == ["build"]
    assert engine.search(Question("hippopotmaus")).spelled == {"hippopotmaus": ("hippopotamus",)}
    assert not engine.wants_fit
    assert not (engine.folder / "fits").exists()


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """A copy of an index that is fitted, of more entries than do without."""
    folder = tmp_path_factory.mktemp("large") / "index"
    engine = Engine.create(folder)
    engine.apply([], [note(f"n{number}", f"adoption number{number}") for number in range(LITTLE + 1)], rebuild=True)
    engine.fit(due=True)
    engine.close()
    return folder


@pytest.fixture
def fitted(large: Path, tmp_path: Path):
    """That index."""
    shutil.copytree(large, tmp_path / "index")
    engine = Engine.open(tmp_path / "index")
    yield engine
    engine.close()


def test_words_that_came_since_a_fit_are_known(fitted: Engine):
    """A store that grows, and knows only the spelling of the words that it had once."""
    fitted.apply([], [note("okapi", "a hippopotamus at lunch")])
    found = fitted.search(Question("hippopotmaus adpotion"))
    assert found.spelled == {"hippopotmaus": ("hippopotamus",), "adpotion": ("adoption",)}
    assert found.hits[0].key == "okapi"
    assert like(fitted, "hippopotamus at lunch") == ["okapi"]
    fitted.apply(["okapi"], [])
    assert fitted.search(Question("hippopotmaus")).spelled == {}
    assert not fitted.wants_fit


def test_a_new_fit_is_due_when_much_came_since(fitted: Engine):
    """Work beside an old fit that grows with all that came since."""
    (old,) = (fitted.folder / "fits").iterdir()
    fitted.apply([], [note(f"more{number}", f"hippopotamus herd{number}") for number in range(LITTLE + 1)])
    other = Engine.open(fitted.folder)
    assert other.search(Question("hippopotmaus")).spelled == {"hippopotmaus": ("hippopotamus",)}
    assert other.wants_fit
    assert not fitted.wants_fit
    other.fit()
    assert not other.wants_fit
    assert old.exists()
    for engine in (other, fitted):
        assert engine.search(Question("hippopotmaus")).spelled == {"hippopotmaus": ("hippopotamus",)}
        assert not engine.wants_fit
    fitted.fit()
    assert not old.exists()
    other.close()


def test_labels_are_the_words_that_set_texts_apart(engine: Engine):
    """As they are written, not their stems, and not the words that all records share."""
    assert engine.labels(["the parsers are red", "parsers, parsers everywhere"], 2)[0] == "parsers"
    assert engine.labels([], 3) == []


def test_scores_are_those_of_scikit_learn():
    """The same matrix, asked by numpy and by scikit-learn: the same first ten, scores alike to a thousandth."""
    from scipy.sparse import coo_array
    from sklearn.feature_extraction.text import TfidfTransformer

    chance = random.Random(4)
    words = [f"w{number}" for number in range(300)]
    rows = [{word: chance.randint(1, 4) for word in chance.choices(words, k=12)} for _ in range(400)]
    given = matrix.arrays_of(rows)
    fitted, light = Matrix.fit(*given), Matrix.weigh(*given)
    counts = coo_array((given[2], (given[0], given[1])), shape=(400, matrix.COLUMNS)).tocsr()
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    for terms in rows[:50]:
        asked = matrix.arrays_of([terms])
        question = coo_array((asked[2], (asked[0], asked[1])), shape=(1, matrix.COLUMNS)).tocsr()
        theirs = (transformer.transform(counts) @ transformer.transform(question).T).toarray().ravel()
        ours = fitted.scores(terms)
        assert numpy.allclose(ours, theirs, atol=1e-3)
        assert numpy.allclose(ours, light.scores(terms), atol=1e-3)
        best = [row for _, row in matrix.best(ours, 10, least=0.0)]
        assert theirs[best] == pytest.approx(sorted(theirs, reverse=True)[:10], abs=1e-3)


def test_rows_that_are_weighed_later_are_weighed_alike():
    """What is added after a fit must be comparable with what was there."""
    rows = [grams(word) for word in ("build", "builder", "red", "green")]
    given = matrix.arrays_of(rows)
    fitted = Matrix.fit(*given)
    again = fitted.like(*given)
    assert numpy.allclose(fitted.scores(rows[0]), again.scores(rows[0]), atol=1e-3)


def test_a_matrix_is_read_as_it_was_written(tmp_path: Path):
    """Plain arrays on disk; a row that nothing is in, and no rows at all, are rows too."""
    for rows in ([{"a": 2, "b": 1}, {}, {"b": 3}], []):
        fitted = Matrix.fit(*matrix.arrays_of(rows))
        fitted.save(tmp_path)
        again = Matrix.open(tmp_path, len(rows))
        assert again.scores({"b": 1}).tolist() == fitted.scores({"b": 1}).tolist()


def test_an_array_that_holds_objects_is_never_loaded(fitted: Engine):
    """Loading one runs whatever it says."""
    (arrays,) = fitted.folder.glob("fits/*/similar")
    numpy.save(arrays / "idf.npy", numpy.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(Broken, match=r"pickle|object"):
        like(fitted, "red build")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("adpotion", "adoption"), ("recieve", "receive"), ("committe", "committee"), ("convstats", "conversationstats")],
)
def test_slips_stand_nearest_to_what_was_meant(word: str, meant: str):
    """Letters swapped, left out or doubled."""
    words = [
        "adoption",
        "adaptation",
        "option",
        "receive",
        "relieve",
        "committee",
        "commit",
        "conversationstats",
        "start",
    ]
    spelling = Spelling.fit(words)
    assert meant in [near for near, _ in spelling.nearest(word)]
    assert all(score >= 0.3 for _, score in spelling.nearest(word))


def test_a_vocabulary_is_read_as_it_was_written(tmp_path: Path):
    """Whatever letters it has; short words and figures have no neighbours."""
    for words in ([], ["café", "\ud800abc", "ab", "1234", "building"]):
        Spelling.fit(words).save(tmp_path)
        again = Spelling.open(tmp_path)
        assert [near for near, _ in again.nearest("biulding")] == (["building"] if words else [])
        assert again.nearest("ab") == [] == again.nearest("12345")


def test_columns_are_the_same_in_every_process():
    """Python's own hash differs from process to process, and would make a saved matrix useless."""
    assert [matrix.column(term) for term in ("red", "é", "\ud800")] == [89999, 36158, 42280]
