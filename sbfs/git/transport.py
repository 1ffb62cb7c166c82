"""The network half of a sync: fetch one branch, push one commit, clone.

Git's own binary does it where there is one, since it has the user's keys, credential helpers and
proxies; dulwich does it elsewhere. Both give the same results. What a remote says is shown to
people, so it is cut, made printable, and freed of passwords.
"""

from __future__ import annotations

import functools
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from sbfs import files
from sbfs.errors import AlreadyExists, Busy, Failed, Invalid, NotFound, RemoteRefused
from sbfs.git.ancestry import is_ancestor
from sbfs.git.config import configure
from sbfs.git.repository import BRANCH, Repository

_SAFE = "everything is committed here; the next sync carries it"

_KEPT = (
    *("GIT_SSH", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "GIT_PROXY"),
    *("GIT_CONFIG_", "GIT_HTTP_", "GIT_SSL_", "GIT_ALLOW_PROTOCOL"),
)
"""Variables by their beginning that say how to reach others; the rest says which repository to work on."""

_MOVED = re.compile(
    r"non-fast-forward|fetch first|stale info|cannot lock ref|failed to (update|lock)"
    r"|incorrect old value|already exists|updated since|unable to set"
)
"""How servers say that the branch moved, or moves at this moment."""

_NEVER = re.compile(r"permission denied|read-only|no space left|quota", re.I)
"""What makes a failed update a refusal: it would fail again."""

_NOISE = re.compile(
    r"$|To |hint:|Please make sure|and the repository exists|Everything up-to-date|Cloning into"
    r"|fatal: [Cc]ould not read from remote|fatal: the remote end hung up|error: failed to push some refs"
    r"|warning:|send-pack: unexpected disconnect"
)
"""Lines of Git that name no cause."""


class Transport(Protocol):
    """A way to other machines. url: where. name: of the remote, whose refs/remotes/<name>/main follows."""

    def fetch(self, url: str, name: str) -> str | None:
        """Bring the remote's main here. Returns its commit; None where the remote has no main.

        Raises RemoteRefused.
        """

    def push(self, url: str, name: str, commit: str, expected: str | None) -> bool:
        """Offer a commit as the remote's main. expected: where the remote was when the commit was made from it.

        Returns False where others pushed first: fetch and try again. Raises RemoteRefused.
        """


def transport(repo: Repository, *, timeout: float) -> Transport:
    """The best way to other machines that this one has. timeout: seconds until a remote counts as silent."""
    return (GitTransport if shutil.which("git") else DulwichTransport)(repo, timeout)


class _Transport(ABC):
    """What both ways share."""

    def __init__(self, repo: Repository, timeout: float):
        self.repo = repo
        self.timeout = timeout

    def fetch(self, url: str, name: str) -> str | None:
        """See Transport."""
        check_remote(name, url)
        found = self._fetch(url, name)
        self.repo.close()  # opened packs know nothing of the new one
        if found and self.repo.read(found)[0] != "commit":
            raise RemoteRefused(f"{_called(name, url)} has a main that is no commit", hint=_SAFE)
        return found

    def push(self, url: str, name: str, commit: str, expected: str | None) -> bool:
        """See Transport."""
        check_remote(name, url)
        if expected and not self._contains(commit, expected):
            return False
        if not self._push(url, name, commit):
            return False
        if self.repo.ref(tracking(name)) != commit:
            _track(self.repo, name, commit)
        return True

    def _contains(self, commit: str, older: str) -> bool:
        return self.repo.has(older) and is_ancestor(self.repo, older, commit)

    @abstractmethod
    def _fetch(self, url: str, name: str) -> str | None: ...

    @abstractmethod
    def _push(self, url: str, name: str, commit: str) -> bool: ...

    def _silent(self, name: str, url: str) -> RemoteRefused:
        return RemoteRefused(f"{_called(name, url)} did not answer within {self.timeout:g} s", hint=_SAFE)


# -- Git's binary ----------------------------------------------------------------------------------


