"""Three clones and a remote in every order: nobody's mail is lost, and all come to hold the same."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from domain_helpers import mail, people, put
from helpers import assert_sound, assert_whole, finish, git, run_git, spawn
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sbfs import doctor, history, messages, projects, sync, threeway, times
from sbfs.errors import AlreadyExists, Invalid, NotFound, Stale
from sbfs.git.repository import Repository
from sbfs.messages import INBOX, OUTBOX
from sbfs.messages.value import STATUSES
from sbfs.store import Store

NAMES = ("web", "api", "docs", "shop")
STILL = "still"
"""A project that nobody renames: its tags are what the machine keeps count of."""
PEOPLE = (*NAMES[:3], STILL)
DAYS = (-1, 0, 1)
"""How far each clone's clock is from the present."""

EXPLAINED = {"left-over", "undelivered", "upkeep", "orphan"}
"""What `check` may find: a killed writer's files, mail whose received copy a person deleted, packs to join."""

clones = st.integers(0, len(DAYS) - 1)
picks = st.integers(0, 99)
names = st.sampled_from(NAMES)
records = st.sampled_from((*NAMES, STILL))


def open_at(root: Path, days: int) -> Store:
    """A store whose clock is days off."""
    return Store.open(root, clock=lambda: times.now() + timedelta(days=days), lock_wait=20)


def received(store: Store) -> dict[str, int]:
    """Message → how far its status is, of all mail that a clone's branch has in an inbox."""
    view = store.view()
    found = ((INBOX.places(path)["id"], view.record(path)) for path, _ in view.walk(INBOX))
    return {id: STATUSES.index(record.data["status"]) for id, record in found if not record.removed}


def tags(store: Store) -> set[str]:
    """The tags of the project that stays."""
    return {*projects.show(store, project=STILL).tags}


def merged(repo: Repository, ours: str, theirs: str) -> str:
    """The tree that a merge comes to."""
    joined = threeway.join(repo, ours, theirs)
    return threeway._Objects(repo).keep(repo.commit(ours).tree, joined.changes)


def found(top: Path) -> None:
    """A remote and three clones of it, with projects, tags and mail."""
    hub = top / "hub.git"
    git(top, "init", "-q", "--bare", "-b", "main", str(hub))
    with Store.init(top / "0") as first:
        people(first, *PEOPLE)
        projects.set(first, project=STILL, tags=["a", "b", "c"])
        projects.group_add(first, group="team", projects=PEOPLE)
        for name in PEOPLE:
            mail(first, sender=STILL, to=name, subject="first")
        sync.remote_add(first, name="origin", url=str(hub))
        sync.sync(first)
    for number in (1, 2):
        sync.clone(str(hub), top / str(number))


@contextmanager
def refusals(*kinds: type[Exception]) -> Iterator[None]:
    """What is refused is refused with one of these: a name that is gone, taken, or was changed meanwhile."""
    try:
        yield
    except (NotFound, Invalid, AlreadyExists, Stale, *kinds):
        pass


def die_at_work(root: Path, verb: str, at: int, report: Path) -> None:
    """Process: sync or send, and be killed at a step."""
    from helpers import trip

    with Store.open(root, lock_wait=20) as store:
        untrip = trip("kill", "before", at)
        with refusals():
            if verb == "sync":
                sync.sync(store)
            else:
                report.write_text(mail(store, sender="web", to="api", subject="while dying").id)
        untrip()


