"""Whatever happens to a store and to its index, in any order: the next search answers as a fresh index would."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from conftest import Clock
from domain_helpers import mail, people, put
from helpers import finish, git, run_git, spawn, trip
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from search_helpers import assert_follows, backend_files, expected, folder, forget, found, held

from sbfs import history, messages, projects, search, sync, worktree
from sbfs.errors import AlreadyExists, Error, Invalid, NotFound
from sbfs.search import follower
from sbfs.search.question import Question
from sbfs.store import Store

NAMES = ("web", "api", "docs")
WORDS = ("gnu", "zebra", "okapi", "tapir", "ibex", "getUserStats")

picks = st.integers(0, 99)
names = st.sampled_from(NAMES)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
boxes = st.sampled_from((None, "inbox", "outbox"))


def best(store: Store) -> list[list[tuple[str, float]]]:
    """The first twenty hits of some questions, with their scores."""
    served = follower.of(store).serve(store)
    assert served.engine is not None
    answers = [
        served.engine.search(Question(text, limit=20)).hits for text in ("gnu", "zebra tapir", "user stats", "web")
    ]
    return [[(hit.key, round(hit.score, 6)) for hit in hits] for hits in answers]


def die_searching(root: Path, at: int) -> None:
    """Process: bring the index along, and be killed at a step that reaches the disk."""
    with Store.open(root) as store:
        trip("kill", "before", at)
        search.search(store, query="gnu")


class Machine(RuleBasedStateMachine):
    """One store, its index, and another clone that it syncs with."""

    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="sbfs-search-"))
        self.clock = Clock()
        git(self.top, "init", "-q", "--bare", "-b", "main", "hub.git")
        self.store = Store.init(self.top / "store", clock=self.clock)
        people(self.store, *NAMES)
        projects.group_add(self.store, group="team", projects=["web", "api"], description="A herd of gnus")
        sync.remote_add(self.store, name="origin", url=str(self.top / "hub.git"))
        sync.sync(self.store)
        sync.clone(str(self.top / "hub.git"), self.top / "other")
        self.other = Store.open(self.top / "other", clock=self.clock)
        self.heads = [self.store.head()]
        self.pushed = False

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.compare()
            self.store.close()
            self.other.close()
            shutil.rmtree(self.top, ignore_errors=True)

    def compare(self) -> None:
        """The index that followed is the one that is built anew."""
        assert_follows(self.store)
        before, answers = held(self.store), best(self.store)
        search.index_rebuild(self.store)
        assert held(self.store) == before
        after = best(self.store)
        assert after == answers

    def paths(self) -> list[str]:
        """The files of mail on the branch."""
        view = self.store.view()
        return sorted(path for kind in (messages.INBOX, messages.OUTBOX) for path, _ in view.walk(kind))

    def done(self) -> None:
        self.clock.forward(seconds=1)
        self.heads.append(self.store.head())

    # -- people and agents

    @rule(sender=names, to=names, text=texts)
    def send(self, sender: str, to: str, text: str) -> None:
        try:
            mail(self.store, sender=sender, to=to, subject=text, message=text)
        except (NotFound, Invalid):
            return
        self.done()

    @rule(pick=picks, box=boxes)
    def remove(self, pick: int, box: str | None) -> None:
        if paths := self.paths():
            try:
                messages.remove(self.store, message_id=paths[pick % len(paths)].split("/")[-1][:-5], box=box)
            except (NotFound, Invalid):
                return
            self.done()

    @rule(pick=picks, status=st.sampled_from(messages.STATUSES))
    def mark(self, pick: int, status: str) -> None:
        if paths := [path for path in self.paths() if "/inbox/" in path]:
            try:
                messages.mark(self.store, message_ids=[paths[pick % len(paths)].split("/")[-1][:-5]], status=status)
            except (NotFound, Invalid):
                return
            self.done()

    @rule(name=names, text=texts)
    def describe(self, name: str, text: str) -> None:
        try:
            projects.set(self.store, project=name, description=text)
        except NotFound:
            return
        self.done()

    @rule(name=names, new=st.sampled_from((*NAMES, "shop")))
    def rename(self, name: str, new: str) -> None:
        try:
            projects.rename(self.store, project=name, name=new)
        except (NotFound, AlreadyExists):
            return
        self.done()

    @rule(name=names)
    def remove_project(self, name: str) -> None:
        try:
            projects.remove(self.store, project=name)
        except NotFound:
            return
        self.done()

    @rule(name=names)
    def add_project(self, name: str) -> None:
        try:
            projects.add(self.store, name=name, description="A new tapir")
        except AlreadyExists:
            return
        self.done()

    @rule()
    def undo(self) -> None:
        try:
            history.undo(self.store)
        except Error:
            return
        self.done()

    # -- by hand

    @rule(name=names, text=texts)
    def write_a_letter(self, name: str, text: str) -> None:
        if not (self.store.root / "projects" / name / "project.yaml").exists():
            return
        file = put(self.store, f"projects/{name}/outbox/letter.yaml", f"to_project: api\nsubject: s\ncontent: {text}\n")
        worktree.save(self.store)
        file.unlink(missing_ok=True)
        self.done()

    @rule(pick=picks, how=st.sampled_from(("gone", "spoilt", "rewritten", "elsewhere")), text=texts)
    def commit_with_git(self, pick: int, how: str, text: str) -> None:
        if not (paths := self.paths()):
            return
        path = paths[pick % len(paths)]
        file = self.store.root / path
        if how == "gone":
            file.unlink()
        elif how == "spoilt":
            file.write_text("id: [\n")
        elif how == "rewritten":
            file.write_text(file.read_text().replace("message:", f"message: {text}\n  was:", 1))
        else:
            other = file.parent.parent / "01" / file.name
            other.parent.mkdir(exist_ok=True)
            shutil.move(file, other)
        git(self.store.root, "add", "-A")
        run_git(self.store.root, "commit", "-qm", "by hand")
        self.done()

    @precondition(lambda self: not self.pushed)
    @rule(pick=picks)
    def reset(self, pick: int) -> None:
        git(self.store.root, "reset", "-q", "--hard", self.heads[pick % len(self.heads)])
        self.done()

    # -- another machine

    @rule(name=names, text=texts)
    def pull(self, name: str, text: str) -> None:
        self.pushed = True
        with suppress(NotFound, Invalid):
            mail(self.other, sender=name, to="api", message=text)
        try:
            for store in (self.other, self.store, self.other):
                sync.sync(store)
        except Error:
            # An invalid edit by hand keeps a sync from ending; the search does not mind.
            return
        self.done()

    # -- the index

    @rule(text=texts)
    def search(self, text: str) -> None:
        ids = {
            one[2].id for one in follower.entries.Entries(self.store.repo, self.store.view().commit.tree).everything()
        }
        assert {*found(self.store, text)} <= ids
        assert held(self.store) == expected(self.store)

    @rule()
    def search_from_another_process(self) -> None:
        with Store.open(self.store.root, clock=self.clock) as fresh:
            assert held(fresh) == expected(fresh)

    @rule(pick=picks, how=st.sampled_from(("cut", "flipped", "gone")))
    def damage(self, pick: int, how: str) -> None:
        if not folder(self.store).is_dir():
            return
        manifest = folder(self.store) / "manifest.json"
        files = [*backend_files(self.store), *([manifest] if manifest.exists() else [])]
        if not files:
            return
        file = files[pick % len(files)]
        data = file.read_bytes()
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(data[: len(data) // 2] if how == "cut" else bytes(byte ^ 1 for byte in data))

    @rule()
    def forget(self) -> None:
        forget(self.store)

    @rule(at=st.integers(1, 12))
    def kill(self, at: int) -> None:
        finish(spawn(die_searching, self.store.root, at))


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