class GitTransport(_Transport):
    """By the git binary."""

    def _fetch(self, url: str, name: str) -> str | None:
        options = ["--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"]
        options += ["--no-prune", "--refmap=", "-q"]
        # Either alone keeps what comes as one pack, with the Git of today.
        settings = {"fetch.unpackLimit": "1", "fetch.fsckObjects": "true"}
        refspec = f"+{BRANCH}:{tracking(name)}"
        for attempt in range(5):
            done = self._git(name, url, settings, ["fetch", *options, self._place(name, url), refspec])
            if done.returncode == 0:
                return self.repo.ref(tracking(name))
            if "couldn't find remote ref" in done.stderr:
                return None
            if f"cannot lock ref '{tracking(name)}'" not in done.stderr:
                raise _unreachable(name, url, done.stderr)
            time.sleep(0.05 * 2**attempt)
        raise _locked(self.repo, name)

    def _push(self, url: str, name: str, commit: str) -> bool:
        options = ["--porcelain", "--no-follow-tags", "--recurse-submodules=no"]
        refspec = f"{commit}:{BRANCH}"
        settings = {f"remote.{name}.mirror": "false"}
        done = self._git(name, url, settings, ["push", *options, self._place(name, url), refspec])
        if done.returncode == 0:
            return True
        said = "\n".join(re.findall(r"^remote: ?(.*)$", done.stderr, re.M))
        answer = re.search(rf"^!\t\S*:{BRANCH}\t\[([^]]*)\](?: \((.*)\))?", done.stdout, re.M)
        if answer:
            return _not_taken(name, url, answer[2] or answer[1], said)
        if "failed to push some refs" in done.stderr and "fatal:" not in done.stderr:
            # Git's pre-push hook, which the user keeps here, said no before anything was sent.
            words = _last_words(done.stderr) or "the hook pre-push declined"
            raise RemoteRefused(f"the push to {_called(name, url)} was stopped here: {words}", hint=_SAFE)
        raise _unreachable(name, url, done.stderr)

    def _place(self, name: str, url: str) -> str:
        """The remote's name, so that its settings hold, if it means this one URL and no other."""
        remotes = _remotes(self.repo)
        here = name in remotes and remotes[name].get("url") == [url]
        return name if here and len(remotes[name].get("pushurl", [])) < 2 else url

    def _git(
        self, name: str, url: str, settings: Mapping[str, str], arguments: list[str]
    ) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(_KEPT)}
        env = {**kept, "GIT_DIR": os.fspath(self.repo.gitdir), "LC_ALL": "C"}
        attended = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
        if not attended:
            env["GIT_TERMINAL_PROMPT"] = "0"
        settings = {**settings, "protocol.ext.allow": "never"}
        command = ["git", *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")), *arguments]
        try:
            process = subprocess.Popen(
                command,
                cwd=self.repo.root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Its helpers end with it; where someone is there to be asked for a password, they
                # have to stay with the terminal.
                start_new_session=not attended,
            )
        except FileNotFoundError:
            raise Failed("git is not there any more", hint="install git, or try again without it") from None
        with process:
            try:
                out, err = process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired:
                _end(process, group=not attended)
                raise self._silent(name, url) from None
            except BaseException:
                _end(process, group=not attended)
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process: subprocess.Popen[str], *, group: bool) -> None:
    """End Git: asked first, so that it takes its locks and temporary files away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            if group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)


# -- dulwich ---------------------------------------------------------------------------------------


class _OthersFirst(Exception):
    """The remote's main is not what the commit was made from."""


