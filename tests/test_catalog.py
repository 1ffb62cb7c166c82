"""The cache that lists are answered from: right, or made anew; and counts that equal lists."""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from domain_helpers import mail, path_of, people, put, received
from helpers import git
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sbfs import history, messages, projects, worktree
from sbfs.catalog import Catalog, Row
from sbfs.errors import Error
from sbfs.kind import Field, Kind
from sbfs.messages.value import STATUSES
from sbfs.store import Store, Transaction


@pytest.fixture
def post(store: Store, clock) -> Store:
    """A store with mail of three days."""
    people(store, "web", "api", "docs")
    for number in range(6):
        message = mail(store, subject=f"n{number}")
        if number % 2:
            messages.mark(store, message_ids=[message.id], status="read")
        clock.forward(hours=11)
    return store


def answers(store: Store) -> list[object]:
    """What the cache is used for, asked in every way."""
    found: list[object] = []
    for project in ("web", "api", "docs"):
        for box in ("inbox", "outbox"):
            for status in (None, *STATUSES):
                page = messages.list(store, project=project, box=box, status=status, limit=2)
                found.append(([one.message.id for one in page.items], page.total, page.next))
        found.append(messages.count(store, project=project))
        found.append(messages.count(store, project=project, unread=True))
    some = received(store)[:1]
    found += [[one.id for one, _ in messages.thread(store, message_id=id)] for id in some]
    return found


def caches(store: Store) -> list:
    """The files of the cache."""
    return [file for file in (store.root / ".git/sbfs/catalog").rglob("*.json") if file.is_file()]


def test_without_the_cache_the_answers_are_the_same(post):
    """A cache that holds what nothing else does (promise 1, GP-13)."""
    expected = answers(post)
    assert caches(post)
    shutil.rmtree(post.root / ".git/sbfs")
    assert answers(post) == expected
    assert caches(post), "made anew"


def _foreign(text: bytes) -> bytes:
    return _resealed(text, version=[0, 99], periods={}, rows={})


def _stale(text: bytes) -> bytes:
    return _resealed(text, tree="0" * 40)


def _resealed(text: bytes, **said: Any) -> bytes:
    """A cache's file that says something else, and is whole."""
    data = json.dumps({**json.loads(text.partition(b"\n")[2]), **said}).encode()
    return b"%08x\n" % zlib.crc32(data) + data


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: b"\xff\xfe\0",
        lambda text: b"[]",
        lambda text: b"null",
        lambda text: b"{}",
        lambda text: b'"version"',
        lambda text: b"[" * 100_000,
        lambda text: text.replace(b"web", b"wen", 1),
        _foreign,
        _stale,
    ],
    ids=["empty", "torn", "bytes", "list", "null", "mapping", "text", "deep", "one letter", "foreign version", "stale"],
)
def test_a_broken_cache_is_made_anew(post, damage):
    """A cache that is torn, foreign or stale: a crash, or other answers (GP-13)."""
    expected = answers(post)
    for file in caches(post):
        file.write_bytes(damage(file.read_bytes()))
    assert answers(post) == expected
    for file in caches(post):
        file.unlink()
        file.mkdir()
    assert answers(post) == expected


def test_a_cache_that_cannot_be_written_is_done_without(post):
    """A store on a read-only disk that cannot be read (failure mode 48)."""
    expected = answers(post)
    shutil.rmtree(post.root / ".git/sbfs/catalog")
    (post.root / ".git/sbfs/catalog").write_text("in the way")
    assert answers(post) == expected


def test_the_past_is_not_kept_and_does_not_spoil_the_present(post):
    """A look at an old revision that leaves its lists in the cache."""
    then = post.head()
    mail(post)
    expected = answers(post)
    assert len(received(post, at=then)) == 6
    assert messages.count(post, project="api", at=then) == 6
    assert answers(post) == expected
    shutil.rmtree(post.root / ".git/sbfs/catalog")
    received(post, at=then)
    assert caches(post) == []


