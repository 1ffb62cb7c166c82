"""Fetching, pushing and cloning, by Git's binary and by dulwich, against real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from helpers import add, assert_whole, git, run_git, wait_for

from sbfs.errors import AlreadyExists, Invalid, NotFound, RemoteRefused
from sbfs.git import transport as module
from sbfs.git.repository import BRANCH, Repository
from sbfs.git.transport import DulwichTransport, GitTransport, Transport, add_remote, clone, configured, remove_remote
from sbfs.store import Store

Way = Callable[..., Transport]


def _git_way(repo: Repository, *, timeout: float) -> Transport:
    return GitTransport(repo, timeout)


def _dulwich_way(repo: Repository, *, timeout: float) -> Transport:
    return DulwichTransport(repo, timeout)


@pytest.fixture(params=[_git_way, _dulwich_way], ids=["git", "dulwich"])
def way(request: pytest.FixtureRequest) -> Way:
    """Each transport."""
    return request.param


@dataclass
class Remote:
    """root: of the bare repository. url: how it is reached. port: of its server, 0 for a path."""

    root: Path
    url: str
    port: int = 0

    def main(self) -> str | None:
        """Where its branch stands."""
        done = run_git(self.root, "rev-parse", "-q", "--verify", BRANCH)
        return done.stdout.decode().strip() or None


@pytest.fixture(params=["path", "daemon", "http"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    """An empty remote, over each protocol."""
    root = servers.bare(tmp_path / "remotes")
    with ExitStack() as stack:
        if request.param == "path":
            yield Remote(root, str(root))
            return
        serve = servers.git_daemon if request.param == "daemon" else servers.git_http
        base = stack.enter_context(serve(root.parent))
        yield Remote(root, f"{base}/{root.name}", int(base.rpartition(":")[2]))


@pytest.fixture
def repos(tmp_path: Path) -> Iterator[Callable[[str], Repository]]:
    """Makes repositories by name, and closes them."""
    with ExitStack() as stack:

        def make(name: str) -> Repository:
            if not (tmp_path / name).exists():
                git(tmp_path, "init", "-q", "-b", "main", name)
            return stack.enter_context(Repository(tmp_path / name))

        yield make


def _commit(repo: Repository, text: str | bytes, *parents: str) -> str:
    """A commit of one file on the branch. Its parent is the branch's, if none is named."""
    content = text.encode() if isinstance(text, str) else text
    blob = git(repo.root, "hash-object", "-w", "--stdin", input=content)
    tree = git(repo.root, "mktree", input=f"100644 blob {blob}\tfile.txt\n".encode())
    old = repo.ref(BRANCH)
    named = [part for parent in (parents or ((old,) if old else ())) for part in ("-p", parent)]
    commit = git(repo.root, "commit-tree", tree, *named, "-m", "a change")
    git(repo.root, "update-ref", BRANCH, commit)
    return commit


def _loose(repo: Repository) -> int:
    return sum(1 for file in (repo.gitdir / "objects").glob("??/*"))


def _error(call: Callable[[], object]) -> RemoteRefused:
    with pytest.raises(RemoteRefused) as caught:
        call()
    assert caught.value.exit_code == 7
    return caught.value


# -- what both ways do over every protocol ---------------------------------------------------------


def test_there_and_back(way: Way, remote: Remote, repos):
    """Empty, first push, fetch elsewhere, push back. Breaks if a way loses a commit or leaves a ref behind."""
    one, two = repos("one"), repos("two")
    here, there = way(one, timeout=30), way(two, timeout=30)
    assert here.fetch(remote.url, "origin") is None
    assert one.ref("refs/remotes/origin/main") is None
    first = _commit(one, "first")
    assert here.push(remote.url, "origin", first, None) is True
    assert remote.main() == one.ref("refs/remotes/origin/main") == first
    assert there.fetch(remote.url, "upstream") == first == two.ref("refs/remotes/upstream/main")
    assert two.read(first)[0] == "commit"
    second = _commit(two, "second", first)
    assert there.push(remote.url, "upstream", second, first) is True
    assert there.push(remote.url, "upstream", second, second) is True, "what is there already is no error"
    assert here.fetch(remote.url, "origin") == second
    assert here.fetch(remote.url, "origin") == second
    for root in (one.root, two.root, remote.root):
        assert_whole(root)
    assert run_git(one.root, "rev-parse", "-q", "--verify", "FETCH_HEAD").returncode != 0


