"""Measure the engine of search, speed and quality: `python benchmarks/search.py [--quality FILE]`.

Rows as in benchmarks/mail.py, on generated entries; what each means is in benchmarks/README.md. The quality of
ranking is measured on questions about conversations in LoCoMo's format, from a file that is named.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import random
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import stores
from measure import SBFS, Row, Series, arguments, carry_out, interleave, run, tell, timed

from sbfs.entry import Entry
from sbfs.search import analysis
from sbfs.search.engine import Engine, Filters, Question
from sbfs.search.entries import Entries
from sbfs.store import Store

TREE = Path(__file__).parents[1]
BUILT = 20_000
STORED = 10_000
COMMON = "parser release cache schema deploy latency"
TURNS = 20
WORDS = 6_000
ASKED = 100
FILTERS = {
    "role": Filters(words={"role": frozenset(["user"])}),
    "project and kind": Filters(words={"project": frozenset(["p1"]), "kind": frozenset(["conversation"])}),
    "one group": Filters(words={"group": frozenset(["conversation-3"])}),
    "dates and role": Filters(
        words={"role": frozenset(["user"])}, since="2026-03-01T00:00:00.000Z", until="2026-03-05T00:00:00.000Z"
    ),
    "path": Filters(path="projects/p1/"),
    "quality": Filters(quality_from=50.0),
}
KEYS = (1, 5, 10, 20)
FIGURES = {"recall@1": 0.38, "recall@5": 0.68, "recall@10": 0.79, "recall@20": 0.84, "reciprocal rank": 0.55}
MISSPELT = {"recall@10": 0.68}

Added = tuple[str, str, Entry]


# -- generated entries -----------------------------------------------------------------------------


class Language:
    """Words of which few are common and many are rare, as in any text."""

    def __init__(self, seed: int = 1):
        chance = random.Random(seed)
        starts, vowels = [*"bcdfghklmnprstvw", "st", "tr", "br", "ch"], "aeiou"
        ends = ("", "n", "r", "s", "t", "ing", "ed")
        made: set[str] = set()
        while len(made) < WORDS:
            syllables = (chance.choice(starts) + chance.choice(vowels) for _ in range(chance.choice((1, 2, 2, 3))))
            made.add("".join(syllables) + chance.choice(ends))
        self._words = sorted(made)
        chance.shuffle(self._words)
        self._weights = list(itertools.accumulate(1 / (place + 3) for place in range(WORDS)))
        self._small = sorted(analysis.STOP)[:40]

    def text(self, chance: random.Random) -> str:
        """A turn of some thirty words, a third of them small ones."""
        count = chance.randint(12, 28)
        words = chance.choices(self._words, cum_weights=self._weights, k=count) + chance.choices(
            self._small, k=count // 2
        )
        chance.shuffle(words)
        return " ".join(words)

    def question(self, chance: random.Random) -> str:
        """Six words, asked for in a sentence."""
        return f"when did the {' '.join(chance.choices(self._words, cum_weights=self._weights, k=6))} go to it?"


def entries(count: int, seed: int = 2) -> Iterator[Added]:
    """Conversations of twenty turns, over a year, in ten projects."""
    chance, language = random.Random(seed), Language()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        conversation, turn = divmod(number, TURNS)
        project, id = f"p{conversation % 10}", f"conversation-{conversation}"
        text = language.text(chance)
        moment = begin + timedelta(days=365 * number / count)
        entry = Entry(
            id=f"{id}#{turn}",
            kind="conversation" if conversation % 5 else "message",
            project=project,
            path=f"projects/{project}/conversations/2026/{id}.jsonl",
            title="" if turn else " ".join(text.split()[:4]),
            timestamp=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            group=id,
            seq=turn,
            speaker=("user", "assistant")[number % 2],
            text=text,
            facets={"role": ("user", "assistant", "tool")[number % 3], "model": f"m{conversation % 4}"},
            quality=float(conversation % 100),
            parent=id,
        )
        yield f"{entry.path}#{turn}", f"{number:040x}", entry


@dataclass(frozen=True)
class Place:
    """The same entries, indexed by sbfs, in SQLite, and committed one a file."""

    size: int
    engine: Engine
    database: sqlite3.Connection
    repository: Path
    questions: list[str]


def prepare(folder: Path, size: int) -> Place:
    """Build all three."""
    given = list(entries(size))
    engine = Engine.create(folder / "index")
    engine.apply([], given, rebuild=True)
    engine.fit(due=True)
    database = sqlite3.connect(folder / "fts.db")
    database.execute("CREATE VIRTUAL TABLE entries USING fts5(text, role UNINDEXED, tokenize = 'porter')")
    rows = ((entry.text, entry.facets["role"]) for _, _, entry in given)
    database.executemany("INSERT INTO entries VALUES (?, ?)", rows)
    database.commit()
    language, chance = Language(), random.Random(3)
    questions = [language.question(chance) for _ in range(ASKED)]
    return Place(size, engine, database, _committed(folder / "git", given), questions)


def _committed(repository: Path, given: Iterable[Added]) -> Path:
    subprocess.run(["git", "init", "-q", repository], check=True)
    lines = ["commit refs/heads/main\ncommitter b <b@example.org> 1 +0000\ndata 0\n"]
    for number, (_, _, entry) in enumerate(given):
        lines.append(f"M 100644 inline d{number // 1000}/{number}.txt\ndata {len(entry.text)}\n{entry.text}\n")
    subprocess.run(["git", "fast-import", "--quiet"], input="".join(lines), text=True, cwd=repository, check=True)
    return repository


def _words(question: str) -> list[str]:
    return [term.word for term in analysis.ask(question)]


def _sqlite(place: Place, question: str, role: str = "") -> None:
    match = " OR ".join(f'"{word}"' for word in _words(question))
    statement = "SELECT rowid FROM entries WHERE entries MATCH ?" + (" AND role = ?" if role else "")
    place.database.execute(f"{statement} ORDER BY rank LIMIT 20", (match, role) if role else (match,)).fetchall()


def _git_grep(place: Place, question: str) -> None:
    words = [part for word in _words(question) for part in ("-e", word)]
    command = ["git", "grep", "-c", "-i", "-w", *words, "main"]
    subprocess.run(command, cwd=place.repository, capture_output=True, check=False)


# -- the rows --------------------------------------------------------------------------------------


def query(place: Place) -> Iterator[Row]:
    """A hundred questions, warm, in turn with SQLite; `git grep` of three of them."""
    ours: list[float] = []
    theirs: list[float] = []
    for question in place.questions:
        mine, peer = interleave(
            1, lambda q=question: place.engine.search(Question(q)), lambda q=question: _sqlite(place, q)
        )
        ours += mine.values
        theirs += peer.values
    limit = {10_000: "<= 15", 100_000: "<= 100"}.get(place.size, "")
    mine, peer = Series(ours), Series(theirs)
    yield Row("question: ms", place.size, mine, "SQLite FTS5:", peer, 1000 * mine.median, limit)
    grep = Series([timed(lambda q=question: _git_grep(place, q)) for question in place.questions[:3]])
    yield Row("question beside git grep: times faster", place.size, mine, "git grep:", grep, grep.median / mine.median)


def filtered(place: Place) -> Iterator[Row]:
    """The same questions under each filter, in turn with the bare question."""
    for name, wanted in FILTERS.items():
        ours: list[float] = []
        plain: list[float] = []
        for question in place.questions:
            mine, bare = interleave(
                1,
                lambda q=question, f=wanted: place.engine.search(Question(q, f)),
                lambda q=question: place.engine.search(Question(q)),
            )
            ours += mine.values
            plain += bare.values
        mine, bare = Series(ours), Series(plain)
        ratio = mine.median / bare.median
        yield Row(f"filtered by {name}: to plain", place.size, mine, "plain:", bare, ratio, "<= 1.3")


def like(place: Place) -> Iterator[Row]:
    """More like this, for twenty texts."""
    texts = [entry.text for _, _, entry in itertools.islice(entries(place.size), 20)]
    place.engine.like(None, texts[0], Filters(), 10)
    times = Series([timed(lambda t=text: place.engine.like(None, t, Filters(), 10)) for text in texts])
    yield Row("more like this: ms", place.size, times, value=1000 * times.median)


def add(place: Place) -> Iterator[Row]:
    """One entry added, and found by a word that only it has."""
    times = [timed(partial(_add_and_find, place.engine, number, added)) for number, added in enumerate(entries(30, 9))]
    series = Series(times[1:])
    limit = "<= 200" if place.size == 100_000 else ""
    yield Row("one entry added and found: ms", place.size, series, value=1000 * series.median, limit=limit)


def _add_and_find(engine: Engine, number: int, added: Added) -> None:
    key, word = f"late-{number}", f"zyzzyva{number}"
    entry = replace(added[2], id=key, group="late", seq=number, text=f"{added[2].text} {word}")
    engine.apply([], [(key, added[1], entry)])
    found = engine.search(Question(word)).hits
    if found[0].key != key:
        raise SystemExit(f"{key} was added and not found")


def process(place: Place) -> Iterator[Row]:
    """A process that opens the index and asks once, without the rest of sbfs; beside one that imports Whoosh."""
    program = (
        "from pathlib import Path; from sbfs.search.engine import Engine, Question\n"
        f"Engine.open(Path({str(place.engine.folder)!r})).search(Question({place.questions[0]!r}))"
    )
    ours, theirs = interleave(
        7,
        lambda: subprocess.run([sys.executable, "-c", program], check=True, cwd=TREE),
        lambda: subprocess.run([sys.executable, "-c", "import whoosh.index"], check=True),
    )
    yield Row("first question, a new process: ms", place.size, ours, "import whoosh:", theirs, 1000 * ours.median)


def build(folder: Path) -> Iterator[Row]:
    """An index of 20,000 entries, fitted, in a process of its own; and the memory that it took."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    runs = []
    for turn in range(3):
        child = context.Process(target=_build, args=(folder / f"built-{turn}", answers))
        child.start()
        runs.append(answers.get(timeout=600))
        child.join()
    series = Series([seconds for seconds, _ in runs])
    size = sum(file.stat().st_size for file in (folder / "built-0").rglob("*") if file.is_file())
    memory = f"{statistics.median(peak for _, peak in runs):.0f} MB at most, {size / 1e6:.0f} MB on disk"
    yield Row("building: s", BUILT, series, memory, None, series.median, "<= 10")