class DulwichTransport(_Transport):
    """By dulwich, where there is no git binary. Knows no credential helpers, and runs no hooks.

    Its timeout is one of silence, not of the whole, and an SSH that hangs is not ended.
    """

    def __init__(self, repo: Repository, timeout: float):
        super().__init__(repo, timeout)
        self._opened: list[Callable[[], object]] = []
        """How to close the connections that dulwich leaves open after an error."""

    def _fetch(self, url: str, name: str) -> str | None:
        from dulwich.repo import Repo

        ref = BRANCH.encode()
        with self._reaching(name, url), Repo(os.fspath(self.repo.root)) as repo:
            repo.object_store.fsync_object_files = True
            client, path = self._client(repo, url, "pull")
            missing: list[Any] = []

            def wants(refs: Mapping[bytes, Any], _depth: int | None = None) -> list[Any]:
                missing[:] = [refs[ref]] if ref in refs and refs[ref] not in repo.object_store else []
                return missing

            fetched: Any = client.fetch(path, repo, determine_wants=wants, ref_prefix=[ref], progress=_ignore)
            id = fetched.refs.get(ref)
            if id is None:
                return None
            if missing:
                self._check_whole(repo, missing)
        _track(self.repo, name, id.decode())
        return str(id.decode())

    def _check_whole(self, repo: Any, ids: list[Any]) -> None:
        """Read what fetched commits brought. Raises KeyError where a commit or a folder is missing."""
        from dulwich.object_store import MissingObjectFinder

        refs = {**self.repo.refs("refs/heads/"), **self.repo.refs("refs/remotes/")}
        known: list[Any] = [id.encode() for id in refs.values() if id.encode() in repo.object_store]
        for _ in MissingObjectFinder(repo.object_store, haves=known, wants=ids):
            pass

    def _push(self, url: str, name: str, commit: str) -> bool:
        from dulwich.file import FileLocked
        from dulwich.repo import Repo

        self._refuse_hook(name, url)
        ref, said = BRANCH.encode(), list[bytes]()
        asked = False

        def update(refs: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
            nonlocal asked
            now = refs.get(ref)
            asked = now != commit.encode()
            if now and asked and not self._contains(commit, now.decode()):
                raise _OthersFirst
            return {ref: commit.encode()}

        with self._reaching(name, url, said), Repo(os.fspath(self.repo.root)) as repo:
            client, path = self._client(repo, url, "push")
            local = _is_local(client)
            if local:
                _refuse_path(name, url, path)

            def pack(have: Any, want: Any, **options: Any) -> Any:
                return repo.generate_pack_data(have, want, **{**options, "progress": None})

            try:
                sent: Any = client.send_pack(path, update, pack, progress=said.append)
            except (_OthersFirst, FileLocked):
                return False
            status = sent.ref_status
        if status and status.get(ref):
            return _not_taken(name, url, status[ref], b"".join(said).decode("utf-8", "replace"))
        if asked and not local and status is not None and ref not in status:
            raise _unreachable(name, url, "it did not say whether it took the push")
        return True

    def _client(self, repo: Any, url: str, operation: str) -> tuple[Any, str]:
        from dulwich.client import get_transport_and_path

        client: Any
        client, path = get_transport_and_path(url, config=repo.get_config_stack(), operation=operation, quiet=True)
        if _is_local(client):
            path = os.path.join(self.repo.root, path)
        _watch(client, self._opened)
        return client, path

    def _refuse_hook(self, name: str, url: str) -> None:
        folder = self.repo.config("core", "hooksPath") or os.fspath(self.repo.gitdir / "hooks")
        if os.access(self.repo.root / folder / "pre-push", os.X_OK):
            words = "the hook pre-push can be run by git only"
            raise RemoteRefused(f"the push to {_called(name, url)} was stopped here: {words}", hint="install git")

    @contextmanager
    def _reaching(self, name: str, url: str, said: Iterable[bytes] = ()) -> Iterator[None]:
        before = socket.getdefaulttimeout()
        # The one way to give dulwich's own sockets a limit: each is of this block or of its moment.
        socket.setdefaulttimeout(self.timeout)
        try:
            yield
        except _broken() as error:
            if isinstance(error, TimeoutError) or "timed out" in str(error):
                raise self._silent(name, url) from None
            raise _unreachable(name, url, _sentence(error), b"".join(said).decode("utf-8", "replace")) from None
        finally:
            socket.setdefaulttimeout(before)
            while self._opened:
                with suppress(OSError):
                    self._opened.pop()()


@functools.cache
def _broken() -> tuple[type[Exception], ...]:
    """What dulwich raises for remotes that are not there, die or talk nonsense."""
    import urllib3.exceptions as http
    from dulwich import client, errors

    plain = (OSError, ValueError, KeyError, AssertionError, EOFError, NotImplementedError, zlib.error)
    git = (errors.GitProtocolError, errors.NotGitRepository, errors.ApplyDeltaError, errors.ChecksumMismatch)
    more = (errors.FileFormatException, client.HTTPUnauthorized, client.HTTPProxyUnauthorized, client.InvalidWants)
    return (*plain, *git, *more, client.StrangeHostname, client.TransportNotAllowed, http.HTTPError)


def _sentence(error: Exception) -> str:
    from dulwich import client, errors

    if isinstance(error, errors.NotGitRepository):
        return "there is no repository"
    if isinstance(error, client.HTTPUnauthorized):
        return "it asks for a user and a password"
    if isinstance(error, KeyError):
        return "what it sent is not complete"
    reason = getattr(error.__cause__, "reason", None)
    if isinstance(reason, Exception):  # urllib3 tells which pool could not do what; the last part is the cause
        return str(reason).rpartition(": ")[2]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _watch(client: Any, opened: list[Callable[[], object]]) -> None:
    """Note how to close each connection that a client makes: dulwich leaves them open after an error."""
    from dulwich.client import TCPGitClient, Urllib3HttpGitClient

    if isinstance(client, TCPGitClient):
        _note(client, "_connect", lambda answer: opened.append(answer[0].close))
    elif isinstance(client, Urllib3HttpGitClient):
        from urllib3 import Retry

        # A sync tries again by itself; here, trying thrice would only be silent three times as long.
        pool: Any = client.pool_manager
        pool.connection_pool_kw["retries"] = Retry(None, connect=0, read=0, other=0, redirect=5)
        opened.append(pool.clear)
        _note(pool, "request", lambda answer: opened.append(answer.close))


def _note(owner: Any, name: str, seen: Callable[[Any], object]) -> None:
    """Let `seen` see what one of an object's methods returns."""
    method = getattr(owner, name)

    def noted(*arguments: Any, **options: Any) -> Any:
        answer = method(*arguments, **options)
        seen(answer)
        return answer

    setattr(owner, name, noted)


def _is_local(client: Any) -> bool:
    from dulwich.client import LocalGitClient

    return isinstance(client, LocalGitClient)


def _refuse_path(name: str, url: str, path: str) -> None:
    """A repository on this machine guards itself by what only Git does: do not go round it."""
    from dulwich.refs import HEADREF
    from dulwich.repo import Repo

    with Repo(path) as target:
        for hook in ("pre-receive", "update", "reference-transaction"):
            if os.access(os.path.join(target.controldir(), "hooks", hook), os.X_OK):
                _not_taken(name, url, f"its {hook} hook can be run by git only", "")
        if not target.bare and target.refs.read_ref(HEADREF) == b"ref: " + BRANCH.encode():
            _not_taken(name, url, "branch is currently checked out", "")


def _ignore(_: bytes) -> None:
    """Progress is not shown."""


# -- clone -----------------------------------------------------------------------------------------


def clone(
    url: str,
    target: Path,
    *,
    timeout: float,
    way: Callable[..., Transport] = transport,
    prepare: Callable[[Path], object] = lambda _: None,
) -> None:
    """Make a repository in target that holds the remote's main as its own, without a checkout.

    target: does not exist, or is empty. prepare: called with the root before it appears there. The
    remote becomes `origin`. The repository is made aside and appears by one rename, so a clone that is
    killed leaves none. Raises Invalid where target is not empty or the remote has no main, RemoteRefused.
    """
    check_remote("origin", url)
    made = not target.exists()
    try:
        _refuse_full(target)
        target.mkdir(parents=True, exist_ok=True)
        aside = target / f".git.new.{os.getpid()}.{secrets.token_hex(6)}~"
        try:
            _build(aside, url, lambda repo: way(repo, timeout=timeout))
            prepare(aside)
            _refuse_full(target)
            os.rename(aside / ".git", target / ".git")
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            if made:
                with suppress(OSError):
                    target.rmdir()
        files.sync_folder(target)
    except OSError as error:
        raise files.failed(error, target) from error


def _refuse_full(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise Invalid(f"{target} is not a folder", hint="choose a new or empty folder")
    names = os.listdir(target) if target.exists() else []
    if left := [name for name in names if not files.TEMPORARY.fullmatch(name)]:
        raise Invalid(f"{target} is not empty: it holds {min(left)!r}", hint="choose a new or empty folder")


def _build(root: Path, url: str, way: Callable[[Repository], Transport]) -> None:
    gitdir = root / ".git"
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "sbfs"):
        (gitdir / folder).mkdir(parents=True)
    (gitdir / "HEAD").write_text(f"ref: {BRANCH}\n")
    (gitdir / "description").write_text("A store of sbfs.\n")
    configure(gitdir)
    with Repository(root) as repo:
        add_remote(repo, "origin", url)
        found = way(repo).fetch(url, "origin")
    if found is None:
        raise Invalid(f"{shown(url)} has no branch main", field="url", hint="push a store to it first")
    files.write(gitdir / BRANCH, f"{found}\n".encode())


def make_bare(folder: Path) -> None:
    """An empty bare repository, for stores to meet in."""
    from dulwich.repo import Repo

    Repo.init_bare(os.fspath(folder), mkdir=True, default_branch=b"main").close()


# -- remotes ---------------------------------------------------------------------------------------


def tracking(name: str) -> str:
    """The ref that says where a remote's main was last seen."""
    return f"refs/remotes/{name}/main"


def check_remote(name: str, url: str) -> None:
    """Raises Invalid for a name that is no ref's, and for a URL that Git would take for an option or a program."""
    if not re.fullmatch(r"[A-Za-z0-9_](?:\.?[A-Za-z0-9_-])*", name) or name.endswith(".lock") or len(name) > 100:
        raise Invalid(f"{name!r} cannot name a remote", field="name", hint="use letters, digits, '-' and '_'")
    if not url or url.startswith("-") or not url.isprintable():
        raise Invalid(f"{shown(url)!r} is no address of a repository", field="url")
    if re.match(r"[A-Za-z0-9+.-]+::", url):
        raise Invalid(f"{shown(url)!r} would run a program", field="url", hint="use https, ssh, or a path")


def configured(repo: Repository) -> dict[str, str]:
    """Name → URL of the remotes in .git/config."""
    return {name: values["url"][0] for name, values in _remotes(repo).items() if values.get("url")}


def add_remote(repo: Repository, name: str, url: str) -> None:
    """Write a remote into .git/config. Raises Invalid, AlreadyExists."""
    check_remote(name, url)
    config = _read_config(repo)
    section = (b"remote", name.encode())
    if section in config:
        raise AlreadyExists("remote", name, hint="remove it first")
    config.set(section, b"url", url.encode())
    config.set(section, b"fetch", f"+refs/heads/*:refs/remotes/{name}/*".encode())
    _write_config(repo, config)


def remove_remote(repo: Repository, name: str) -> None:
    """Take a remote out of .git/config, and with it what is known of its branches. Raises NotFound."""
    from dulwich.file import FileLocked
    from dulwich.refs import DiskRefsContainer

    config = _read_config(repo)
    section = (b"remote", name.encode())
    if section not in config:
        raise NotFound("remote", name, known=configured(repo))
    del config[section]
    _write_config(repo, config)
    refs = DiskRefsContainer(os.fspath(repo.gitdir))
    for ref in repo.refs(f"refs/remotes/{name}/"):
        try:
            refs.remove_if_equals(ref.encode(), None)  # type: ignore[arg-type]
        except FileLocked:
            raise _locked(repo, name) from None
    for folder in ("refs/remotes", "logs/refs/remotes"):
        shutil.rmtree(repo.gitdir / folder / name, ignore_errors=True)


def _remotes(repo: Repository) -> dict[str, dict[str, list[str]]]:
    """Name → setting → values."""
    config = _read_config(repo)
    found: dict[str, dict[str, list[str]]] = {}
    for section in config.sections():
        if len(section) == 2 and section[0].lower() == b"remote":
            keys = {key.lower() for key in config[section]}
            values = {key.decode(): [one.decode() for one in config.get_multivar(section, key)] for key in keys}
            found[section[1].decode()] = values
    return found


def _read_config(repo: Repository) -> Any:
    from dulwich.config import ConfigFile

    file = repo.gitdir / "config"
    try:
        return ConfigFile.from_path(os.fspath(file))
    except ValueError as error:
        raise Failed(f"{file} cannot be read: {error}", hint="mend it, or run 'sbfs check --fix'") from None


def _write_config(repo: Repository, config: Any) -> None:
    file = repo.gitdir / "config"
    temporary = file.with_name(f".config.{os.getpid()}.{secrets.token_hex(6)}~")
    try:
        config.write_to_path(os.fspath(temporary))
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _track(repo: Repository, name: str, id: str) -> None:
    from dulwich.file import FileLocked
    from dulwich.refs import DiskRefsContainer

    refs = DiskRefsContainer(os.fspath(repo.gitdir))
    for attempt in range(5):
        try:
            refs.set_if_equals(tracking(name).encode(), None, id.encode())  # type: ignore[arg-type]
            return
        except FileLocked:
            time.sleep(0.05 * 2**attempt)
    raise _locked(repo, name)


def _locked(repo: Repository, name: str) -> Busy:
    return Busy(
        f"{repo.gitdir / tracking(name)} is held by another program",
        hint="if no git command runs, 'sbfs check --fix' removes its .lock",
    )


# -- what is said ----------------------------------------------------------------------------------


def shown(url: str) -> str:
    """A URL, or a text with URLs in it, without passwords and tokens."""
    return re.sub(r"([A-Za-z][\w+.-]*)://([^\s/]+)@", _masked, url)


def _masked(match: re.Match[str]) -> str:
    scheme, (user, _, password) = match[1], match[2].partition(":")
    if password:
        user += ":***"
    elif scheme.lower().startswith("http"):
        user = "***"  # a token is often the only word before the host
    return f"{scheme}://{user}@"


def _called(name: str, url: str) -> str:
    return f"the remote {name} ({shown(url)})"


def _last_words(text: str) -> str:
    """The last line that names a cause, without what only Git's own terminal should see."""
    lines = [_printable(line) for line in text.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    causes = [line for line in telling if line.startswith(("fatal:", "error:", "ssh:"))] or telling
    words = causes[-1] if causes else _printable(text.strip().rpartition("\n")[2])
    return shown(re.sub(r"^(?:(?:fatal|error|remote|ERROR): *)+", "", words))[:300]


def _printable(line: str) -> str:
    plain = re.sub(r"[\x1b?]\[[0-9;]*[A-Za-z]", "", line)
    return "".join(one for one in plain if one.isprintable()).strip()


def _not_taken(name: str, url: str, reason: str, said: str) -> bool:
    """False where the branch moved. Raises RemoteRefused for any other reason, with the server's words."""
    if _MOVED.search(reason) and not _NEVER.search(reason + said):
        return False
    words = " ".join(filter(None, map(_printable, said.splitlines())))
    sentence = f"{_called(name, url)} refused the push: {_printable(reason)}"
    raise RemoteRefused(sentence + (f": {shown(words)[:500]}" if words else ""), hint=_SAFE)


def _unreachable(name: str, url: str, text: str, said: str = "") -> RemoteRefused:
    words = _last_words(text) or "it gave no reason"
    more = " ".join(filter(None, map(_printable, said.splitlines())))
    sentence = f"{_called(name, url)} cannot be reached: {words}" + (f": {shown(more)[:500]}" if more else "")
    return RemoteRefused(sentence, hint=_SAFE)