def test_others_first(way: Way, remote: Remote, repos):
    """Failure mode 18. Breaks if a push overwrote what another clone pushed, fetched already or not."""
    one, two = repos("one"), repos("two")
    here, there = way(one, timeout=30), way(two, timeout=30)
    base = _commit(one, "base")
    assert here.push(remote.url, "origin", base, None)
    assert there.fetch(remote.url, "origin") == base
    theirs = _commit(two, "theirs", base)
    assert there.push(remote.url, "origin", theirs, base)
    ours = _commit(one, "ours")
    assert here.push(remote.url, "origin", ours, base) is False
    assert here.fetch(remote.url, "origin") == theirs
    assert here.push(remote.url, "origin", ours, base) is False
    assert here.push(remote.url, "origin", ours, theirs) is False
    assert remote.main() == theirs == one.ref("refs/remotes/origin/main")
    merged = _commit(one, "both", ours, theirs)
    assert here.push(remote.url, "origin", merged, theirs) is True
    assert remote.main() == merged


def test_a_ref_that_is_locked_at_the_moment(way: Way, remote: Remote, repos):
    """Breaks if a push that met another one at the same moment were reported as refused."""
    one = repos("one")
    base = _commit(one, "base")
    here = way(one, timeout=30)
    assert here.push(remote.url, "origin", base, None)
    lock = remote.root / "refs" / "heads" / "main.lock"
    lock.touch()
    more = _commit(one, "more")
    assert here.push(remote.url, "origin", more, base) is False
    lock.unlink()
    assert here.push(remote.url, "origin", more, base) is True


def test_a_hook_declines(way: Way, remote: Remote, repos):
    """Breaks if the server's reason were lost, or the tracking ref moved. dulwich runs no hooks of a path: it
    refuses to go round them."""
    one = repos("one")
    servers.hook(remote.root, "pre-receive", "echo 'no secrets: \033[31mline 3' >&2; exit 1")
    error = _error(lambda: way(one, timeout=30).push(remote.url, "origin", _commit(one, "x"), None))
    assert "the remote origin (" in error.sentence
    assert "refused the push: " in error.sentence
    if way is _dulwich_way and not remote.port:
        assert "pre-receive hook can be run by git only" in error.sentence
    else:
        assert "pre-receive hook declined: no secrets: line 3" in error.sentence
    assert "the next sync carries it" in error.hint
    assert remote.main() is None is one.ref("refs/remotes/origin/main")


def test_many_fetches_leave_no_loose_objects(way: Way, remote: Remote, repos):
    """Failure mode 44. Breaks if fetched objects were unpacked, or packs came without need."""
    one, two = repos("one"), repos("two")
    here, there = way(one, timeout=30), way(two, timeout=30)
    rounds = 50 if not remote.port else 5
    for number in range(rounds):
        commit = _commit(one, "".join(f"line {line}\n" for line in range(200)) + str(number))
        assert here.push(remote.url, "origin", commit, None)
        assert there.fetch(remote.url, "origin") == commit
        assert there.fetch(remote.url, "origin") == commit
    assert _loose(two) == 0
    assert len(list((two.gitdir / "objects" / "pack").glob("*.pack"))) == rounds
    git(two.root, "update-ref", BRANCH, "refs/remotes/origin/main")
    assert_whole(two.root)


def test_clone(way: Way, remote: Remote, repos, tmp_path: Path):
    """Breaks if a clone lacked the branch, the remote, a setting, or left something beside itself."""
    one = repos("one")
    commit = _commit(one, "x")
    with pytest.raises(Invalid, match="no branch main"):
        clone(remote.url, tmp_path / "copy", timeout=30, way=way)
    assert not (tmp_path / "copy").exists()
    assert way(one, timeout=30).push(remote.url, "origin", commit, None)
    clone(remote.url, tmp_path / "copy", timeout=30, way=way)
    assert os.listdir(tmp_path / "copy") == [".git"]
    with Repository(tmp_path / "copy") as copy:
        assert copy.head_ref() == BRANCH
        assert copy.ref(BRANCH) == copy.ref("refs/remotes/origin/main") == commit
        assert configured(copy) == {"origin": remote.url}
        assert copy.config("gc", "auto") == "0"
        assert _loose(copy) == 0
    assert_whole(tmp_path / "copy")
    with pytest.raises(Invalid, match="is not empty"):
        clone(remote.url, tmp_path / "copy", timeout=30, way=way)