def _build(folder: Path, answers: Any) -> None:
    # Entries are made while they are indexed, as a store hands them over; making them takes its part of the time.
    engine = Engine.create(folder)
    seconds = timed(lambda: (engine.apply([], entries(BUILT), rebuild=True), engine.fit()))
    answers.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


# -- on a store ------------------------------------------------------------------------------------


def first(folder: Path) -> Iterator[Row]:
    """`sbfs search` with six words as a whole process, in turn with whole processes that ask Git and SQLite."""
    root, database = folder / f"store-{STORED}", folder / f"store-{STORED}.db"
    _stored(root, STORED)
    run(SBFS, "--store", root, "search", *COMMON.split())
    _into_sqlite(root, database)
    match = " OR ".join(COMMON.split())
    program = (
        f"import sqlite3; rows = sqlite3.connect({str(database)!r}).execute('SELECT id, text FROM entries "
        f"WHERE entries MATCH ? ORDER BY rank LIMIT 20', ({match!r},)).fetchall()"
    )
    words = [part for word in COMMON.split() for part in ("-e", word)]
    ours, grep, sqlite = interleave(
        11,
        lambda: run(SBFS, "--store", root, "search", *COMMON.split()),
        lambda: run("git", "grep", "-c", "-i", "-w", *words, "HEAD", "--", ":(glob)projects/*/inbox/**", cwd=root),
        lambda: run(sys.executable, "-c", program),
        warm=2,
    )
    milliseconds = 1000 * ours.median
    yield Row("first search, a whole process: ms", STORED, ours, "git grep:", grep, milliseconds, "<= 400")
    yield Row("first search beside a process that asks SQLite FTS5", STORED, ours, "SQLite FTS5:", sqlite)