class Clones(RuleBasedStateMachine):
    """Any sequence of verbs, hand edits, plain Git and kills in three clones, synced in any order.

    known: every message that an inbox ever held → the furthest status that it was given. taken: those
    that somebody deleted, undid or reverted, which may be there or not. unsure: those whose status
    somebody took back. Of all others each rule is held to what it promised. dropped: tags that somebody
    removed. Every tag is added once, so that it comes back only where somebody takes that back: then it
    is among the unsure too.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        top = Path(self.folder.name)
        self.hub, self.report = top / "hub.git", top / "report"
        found(top)
        self.stores = [open_at(top / str(number), days) for number, days in enumerate(DAYS)]
        self.known: dict[str, int] = {}
        self.taken: set[str] = set()
        self.unsure: set[str] = set()
        self.dropped: set[str] = set()
        self.tags: list[set[str]] = [set(), set(), set()]
        self.seen: list[dict[str, int]] = [{}, {}, {}]
        self.count = 0
        for number in range(3):
            self._look(number)

    def teardown(self) -> None:
        if not hasattr(self, "stores"):
            return
        try:
            if sys.exc_info()[0] is None:
                self.meet()
                self._assert_all_well()
        finally:
            for store in self.stores:
                store.close()
            self.folder.cleanup()

    # -- verbs -------------------------------------------------------------------------------------

    @rule(at=clones, sender=names, to=names)
    def send(self, at: int, sender: str, to: str) -> None:
        with refusals():
            message = mail(self.stores[at], sender=sender, to=to, subject=f"n{self._next()}")
            assert message.id in received(self.stores[at])
        self._look(at)

    @rule(at=clones, pick=picks, status=st.sampled_from(["read", "archived"]))
    def mark(self, at: int, pick: int, status: str) -> None:
        found = sorted(id for id, far in received(self.stores[at]).items() if far < STATUSES.index(status))
        if found:
            with refusals():
                messages.mark(self.stores[at], message_ids=[found[pick % len(found)]], status=status)
        self._look(at)

    @rule(at=clones, pick=picks, box=st.sampled_from([None, "inbox", "outbox"]))
    def remove(self, at: int, pick: int, box: str | None) -> None:
        if id := self._pick(at, pick):
            with refusals():
                messages.remove(self.stores[at], message_id=id, box=box)
            self.taken.add(id)
        self._look(at)

    @rule(at=clones, old=names, new=names)
    def rename(self, at: int, old: str, new: str) -> None:
        with refusals():
            projects.rename(self.stores[at], project=old, name=new)
        self._look(at)

    @rule(at=clones, name=names)
    def add_project(self, at: int, name: str) -> None:
        with refusals():
            projects.add(self.stores[at], name=name, tags=[f"t{self._next()}"])
        self._look(at)

    @rule(at=clones, name=names, gone=st.booleans())
    def change_group(self, at: int, name: str, gone: bool) -> None:
        act = projects.group_remove if gone else projects.group_add
        with refusals():
            act(self.stores[at], group="team", projects=[name])
        self._look(at)

    @rule(tagging=clones, untagging=st.none() | clones, pick=picks)
    def tag(self, tagging: int, untagging: int | None, pick: int) -> None:
        """Two do it at once, more often than chance would have it."""
        with refusals():
            projects.set(self.stores[tagging], project=STILL, add_tags=[f"t{self._next()}"])
        self._look(tagging)
        if untagging is not None:
            self._untag(untagging, pick)

    def _untag(self, at: int, pick: int) -> None:
        if found := sorted(tags(self.stores[at])):
            self.dropped.add(tag := found[pick % len(found)])
            with refusals():
                projects.set(self.stores[at], project=STILL, remove_tags=[tag])
                assert tag not in tags(self.stores[at])
        self._look(at)

    @rule(at=clones)
    def undo(self, at: int) -> None:
        with refusals():
            history.undo(self.stores[at])
        self._look(at, takes=True)

    @rule(at=clones)
    def sync(self, at: int) -> None:
        said = sync.sync(self.stores[at])
        # Mail to nobody stays unsaved, until somebody adds that project: its writer gives up before.
        assert all("/outbox/note" in edit.path for edit in said.invalid)
        for edit in said.invalid:
            (self.stores[at].root / edit.path).unlink()
        self._look(at)

    # -- people ------------------------------------------------------------------------------------

    @rule(at=clones, name=records, field=st.sampled_from(["alias", "description", "tags", "# "]))
    def edit_by_hand(self, at: int, name: str, field: str) -> None:
        self._edit(at, name, field)

    @rule(at=clones, name=names, to=names)
    def write_by_hand(self, at: int, name: str, to: str) -> None:
        """A message that the next sync sends, if there is such a project."""
        note = f"projects/{name}/outbox/note{self._next()}.yaml"
        if (self.stores[at].root / f"projects/{name}/project.yaml").exists():
            put(self.stores[at], note, f"to_project: {to}\nsubject: by hand\ncontent: hello\n")

    @rule(at=clones, pick=picks, kind=st.sampled_from([INBOX, OUTBOX]))
    def delete_by_hand(self, at: int, pick: int, kind) -> None:
        if id := self._pick(at, pick):
            for path, _ in [*self.stores[at].view().walk(kind, id=id)]:
                (self.stores[at].root / path).unlink(missing_ok=True)
            self.taken.add(id)

    @rule(at=clones, name=records, field=st.sampled_from(["alias", "description", "tags"]))
    def commit_by_git(self, at: int, name: str, field: str) -> None:
        if self._edit(at, name, field):
            git(self.stores[at].root, "commit", "-qam", "by hand")
        self._look(at)

    @rule(at=clones)
    def revert_by_git(self, at: int) -> None:
        root = self.stores[at].root
        head = self.stores[at].view().commit
        apart = len(head.parents) > 1
        if not apart and run_git(root, "revert", "--no-edit", "HEAD").returncode:
            run_git(root, "revert", "--abort")
        self._look(at, takes=True)

    @rule(at=clones, verb=st.sampled_from(["send", "sync"]), step=st.integers(1, 40))
    def kill(self, at: int, verb: str, step: int) -> None:
        root = self.stores[at].root
        self.stores[at].close()
        self.report.unlink(missing_ok=True)
        (ended,) = finish(spawn(die_at_work, root, verb, step, self.report))
        assert ended in (0, -9)
        self.stores[at] = open_at(root, DAYS[at])
        self._look(at)
        if self.report.exists():
            assert self.report.read_text() in self.seen[at]

    # -- what holds --------------------------------------------------------------------------------

    @precondition(lambda self: self.count % 3 == 2)
    @rule(one=clones, other=clones)
    def merge_either_way(self, one: int, other: int) -> None:
        """Breaks if what a merge comes to depended on who merges."""
        repo = self.stores[one].repo
        ours, theirs = self.stores[one].head(), self.stores[other].head()
        git(self.stores[one].root, "fetch", "-q", str(self.stores[other].root), "main")
        assert merged(repo, ours, theirs) == merged(repo, theirs, ours)

    @rule()
    def meet(self) -> None:
        """Breaks if clones that all have synced differ."""
        for number in (0, 1, 2, 0, 1, 2):
            self.sync(number)
        assert len({store.head() for store in self.stores}) == 1

    def _assert_all_well(self) -> None:
        """Breaks if clones came to no rest, hold less than was acknowledged, or are not sound."""
        heads = {store.head() for store in self.stores}
        for number, store in enumerate(self.stores):
            assert sync.sync(store).revision in heads
            self._assert_all_there(number)
            self._assert_sound(store)
        assert_whole(self.hub)

    def _assert_all_there(self, at: int) -> None:
        certain = self.known.keys() - self.taken
        assert certain <= self.seen[at].keys()
        assert not self.tags[at] & (self.dropped - self.unsure)
        for id in certain:
            assert messages.show(self.stores[at], message_id=id).message.id == id

    def _assert_sound(self, store: Store) -> None:
        assert_sound(store.root, litter=True)
        found = [one for one in doctor.check(store).findings if one.code not in EXPLAINED]
        assert found == []

    def _look(self, at: int, *, takes: bool = False) -> None:
        """Hold a clone to what it had. takes: whether somebody takes something back, which is then theirs."""
        before, now = self.seen[at], received(self.stores[at])
        gone = before.keys() - now.keys()
        less = {id for id in before.keys() & now.keys() if now[id] < before[id]}
        if takes:
            self.taken |= gone
            self.unsure |= less
        assert gone <= self.taken, "mail is gone"
        assert less <= self.taken | self.unsure, "a status fell back"
        for id, far in now.items():
            self.known[id] = max(far, self.known.get(id, 0))
        self.seen[at] = now
        self._look_at_tags(at, takes)

    def _look_at_tags(self, at: int, takes: bool) -> None:
        before, now = self.tags[at], tags(self.stores[at])
        if takes:
            self.unsure |= before ^ now
        assert before - now <= self.dropped | self.unsure, "a tag is gone"
        assert not (now - before) & (self.dropped - self.unsure), "a tag that was removed came back"
        self.tags[at] = now

    def _edit(self, at: int, name: str, field: str) -> bool:
        """Change a project's record by an editor; whether there is one."""
        file = self.stores[at].root / "projects" / name / "project.yaml"
        record = self.stores[at].view().find_record(f"projects/{name}/project.yaml")
        if record is None or record.removed or not file.exists():
            return False
        word = f"w{self._next()}"
        if field == "# ":
            file.write_text(f"{file.read_text()}# {word}\n")
        else:
            value = [*record.data.get("tags", ()), word] if field == "tags" else word
            file.write_bytes(record.changed({**record.data, field: value}).raw)
        return True

    def _pick(self, at: int, pick: int) -> str:
        found = sorted(received(self.stores[at]))
        return found[pick % len(found)] if found else ""

    def _next(self) -> int:
        self.count += 1
        return self.count


class ClonesForLong(Clones):
    """The same, by the hundred and at random."""


calm = settings(deadline=None, suppress_health_check=[*HealthCheck], database=None)
# The soak makes what it finds small; here that would take minutes.
quick = settings(calm, derandomize=True, phases=[Phase.explicit, Phase.generate])
Clones.TestCase.settings = settings(quick, max_examples=14, stateful_step_count=12)
ClonesForLong.TestCase.settings = settings(calm, max_examples=50, stateful_step_count=25)

TestClones = Clones.TestCase
TestClonesForLong = pytest.mark.soak(pytest.mark.timeout(900)(ClonesForLong.TestCase))