# -- remotes that are not there, or die ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["git", "http", "path", "file"])
def test_nobody_there(way: Way, kind: str, repos, tmp_path: Path):
    """Breaks if a dead port or a missing folder were anything but a refusal that names it."""
    one = repos("one")
    place = f"{kind}://127.0.0.1:{servers.free_port()}/x.git"
    url = {"path": str(tmp_path / "nowhere"), "file": f"file://{tmp_path}/nowhere"}.get(kind, place)
    commit, here = _commit(one, "x"), way(one, timeout=20)
    for call in (lambda: here.fetch(url, "origin"), lambda: here.push(url, "origin", commit, None)):
        error = _error(call)
        assert f"the remote origin ({url}) cannot be reached: " in error.sentence
        assert not error.sentence.endswith("reason")
    _error(lambda: clone(url, tmp_path / "copy", timeout=20, way=way))
    assert not (tmp_path / "copy").exists()


def test_no_such_repository(way: Way, remote: Remote, repos):
    """Breaks if a server without the repository were taken for an empty remote."""
    one = repos("one")
    error = _error(lambda: way(one, timeout=20).fetch(remote.url.replace("remote.git", "other.git"), "origin"))
    assert "cannot be reached" in error.sentence


@pytest.mark.parametrize("kind", ["git", "http"])
def test_silence_ends(way: Way, kind: str, repos):
    """Breaks if a server that never answers held a sync for ever."""
    one = repos("one")
    with servers.silent() as port:
        begin = time.monotonic()
        error = _error(lambda: way(one, timeout=1).fetch(f"{kind}://127.0.0.1:{port}/x.git", "origin"))
        assert "did not answer within 1 s" in error.sentence
        assert time.monotonic() - begin < 15
    assert list(one.gitdir.rglob("*.lock")) == []


def test_a_server_that_dies_in_the_middle(way: Way, remote: Remote, repos):
    """Failure mode 18. Breaks if half a push damaged the remote, was reported as done, or blocked the next one."""
    if not remote.port:
        pytest.skip("a path has no connection to lose")
    one = repos("one")
    big = _commit(one, os.urandom(2_000_000))
    here = way(one, timeout=30)
    with servers.cut(remote.port, 300_000) as before:
        url = remote.url.replace(str(remote.port), str(before.port))
        for _ in range(2):
            _error(lambda: here.push(url, "origin", big, None))
            assert remote.main() is None is one.ref("refs/remotes/origin/main")
            fsck = run_git(remote.root, "fsck", "--strict", "--full", "--no-dangling", "--no-progress")
            assert fsck.returncode == 0, fsck.stderr
        before.bytes = None
        assert here.push(url, "origin", big, None) is True
    assert remote.main() == big
    assert_whole(remote.root)
    # Ancestors of a push that was not finished: found by whoever fetches.
    assert way(repos("two"), timeout=30).fetch(remote.url, "origin") == big


# -- what must not be said or run ------------------------------------------------------------------


def test_no_password_is_shown(way: Way, repos, tmp_path: Path):
    """Failure mode 42. Breaks if a URL's password or token got into a message, of ours or of Git's."""
    root = servers.bare(tmp_path / "remotes")
    one = repos("one")
    commit = _commit(one, "x")
    with servers.git_http(root.parent, "pat", "s3cr3t") as base:
        port = base.rpartition(":")[2]
        right, wrong = (f"http://pat:{word}@127.0.0.1:{port}/{root.name}" for word in ("s3cr3t", "hunter2"))
        token = f"http://ghp_token@127.0.0.1:{port}/{root.name}"
        here = way(one, timeout=20)
        assert here.push(right, "origin", commit, None) is True
        for url in (wrong, token, wrong.replace(port, str(servers.free_port()))):
            for call in (lambda url=url: here.fetch(url, "o"), lambda url=url: here.push(url, "o", commit, None)):
                said = _error(call)
                assert not re.search("hunter2|ghp_token", f"{said.sentence} {said.hint} {said.details}")
                assert "***@127.0.0.1" in said.sentence


@pytest.mark.parametrize(
    "url", ["--upload-pack=touch ran", "-x", "ext::sh -c 'touch ran'", "fd::3", "", "http://a\nb", "x\0"]
)
def test_urls_that_run_programs(way: Way, url: str, repos, tmp_path: Path):
    """Failure mode 42. Breaks if such a URL reached Git or dulwich."""
    one = repos("one")
    here = way(one, timeout=5)
    for call in (
        lambda: here.fetch(url, "origin"),
        lambda: here.push(url, "origin", "0" * 40, None),
        lambda: clone(url, tmp_path / "copy", timeout=5, way=way),
        lambda: add_remote(one, "origin", url),
    ):
        with pytest.raises(Invalid):
            call()
    assert not list(tmp_path.rglob("ran"))
    assert configured(one) == {}


