"""The index: what is in it, what it answers. Whoosh keeps it; whoever opens one vouches for its folder."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbfs.entry import Entry
from sbfs.errors import Error
from sbfs.search import analysis, reader
from sbfs.search.analysis import Term
from sbfs.search.cards import card_of, facets_of, hashed, moment
from sbfs.search.question import Filters, Found, Hit, Question
from sbfs.search.ranking import Ranking, fields, postings_of, rank
from sbfs.search.snapshot import Postings, Snapshot

# Fetched by the functions that need it, as a plain question does not.
if TYPE_CHECKING:
    from sbfs.search.fits import Fits
    from sbfs.search.syntax import Node

__all__ = ["Broken", "Engine", "Filters", "Found", "Hit", "Question"]

MOST_TERMS = 64
"""Words of a question that are searched: the rarest, where there are more."""

MOST_READ = 2_000
"""Distinct words of a question that are looked at."""

MOST_SPELLED = 32
"""Unknown words of a question that are looked up by their letters."""

SEGMENT = 6_000_000
"""Postings gathered in memory before they are written, some 300 MB of them."""

MOST_SEGMENTS = 8
"""Pieces that an index may be in after a rebuild. Merging them takes as long as building, and changes no answer."""

MANY = 8
"""Keys from which on a set is quicker than reading all of them for each."""

WAIT = 60.0
"""Seconds to wait for another writer."""

LOOKS = 10
"""How often a generation is looked for, where one after the other is written meanwhile."""


class Broken(Exception):
    """The index cannot be read or written: put it aside and build another."""


class Engine:
    """An index in a folder of its own. Its files are code: open only what this user's sbfs has written."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._kept: Snapshot | None = None
        self._index: Any = None

    @classmethod
    def create(cls, folder: Path) -> Engine:
        """An empty index in a new folder. Raises Broken."""
        with _broken(None):
            from sbfs.search import segments

            folder.mkdir(parents=True)
            segments.create(str(folder))
            return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> Engine:
        """The index in a folder. Raises Broken."""
        engine = cls(folder)
        with _broken(engine):
            engine._snapshot()
            return engine

    @cached_property
    def _fits(self) -> Fits:
        from sbfs.search.fits import Fits

        return Fits(self.folder)

    def close(self) -> None:
        """Let go of the files."""
        if self._kept:
            self._kept.close()
            self._kept = None

    def give_up(self) -> None:
        """Let go of the files of an index that is broken, which is of no more use."""
        self.close()
        if self._index is not None:
            self._index.storage.release()

    def _opened(self) -> Any:
        """Whoosh's index, for writing."""
        from sbfs.search import segments

        if self._index is None:
            self._index = segments.opened(str(self.folder))
        return self._index

    def _snapshot(self) -> Snapshot:
        for attempt in range(LOOKS):
            try:
                if self._kept is None or reader.latest(self.folder) != self._kept.generation:
                    self._kept = Snapshot(self.folder, reader.generation(self.folder), self._kept)
                return self._kept
            except FileNotFoundError:
                # A writer may have replaced what the last generation was just made of.
                if attempt == LOOKS - 1:
                    raise
                time.sleep(0.02)
        raise AssertionError

    # -- writing -----------------------------------------------------------------------------------

    def apply(
        self,
        remove: Iterable[str],
        add: Iterable[tuple[str, str, Entry]],
        *,
        rebuild: bool = False,
        progress: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Take keys out and put (key, blob id, entry) in, each key once; what is added replaces its key.

        It is one commit, unless `rebuild`: then a large one is several, and few pieces are left at the end.
        progress: told how many were added so far. Raises Broken, and whatever `add` raises.
        """
        given = _Given(add)
        try:
            with _broken(self):
                self._write(remove, given, rebuild=rebuild, progress=progress)
        except Broken:
            if given.failed is not None:
                raise given.failed from None
            raise

    def _write(
        self,
        remove: Iterable[str],
        add: Iterable[tuple[str, str, Entry]],
        *,
        rebuild: bool,
        progress: Callable[[int], object],
    ) -> None:
        from sbfs.search import segments

        writer = segments.writer(self._opened(), wait=WAIT)
        try:
            numbers = _Numbers(self._snapshot())
            for key in remove:
                numbers.drop(key, writer)
            for count, (key, blob, entry) in enumerate(add, 1):
                numbers.drop(key, writer)
                _post(writer, key, blob, entry)
                progress(count)
                if rebuild and writer.pool.count > SEGMENT:
                    writer.commit(merge=False)
                    writer = segments.writer(self._index, wait=WAIT)
                    numbers = _Numbers(self._snapshot())
            writer.commit(optimize=rebuild and numbers.untidy)
        except BaseException:
            if not writer.is_closed:
                writer.cancel()
            raise

    def adopt(self, folder: Path) -> None:
        """Take over all that another index in a folder holds, none of which is here, and which is no index then.

        Raises Broken.
        """
        with _broken(self):
            from sbfs.search import segments

            segments.adopt(self._opened(), str(folder), wait=WAIT)

    # -- reading -----------------------------------------------------------------------------------

    def keys(self) -> dict[str, str]:
        """Blob id of each key of all that is indexed. Raises Broken."""
        with _broken(self):
            return {card.key: card.blob for card in self._snapshot().cards()}

    def count(self) -> int:
        """How many entries are indexed. Raises Broken."""
        with _broken(self):
            return self._snapshot().live

    def search(self, question: Question) -> Found:
        """The best hits. A question without a word lists what the filters admit, newest first.

        Raises Invalid for a question that cannot be answered, Broken.
        """
        wanted = _parsed(question.text) if question.syntax and question.text.strip() else None
        with _broken(self):
            snapshot = self._snapshot()
            admitted = snapshot.admitted(question.filters)
            if wanted is not None:
                return self._query(snapshot, wanted, question, admitted)
            if not question.text.strip():
                return _newest(snapshot, admitted, question.limit)
            return self._words(snapshot, question, admitted)

    def _query(self, snapshot: Snapshot, node: Node, question: Question, admitted: bytes | None) -> Found:
        from sbfs.search.lookup import Lookup

        lookup = Lookup(snapshot, question.text)
        matching = lookup.matching(node)
        mask = bytearray(snapshot.size)
        for number in matching:
            mask[number] = admitted is None or admitted[number]
        ranking = Ranking(snapshot)
        weights = fields(thinking=True)
        for field, postings in lookup.scored:
            ranking.add(postings, field, weights[field])
        hits = _hits(snapshot, ranking, lookup.terms, bytes(mask), question)
        if len(hits) < question.limit:
            # What matches without a word, such as by a facet alone.
            shown = {hit.key for hit in hits}
            rest = _newest(snapshot, bytes(mask), question.limit + len(hits)).hits
            hits += [hit for hit in rest if hit.key not in shown][: question.limit - len(hits)]
        return Found(hits, total=sum(mask), terms=tuple(dict.fromkeys(name for name, _ in lookup.terms)))

    def _words(self, snapshot: Snapshot, question: Question, admitted: bytes | None) -> Found:
        asked = [
            (term, postings_of(snapshot, term, question.thinking)) for term in analysis.ask(question.text)[:MOST_READ]
        ]
        known = [(term, found) for term, found in asked if found]
        if len(known) > MOST_TERMS:
            known = heapq.nsmallest(MOST_TERMS, known, key=lambda one: max(len(each.ids) for each in one[1].values()))
        unknown = [term.word for term, found in asked if not found and term.stem]
        spelled = self._spelled(snapshot, unknown[:MOST_SPELLED], question.thinking)
        taken = {term.stem for term, _ in known}
        for near, found in itertools.chain.from_iterable(spelled.values()):
            if near.stem not in taken:
                taken.add(near.stem)
                known.append((near, found))
        ranking = rank(snapshot, known, question.thinking)
        names = [(term.stem or term.word, list(found.values())) for term, found in known]
        return Found(
            _hits(snapshot, ranking, names, admitted, question),
            total=ranking.total(admitted),
            spelled={word: tuple(near.word for near, _ in nearest) for word, nearest in spelled.items() if nearest},
            terms=tuple(dict.fromkeys(term.stem or term.word for term, _ in asked)),
        )

    def _spelled(
        self, snapshot: Snapshot, unknown: list[str], thinking: bool
    ) -> dict[str, list[tuple[Term, dict[str, Postings]]]]:
        """Unknown word → terms to take in its place, weighed by their nearness, with their postings."""
        spelled = {}
        for word in unknown:
            near_words = self._fits.nearest(snapshot, word)
            nearest = (Term(near, analysis.stem(near) or near, score) for near, score in near_words)
            # Some words of the vocabulary may be gone since it was fitted.
            spelled[word] = [(near, found) for near in nearest if (found := postings_of(snapshot, near, thinking))]
        return spelled

    def like(self, key: str | None, text: str, wanted: Filters, limit: int, apart: str = "") -> list[Hit]:
        """What is most like a text, best first. Score: a cosine. The entry `key` is left out, and the group `apart`.

        Raises Broken.
        """
        from sbfs.search import matrix, similar

        with _broken(self):
            snapshot = self._snapshot()
            scores = self._fits.similar(snapshot).scores(snapshot, similar.terms_of(text))
            if (admitted := snapshot.admitted(wanted)) is not None:
                scores = similar.keep(scores, admitted)
            if apart:
                scores[snapshot.find("group", apart)] = 0
            best = matrix.best(scores, limit + 1, least=similar.LEAST)
            hits = [snapshot.card(number).hit(score, ()) for score, number in best]
            return [hit for hit in hits if hit.key != key][:limit]

    def labels(self, texts: Iterable[str], limit: int = 5) -> list[str]:
        """The words that set some texts, such as a conversation's turns, apart from all that is indexed."""
        from sbfs.search import similar

        with _broken(self):
            return similar.labels(self._snapshot(), texts, limit)

    @property
    def wants_fit(self) -> bool:
        """Whether an answer stood on a fit that lacks so much by now that `fit` is worth its time."""
        return "_fits" in vars(self) and self._fits.due

    def load(self) -> None:
        """Load what `fit` will need, while another process still indexes."""
        import sklearn.feature_extraction.text  # noqa: F401 - only for later

    def fit(self, *, due: bool = False) -> None:
        """Fit what spelling and "more like this" stand on anew. One process at a time. due: only where it is.

        Raises Broken.
        """
        with _broken(self):
            if not due or self._fits.worn(self._snapshot()):
                self._fits.make(self._snapshot())


@contextmanager
def _broken(engine: Engine | None) -> Iterator[None]:
    """Whatever the backend trips over in a damaged index (it raises nearly everything) is one thing to callers."""
    try:
        yield
    except (Error, Broken):
        raise
    except Exception as error:
        if engine is not None:
            engine.give_up()
        raise Broken(f"{type(error).__name__}: {error}") from error


def _parsed(text: str) -> Node:
    from sbfs.search import syntax

    return syntax.parse(text)


class _Given:
    """What a caller adds. failed: the error of the caller's own, if it was theirs."""

    def __init__(self, items: Iterable[tuple[str, str, Entry]]):
        self._items = items
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[tuple[str, str, Entry]]:
        try:
            yield from self._items
        except Exception as error:
            self.failed = error
            raise


class _Numbers:
    """Where keys are, while they are removed and replaced."""

    def __init__(self, snapshot: Snapshot):
        self.untidy = len(snapshot.segments) > MOST_SEGMENTS or len(snapshot.removed) > snapshot.size // 10
        self._snapshot = snapshot
        self._hashes: Collection[int] = snapshot.hashes("key")
        self._asked = 0
        self._gone: set[int] = set()

    def drop(self, key: str, writer: Any) -> None:
        self._asked += 1
        if self._asked == MANY:
            self._hashes = frozenset(self._hashes)
        if hashed(key) not in self._hashes:
            return
        for number in self._snapshot.find("key", key):
            if number not in self._gone and self._snapshot.card(number).key == key:
                self._gone.add(number)
                writer.delete_document(number)


def _post(writer: Any, key: str, blob: str, entry: Entry) -> None:
    """Write an entry into the segment that a writer is at."""
    number, columns, pool, schema = writer.docnum, writer.perdocwriter, writer.pool, writer.schema
    terms = analysis.analyse(entry)
    columns.start_doc(number)
    for field in ("body", "title", "thinking"):
        if places := getattr(terms, field):
            columns.add_field(field, schema[field], None, pool.add_places(field, number, places))
    for field in ("names", "tool"):
        if counts := getattr(terms, field):
            columns.add_field(field, schema[field], None, pool.add_counts(field, number, counts))
    pool.add_terms("words", number, terms.words)
    pool.add_terms("facet", number, facets_of(entry))
    for name, value in _columns(key, blob, entry).items():
        columns.add_column_value(name, schema[name].column_type, value)
    columns.finish_doc()
    writer.docnum += 1
    writer._added = True


def _columns(key: str, blob: str, entry: Entry) -> dict[str, Any]:
    values: dict[str, Any] = {"key": hashed(key), "id": hashed(entry.id), "card": card_of(key, blob, entry)}
    if entry.group:
        values |= {"group": hashed(entry.group), "seq": entry.seq}
    if entry.timestamp:
        values["timestamp"] = moment(entry.timestamp)
    if entry.due:
        values["due"] = moment(entry.due)
    if entry.quality is not None:
        values["quality"] = float(entry.quality)
    return values


def _newest(snapshot: Snapshot, admitted: bytes | None, limit: int) -> Found:
    numbers = [
        number
        for number in range(snapshot.size)
        if number not in snapshot.removed and (admitted is None or admitted[number])
    ]
    best = heapq.nlargest(limit, numbers, key=snapshot.order)
    return Found([snapshot.card(number).hit(0.0, ()) for number in best], total=len(numbers))


def _hits(
    snapshot: Snapshot,
    ranking: Ranking,
    terms: Iterable[tuple[str, Sequence[Postings]]],
    admitted: bytes | None,
    question: Question,
) -> list[Hit]:
    best = ranking.best(admitted, question.limit, neighbours=question.neighbours)
    return [
        snapshot.card(number).hit(
            score, dict.fromkeys(name for name, found in terms if any(number in each for each in found))
        )
        for score, number in best
    ]