def test_what_git_changes_is_seen(post):
    """A list from before a person's commit, revert or reset (promise 3)."""
    expected = answers(post)
    message = mail(post)
    assert answers(post) != expected
    git(post.root, "revert", "--no-edit", "HEAD")
    assert answers(post) == expected
    with pytest.raises(Error):
        messages.show(post, message_id=message.id)
    git(post.root, "reset", "-q", "--hard", "HEAD~2")
    assert answers(post) == expected


class Mailbags(RuleBasedStateMachine):
    """Any sequence of verbs, after which every count equals the length of its list (AM-10)."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.now = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
        self.store = Store.init(f"{self.folder.name}/s", clock=lambda: self.now)
        people(self.store, "web", "api")
        self.sent: list[messages.Message] = []
        self.names = ["web", "api"]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(back=st.booleans(), hours=st.none() | st.integers(1, 60))
    def send(self, back: bool, hours: int | None) -> None:
        later = self.now + timedelta(hours=hours) if hours else None
        sender, to = self.names if back else reversed(self.names)
        self.sent.append(mail(self.store, sender=sender, to=to, deliver_at=later))

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 99), status=st.sampled_from(STATUSES))
    def mark(self, pick: int, status: str) -> None:
        self._try(lambda one: messages.mark(self.store, message_ids=[one.id], status=status), pick)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 99))
    def read(self, pick: int) -> None:
        self._try(lambda one: messages.read(self.store, message_id=one.id), pick)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 99), box=st.sampled_from([None, "inbox", "outbox"]))
    def remove(self, pick: int, box: str | None) -> None:
        self._try(lambda one: messages.remove(self.store, message_id=one.id, box=box), pick)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 99), hours=st.integers(1, 60))
    def hold_back(self, pick: int, hours: int) -> None:
        later = self.now + timedelta(hours=hours)
        self._try(lambda one: messages.edit(self.store, message_id=one.id, deliver_at=later), pick)

    @precondition(lambda self: self.sent)
    @rule(pick=st.integers(0, 99), word=st.sampled_from(STATUSES))
    def edit_by_hand(self, pick: int, word: str) -> None:
        def edit(one: messages.Message) -> None:
            file = self.store.root / messages.show(self.store, message_id=one.id).path
            if file.exists() and "/inbox/" in str(file):
                text = file.read_text()
                for status in STATUSES:
                    text = text.replace(f"\nstatus: {status}\n", f"\nstatus: {word}\n")
                file.write_text(text)
                assert worktree.save(self.store).invalid == ()

        self._try(edit, pick)

    @rule()
    def undo(self) -> None:
        with suppress(Error):
            history.undo(self.store)
            if projects.list(self.store).total < 2:  # It took back the project itself: do that again.
                history.undo(self.store, revision=self.store.head())

    @rule(number=st.integers(0, 3))
    def rename(self, number: int) -> None:
        name = f"api{number}"
        if name not in self.names:
            self._try(lambda _: projects.rename(self.store, project=self.names[1], name=name), 0)

    @rule(hours=st.integers(1, 40))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def forget(self) -> None:
        shutil.rmtree(self.store.root / ".git/sbfs/catalog", ignore_errors=True)

    def _try(self, act, pick: int) -> None:
        # What is refused (removed mail, delivered mail, a former name) is refused with one of our errors.
        with suppress(Error):
            act(self.sent[pick % len(self.sent)] if self.sent else None)

    @invariant()
    def counts_equal_lists(self) -> None:
        if not hasattr(self, "store"):
            return
        self.names = [one.name for one in projects.list(self.store).items]
        assert len(self.names) == 2
        self.names.sort(key=lambda name: name != "web")
        for name in self.names:
            whole = messages.list(self.store, project=name, limit=1000)
            unread = messages.list(self.store, project=name, status="unread", limit=1000)
            assert messages.count(self.store, project=name) == len(whole.items) == whole.total
            assert messages.count(self.store, project=name, unread=True) == len(unread.items) == unread.total
            statuses = [one.message.status for one in whole.items]
            assert statuses.count("unread") == len(unread.items)
            assert all(one.message.when <= self.now for one in whole.items)
            order = [(one.message.when, one.message.id) for one in whole.items]
            assert order == sorted(order, reverse=True)
            by_pages = messages.list(self.store, project=name, limit=1)
            assert by_pages.total == whole.total


Mailbags.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestCounts = Mailbags.TestCase


def test_an_unreadable_message_is_in_no_count(post):
    """A broken file that is counted as unread but listed nowhere (AM-8, AM-10)."""
    message = mail(post)
    before = messages.count(post, project="api", unread=True)
    put(post, path_of(message), "id: [\n")
    git(post.root, "commit", "-qam", "break")
    page = messages.list(post, project="api", status="unread")
    assert messages.count(post, project="api", unread=True) == page.total == before - 1
    assert [path for path, _ in page.unreadable] == [path_of(message)]


# -- other layouts: months, and records that are folders ---------------------------------------------

TALK: Kind[dict[str, Any]] = Kind(
    name="talk",
    pattern="talks/{month}/{id}/talk.yaml",
    fields=(Field("id", rule="fixed", required=True), Field("title", required=True)),
    load=dict,
    dump=dict,
    header=lambda data: [data["title"]],
)


def talk(store: Store, month: str, id: str, title: str, **others: bytes) -> None:
    """Write a record that is a folder, and files beside it."""

    def build(tx: Transaction) -> None:
        path = TALK.path_of(month=month, id=id)
        data = {"id": id, "title": title}
        tx.replace(TALK, tx.find(path), data) if tx.find(path) else tx.create(TALK, path, data)
        for name, raw in others.items():
            tx.put_bytes(f"talks/{month}/{id}/{name}.txt", raw)

    store.write("talk", build)


def talks(store: Store) -> tuple[Any, ...]:
    """(headers by period, summaries, headers again one by one) of a fresh catalog."""
    catalog = Catalog(store.view(), TALK, "talks", len)
    rows = {period: catalog.rows(period, tree) for period, tree in catalog.periods()}
    again = [catalog.row(row.path) for found in rows.values() for row in found]
    return {period: [row.header for row in found] for period, found in rows.items()}, catalog.summaries(), again


def test_records_that_are_folders_in_months(store):
    """A layout that the catalog misreads: rows for the files beside a record, or a month taken for a day."""
    talk(store, "2026/10", "b", "Two", turns=b"x")
    talk(store, "2026/11", "c", "Three")
    talk(store, "2026/10", "a", "One")
    store.write("more", lambda tx: tx.put_bytes("talks/2026/11/empty/turns.txt", b"x"))
    rows, summaries, again = talks(store)
    assert rows == {"2026/11": [["Three"], None], "2026/10": [["One"], ["Two"]]}
    assert summaries == {"2026/11": 2, "2026/10": 2}
    assert again[0] == Row("talks/2026/11/c/talk.yaml", ["Three"])
    assert talks(store) == (rows, summaries, again)
    talk(store, "2026/10", "a", "Uno", turns=b"grown")
    assert talks(store)[0]["2026/10"] == [["Uno"], ["Two"]]
    shutil.rmtree(store.root / ".git/sbfs/catalog")
    assert talks(store)[0]["2026/10"] == [["Uno"], ["Two"]]


def test_an_id_of_a_month_is_found_by_its_beginning(store):
    """An id that is looked for in days where its kind has months."""
    full = "talk-01KAP3S6C1V9M8T2WZ4Q7XN5RD"
    talk(store, "2026/11", full, "T")
    talk(store, "2025/01", "talk-01M0A0A0A0V9M8T2WZ4Q7XN5RD", "T")
    for id in ("talk-01KAP3S6C1V9M8", "talk-01KAP3S", "talk-01K"):
        assert store.view().find((TALK,), id, what="talk") == [
            "talks/2026/11/talk-01KAP3S6C1V9M8T2WZ4Q7XN5RD/talk.yaml"
        ]
    # Filed under another month than its ULID says.
    assert store.view().find((TALK,), "talk-01M0A0A0A0", what="talk")[0].startswith("talks/2025/01/")