def test_settings_cannot_widen_a_push(repos, tmp_path: Path):
    """Failure mode 42. Breaks if mirror, push or tag settings of a remote sent other refs, or a second URL."""
    root, other = servers.bare(tmp_path / "remotes"), servers.bare(tmp_path / "remotes", "other.git")
    one = repos("one")
    add_remote(one, "origin", str(root))
    commit = _commit(one, "x")
    git(one.root, "update-ref", "refs/heads/private", commit)
    git(one.root, "tag", "-a", "-m", "t", "v1", commit)
    for key, value in {"remote.origin.mirror": "true", "push.followTags": "true", "remote.pushDefault": "x"}.items():
        git(one.root, "config", key, value)
    git(one.root, "config", "--add", "remote.origin.push", "refs/heads/*:refs/heads/*")
    git(one.root, "config", "--add", "remote.origin.pushurl", str(root))
    git(one.root, "config", "--add", "remote.origin.pushurl", str(other))
    assert GitTransport(one, 20).push(str(root), "origin", commit, None) is True
    assert git(root, "for-each-ref", "--format=%(refname)") == BRANCH
    assert git(other, "for-each-ref") == ""


def test_callers_repository_is_not_ours(repos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Called from a hook of another repository. Breaks if GIT_DIR and its kin got through."""
    root, one, two = servers.bare(tmp_path / "remotes"), repos("one"), repos("two")
    commit = _commit(one, "x")
    monkeypatch.setenv("GIT_DIR", str(two.gitdir))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(two.gitdir / "objects"))
    assert GitTransport(one, 20).push(str(root), "origin", commit, None) is True
    assert one.ref("refs/remotes/origin/main") == commit


def test_the_pre_push_hook_decides(way: Way, repos, tmp_path: Path):
    """Breaks if the user's own guard were passed by, or its words lost."""
    root, one = servers.bare(tmp_path / "remotes"), repos("one")
    hook = one.gitdir / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n")
    hook.chmod(0o755)
    error = _error(lambda: way(one, timeout=20).push(str(root), "origin", _commit(one, "x"), None))
    assert "was stopped here" in error.sentence
    assert way is _dulwich_way or "not on a Sunday" in error.sentence
    assert run_git(root, "rev-parse", "-q", "--verify", BRANCH).returncode != 0


def test_a_remote_that_is_checked_out(way: Way, repos):
    """Breaks if a push moved the branch under another store's work tree."""
    one, two = repos("one"), repos("two")
    base = _commit(two, "theirs")
    here = way(one, timeout=20)
    assert here.fetch("../two", "origin") == base
    error = _error(lambda: here.push("../two", "origin", _commit(one, "ours", base), base))
    assert "branch is currently checked out" in error.sentence
    assert two.ref(BRANCH) == base


# -- SSH -------------------------------------------------------------------------------------------


def test_ssh(repos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Breaks if the user's GIT_SSH_COMMAND did not reach Git."""
    root, one, two = servers.bare(tmp_path / "remotes"), repos("one"), repos("two")
    with servers.sshd(tmp_path / "ssh") as (base, command):
        monkeypatch.setenv("GIT_SSH_COMMAND", command)
        commit = _commit(one, "x")
        assert GitTransport(one, 30).push(f"{base}{root}", "origin", commit, None) is True
        assert GitTransport(two, 30).fetch(f"{base}{root}", "origin") == commit


def test_the_ssh_command_is_the_users(repos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same without a server: the command runs what it is told here. Breaks as the one above, and if the
    words of an SSH that fails were lost."""
    root, one = servers.bare(tmp_path / "remotes"), repos("one")
    script = tmp_path / "ssh.sh"
    script.write_text('#!/bin/sh\nwhile [ "$1" != host.test ]; do shift; done; shift; exec sh -c "$*"\n')
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    url = f"ssh://pat@host.test{root}"
    script.write_text(script.read_text().replace("!= host.test", "!= pat@host.test"))
    commit = _commit(one, "x")
    assert GitTransport(one, 30).push(url, "origin", commit, None) is True
    assert GitTransport(one, 30).fetch(url, "origin") == commit
    script.write_text("#!/bin/sh\necho 'pat@host.test: Permission denied (publickey).' >&2\nexit 255\n")
    error = _error(lambda: GitTransport(one, 30).fetch(url, "origin"))
    assert error.sentence.endswith("cannot be reached: pat@host.test: Permission denied (publickey).")


# -- a clone that is killed ------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_clone_leaves_nothing(way: Way, number: int, repos, tmp_path: Path):
    """Breaks if half a repository stood where a store is looked for, or the next clone were refused."""
    root, one = servers.bare(tmp_path / "remotes"), repos("one")
    assert way(one, timeout=20).push(str(root), "origin", _commit(one, "x"), None)
    program = (
        "import sys; from pathlib import Path; from sbfs.git import transport as t\n"
        "way = getattr(t, sys.argv[3])\n"
        "t.clone(sys.argv[1], Path(sys.argv[2]), timeout=60, way=lambda repo, timeout: way(repo, timeout))"
    )
    name = "GitTransport" if way is _git_way else "DulwichTransport"
    target = tmp_path / "copy"
    with servers.silent() as port:
        command = [sys.executable, "-c", program, f"git://127.0.0.1:{port}/x.git", str(target), name]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for(lambda: list(target.glob(".git.new.*~/.git/config")))
        time.sleep(0.3)
        process.send_signal(number)
        process.wait(20)
    assert not (target / ".git").exists()
    assert number == signal.SIGKILL or not target.exists()
    clone(str(root), target, timeout=20, way=way)
    assert_whole(target)


# -- configuration ---------------------------------------------------------------------------------


def test_remotes_are_git_s_own(repos, tmp_path: Path):
    """Breaks if Git read our remotes otherwise, or a person's settings and other remotes were lost."""
    one, root = repos("one"), servers.bare(tmp_path / "remotes")
    git(one.root, "config", "user.name", "Pat")
    git(one.root, "remote", "add", "theirs", "https://example.org/a.git")
    add_remote(one, "origin", str(root))
    assert configured(one) == {"theirs": "https://example.org/a.git", "origin": str(root)}
    assert git(one.root, "remote", "get-url", "origin") == str(root)
    assert git(one.root, "config", "remote.origin.fetch") == "+refs/heads/*:refs/remotes/origin/*"
    with pytest.raises(AlreadyExists):
        add_remote(one, "origin", "elsewhere")
    GitTransport(one, 20).push(str(root), "origin", _commit(one, "x"), None)
    git(one.root, "update-ref", "refs/remotes/origin/loose", BRANCH)
    git(one.root, "update-ref", "refs/remotes/theirs/main", BRANCH)
    git(one.root, "pack-refs", "--all")
    git(one.root, "update-ref", "refs/remotes/origin/new", BRANCH)
    remove_remote(one, "origin")
    assert list(one.refs("refs/remotes/")) == ["refs/remotes/theirs/main"]
    assert git(one.root, "for-each-ref", "--format=%(refname)", "refs/remotes") == "refs/remotes/theirs/main"
    assert git(one.root, "remote") == "theirs"
    assert git(one.root, "config", "user.name") == "Pat"
    with pytest.raises(NotFound):
        remove_remote(one, "origin")
    for name in ("", "-x", "a/b", "a..b", "x.lock", "a=b", "."):
        with pytest.raises(Invalid):
            add_remote(one, name, "/x")


def test_a_store_without_git(store: Store, repos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real store travels, with Git's checks on, and with no git on the machine at all."""
    root = servers.bare(tmp_path / "remotes")
    for number in range(5):
        add(store, f"note-{number}")
    two = repos("two")
    with Repository(store.root) as repo:
        head = repo.ref(BRANCH)
        assert head
        assert isinstance(module.transport(repo, timeout=5), GitTransport)
        assert module.transport(repo, timeout=20).push(str(root), "origin", head, None) is True
        assert module.transport(two, timeout=20).fetch(str(root), "origin") == head
        more = _commit(two, "y", head)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            assert isinstance(module.transport(repo, timeout=5), DulwichTransport)
            assert module.transport(two, timeout=20).push(str(root), "origin", more, head) is True
            assert module.transport(repo, timeout=20).fetch(str(root), "origin") == more
            clone(str(root), tmp_path / "copy", timeout=20)
    assert_whole(tmp_path / "copy")


def test_nothing_heavy_is_imported():
    """Breaks if every command paid for the network."""
    program = "import sys, sbfs.git.transport; print([m for m in ('dulwich.client', 'urllib3') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"