def rebuild(folder: Path) -> Iterator[Row]:
    """`sbfs index rebuild` of a store of 20,000 messages, as a whole process; its processor time and its memory."""
    root = folder / f"store-{BUILT}"
    _stored(root, BUILT)
    runs = [_waited([SBFS, "--store", root, "index", "rebuild"]) for _ in range(3)]
    series = Series([seconds for seconds, _, _ in runs])
    spent, peak = (statistics.median(one[at] for one in runs) for at in (1, 2))
    size = sum(file.stat().st_size for file in (root / ".git/sbfs/index").rglob("*") if file.is_file())
    said = f"{spent:.1f} s of processors, {peak:.0f} MB in the larger process, {size / 1e6:.0f} MB on disk"
    yield Row("rebuilding the index of a store: s", BUILT, series, said, None, series.median, "<= 10")


def _stored(root: Path, size: int) -> None:
    if not root.exists():
        tell(f"building a store of {size:,} messages")
        stores.build(root, size)


def _waited(command: list[str | Path]) -> tuple[float, float, float]:
    """(seconds, seconds of processors, megabytes) of a process with those that it starts and waits for."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _into_sqlite(root: Path, file: Path) -> None:
    file.unlink(missing_ok=True)
    with Store.open(root) as store, contextlib.closing(sqlite3.connect(file)) as database:
        found = (one for _, _, one in Entries(store.repo, store.view().commit.tree).everything())
        database.execute("CREATE VIRTUAL TABLE entries USING fts5(id UNINDEXED, text, tokenize = 'porter')")
        database.executemany(
            "INSERT INTO entries VALUES (?, ?)", ((one.id, f"{one.title} {one.text}") for one in found)
        )
        database.commit()


ON_STORES: dict[str, Callable[[Path], Iterator[Row]]] = {"first": first, "rebuild": rebuild}

ROWS: dict[str, Callable[[Place], Iterator[Row]]] = {
    "query": query, "filtered": filtered, "like": like, "process": process, "add": add
}  # fmt: skip


# -- quality ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A question and the turns that answer it."""

    text: str
    evidence: frozenset[str]


def conversations(file: Path) -> Iterator[tuple[list[Added], list[Asked]]]:
    """(turns, questions) of each conversation. Evidence that names no turn is dropped."""
    for sample in json.loads(file.read_text(encoding="utf-8")):
        turns = list(_turns(sample["conversation"]))
        known = {key for key, _, _ in turns}
        asked = []
        for one in sample["qa"]:
            named = (re.findall(r"D:?(\d+):(\d+)", text) for text in one.get("evidence", ()))
            evidence = {f"D{int(session)}:{int(turn)}" for found in named for session, turn in found} & known
            if evidence:
                asked.append(Asked(str(one["question"]), frozenset(evidence)))
        yield turns, asked


def _turns(conversation: dict[str, Any]) -> Iterator[Added]:
    for name, session in conversation.items():
        if not re.fullmatch(r"session_\d+", name):
            continue
        moment = datetime.strptime(conversation[f"{name}_date_time"], "%I:%M %p on %d %B, %Y")
        for seq, turn in enumerate(session):
            text = f"{turn['text']} {turn.get('blip_caption', '')}"
            stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            entry = Entry(turn["dia_id"], "conversation", "", f"{name}.jsonl", timestamp=stamp, group=name, seq=seq)
            yield turn["dia_id"], "", replace(entry, speaker=turn["speaker"], text=text)


def quality(file: Path) -> list[tuple[str, dict[str, float]]]:
    """(configuration, measure → mean over all questions), an index a conversation."""
    ranks: dict[str, list[tuple[Asked, list[str]]]] = {"naive Whoosh": [], "sbfs": [], "sbfs, misspelt": []}
    chance = random.Random(5)
    for turns, asked in conversations(file):
        with tempfile.TemporaryDirectory() as folder:
            naive = _naive(Path(folder) / "naive", turns)
            engine = Engine.create(Path(folder) / "index")
            engine.apply([], turns, rebuild=True)
            for one in asked:
                ranks["naive Whoosh"].append((one, naive(one.text)))
                ranks["sbfs"].append((one, _keys(engine, one.text)))
                ranks["sbfs, misspelt"].append((one, _keys(engine, misspell(one.text, chance))))
            engine.close()
    return [(name, _measures(found)) for name, found in ranks.items()]


def _keys(engine: Engine, text: str) -> list[str]:
    return [hit.key for hit in engine.search(Question(text, limit=100)).hits]


def misspell(text: str, chance: random.Random) -> str:
    """Two content words, with two adjacent letters swapped."""
    words = [match for match in re.finditer(r"[^\W\d_]{4,}", text) if analysis.stem(match[0].lower())]
    for match in chance.sample(words, min(2, len(words))):
        word = match[0]
        places = [at for at in range(len(word) - 1) if word[at].lower() != word[at + 1].lower()]
        if places:
            at = match.start() + chance.choice(places)
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text


def _naive(folder: Path, turns: Iterable[Added]) -> Callable[[str], list[str]]:
    """Whoosh as it comes: its stemming analyzer, any term of the question."""
    from whoosh import fields, index, query
    from whoosh.analysis import StemmingAnalyzer

    folder.mkdir()
    made = index.create_in(folder, fields.Schema(key=fields.STORED, text=fields.TEXT(StemmingAnalyzer())))
    writer = made.writer()
    for key, _, entry in turns:
        writer.add_document(key=key, text=f"{entry.speaker} {entry.text}")
    writer.commit()
    searcher = made.searcher()

    def ask(text: str) -> list[str]:
        terms = dict.fromkeys(token.text for token in StemmingAnalyzer()(text))
        hits = searcher.search(query.Or([query.Term("text", term) for term in terms]), limit=100)
        return [hit["key"] for hit in hits]

    return ask


def _measures(found: list[tuple[Asked, list[str]]]) -> dict[str, float]:
    recall = {
        f"recall@{most}": statistics.fmean(
            len(one.evidence & set(keys[:most])) / len(one.evidence) for one, keys in found
        )
        for most in KEYS
    }
    first = (next((place for place, key in enumerate(keys, 1) if key in one.evidence), 0) for one, keys in found)
    return recall | {"reciprocal rank": statistics.fmean(1 / place if place else 0.0 for place in first)}


def quality_table(measured: list[tuple[str, dict[str, float]]]) -> str:
    """As Markdown, with the figures that are set."""
    lines = ["| configuration | " + " | ".join(FIGURES) + " |", "| --- |" + " --- |" * len(FIGURES)]
    lines += [f"| {name} | " + " | ".join(f"{values[one]:.3f}" for one in FIGURES) + " |" for name, values in measured]
    lines.append("| figure | " + " | ".join(f"{figure:.2f}" for figure in FIGURES.values()) + " |")
    lines.append(
        "| figure, misspelt | "
        + " | ".join(f"{MISSPELT[one]:.2f}" if one in MISSPELT else "" for one in FIGURES)
        + " |"
    )
    return "\n".join(lines)


def main() -> None:
    """Build, measure, print the tables."""
    names = ["build", *ON_STORES, *ROWS]
    parser = arguments("Measure search beside SQLite's FTS5 and git grep.", names, "search.json", (10_000, 100_000))
    parser.add_argument("--quality", type=Path, metavar="FILE", help="conversations with questions, in LoCoMo's format")
    asked = parser.parse_args()
    measured = quality(asked.quality) if asked.quality else []
    if measured:
        print(quality_table(measured), "\n")
    wanted = names if asked.only is None else asked.only
    carry_out(asked, lambda folder, spare: _measured(wanted, asked.sizes, folder, spare), quality=dict(measured))


def _measured(names: list[str], sizes: tuple[int, ...], folder: Path, spare: Path) -> Iterator[Row]:
    if "build" in names:
        tell("measuring build")
        yield from build(spare)
    for name in names:
        if name in ON_STORES:
            tell(f"measuring {name}")
            yield from ON_STORES[name](folder)
    for size in sizes if set(names) & set(ROWS) else ():
        tell(f"preparing {size:,} entries")
        (spare / str(size)).mkdir()
        place = prepare(spare / str(size), size)
        for name in names:
            if name in ROWS:
                tell(f"measuring {name}")
                yield from ROWS[name](place)


if __name__ == "__main__":
    main()
