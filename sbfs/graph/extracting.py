"""Source files → shards without secrets; of many files at once a second process reads its half.

`python -m sbfs.graph.extracting` is that process: it takes one line of JSON on standard input and answers on standard
output with lines of JSON and bytes behind them: the facts of all files first, so that they can be linked, then shards.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from sbfs import redact
from sbfs.code import documented, passing, reading, shards
from sbfs.code.facts import Facts
from sbfs.errors import Invalid
from sbfs.graph.source import Below, Disk, Known, Stamp, looked_at
from sbfs.record import etag
from sbfs.redact import Redactor

MANY = 200
"""Files from which on a second process helps: it needs a third of a second to begin."""

_OURS = 0.51
"""The part that this process reads: the other one begins later, and this one takes in what that says."""

_OURS_AHEAD = 0.44
"""The same where the other one needs only facts before this one can go on."""

_SECRET = 6
"""Characters of a secret that is looked for wherever it stands again."""

_NAME = "sbfs.graph.extracting"


@dataclass(frozen=True)
class Extracted:
    """What became of a file. shard: its bytes, None where it was not read again or is left out. docs: those of what it
    documents, None where that was not read. redacted: secrets that were taken out, by type. trouble: why it could
    not be read, or "". facts: what the shard says, where it need not be read for that."""

    known: Known
    shard: bytes | None = None
    redacted: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""
    docs: bytes | None = None
    facts: Facts | None = field(default=None, compare=False)


def shard_of(path: str, raw: bytes, rules: redact.Rules, found: Counter[str]) -> bytes:
    """A file's shard, without secrets, which `found` counts."""
    return _shard(reading.read(path, raw), rules, _secrets(raw, rules), found)[0]


def _shard(facts: Facts, rules: redact.Rules, secrets: Secrets, found: Counter[str]) -> tuple[bytes, bool]:
    """A shard, and whether it says these facts: nothing had to be taken out or left out."""
    plain = None
    with suppress(ValueError, RecursionError):
        plain = shards.dump(facts, exact=True)
        if not secrets and not rules.spans(plain.decode()):
            return plain, True
    clean = _without(lambda clean: _dumped(facts, clean), rules, secrets, found)
    return clean, clean == plain


def _without(
    dumped: Callable[[Callable[[Any], Any] | None], bytes], rules: redact.Rules, secrets: Secrets, found: Counter[str]
) -> bytes:
    plain = dumped(None)
    if not secrets and not rules.spans(plain.decode()):
        return plain
    cleaner = _Cleaner(rules, secrets)
    clean = dumped(cleaner.plain)
    found.update(cleaner.redactor.found)
    return clean


def prose_of(path: str, raw: bytes, blob: str, rules: redact.Rules, found: Counter[str]) -> bytes:
    """The shard of what a file of prose says, without secrets, which `found` counts."""
    sections = documented.of_prose(path, raw, blob)
    return _without(lambda clean: documented.dump(sections, clean), rules, _secrets(raw, rules), found)


def _dumped(facts: Facts, clean: Callable[[Any], Any] | None) -> bytes:
    try:
        return shards.dump(facts, clean=clean)
    except RecursionError:
        for one in facts.symbols:
            one.flows, one.flow_lines, one.sites = [], [], []
        facts.parse, facts.notes = "partial", (*facts.notes, "is nested too deeply")
        return shards.dump(facts, clean=clean)


Secrets = Sequence[tuple[str, str]]


def _secrets(raw: bytes, rules: redact.Rules) -> list[tuple[str, str]]:
    """(secret, type) of the source itself, where what stands around a literal tells more than it does alone."""
    text = raw.decode("utf-8", "replace")
    found = {text[start:end]: type for start, end, type in rules.spans(text)}
    return [(secret, type) for secret, type in found.items() if len(secret) >= _SECRET]


class _Cleaner:
    """Takes secrets out of a shard's values."""

    def __init__(self, rules: redact.Rules, secrets: Sequence[tuple[str, str]]):
        self.redactor = Redactor(rules)
        self._secrets = secrets

    def plain(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret, type in self._secrets:
                if secret in value:
                    value = value.replace(secret, self.redactor.mark(secret, type))
            return self.redactor.text(value)
        if isinstance(value, list | tuple):
            return [self.plain(one) for one in value]
        if isinstance(value, dict):
            return {key: self.plain(one) for key, one in value.items()}
        return value


def extract(
    tree: Below,
    wanted: Mapping[str, tuple[Stamp, Known | None]],
    rules: redact.Rules,
    settings: Any,
    progress: Callable[[int], None],
    *,
    docs: bool = False,
    meanwhile: Callable[[dict[str, Facts]], None] | None = None,
) -> Iterator[tuple[str, Extracted]]:
    """Read files. wanted: path → what the system tells of it, and what was known of it.

    settings: what sbfs.yaml says of `redact`, for another process. progress: told how many are done. docs: whether to
    make shards of documentation, too. meanwhile: given the facts of all files, by path, while the other process still
    makes its shards of them; not called where there is no other. A file whose facts came to be others after all has
    others in what is said of it in the end.
    """
    names = sorted(wanted)
    if len(names) < MANY or not isinstance(tree, Disk):
        for count, path in enumerate(names, 1):
            yield path, one(tree, path, *wanted[path], rules, docs=docs)
            progress(count)
        return
    yield from _by_two(tree, names, wanted, rules, settings, progress, docs, meanwhile)


def one(
    tree: Below, path: str, stamp: Stamp, known: Known | None, rules: redact.Rules, *, docs: bool = False
) -> Extracted:
    """Read one file, unless its content is what is known."""
    found = _begun(tree, path, stamp, known, rules)
    return found if isinstance(found, Extracted) else found.done(rules, docs=docs)


@dataclass
class _Begun:
    """A file that was read, and has no shard yet."""

    known: Known
    facts: Facts
    secrets: Secrets

    def done(self, rules: redact.Rules, *, docs: bool) -> Extracted:
        """With its shards."""
        found: Counter[str] = Counter()
        facts, said = self.facts, None
        if docs:
            about = documented.of_facts(facts)
            said = _without(lambda clean: documented.dump(about, clean), rules, self.secrets, found)
        in_graph: Counter[str] = Counter()
        shard, exact = _shard(facts, rules, self.secrets, in_graph)
        # What stands in both is one secret.
        found |= in_graph
        known = replace(self.known, shard=etag(shard))
        return Extracted(known, shard, dict(found), docs=said, facts=_kept(facts, shard, exact=exact))


def _kept(facts: Facts, shard: bytes, *, exact: bool) -> Facts | None:
    """The facts that a shard says."""
    if exact:
        passing.settle(facts)
        return facts
    with suppress(Invalid):
        return shards.load(facts.path, shard)
    return None


def _begun(tree: Below, path: str, stamp: Stamp, known: Known | None, rules: redact.Rules) -> Extracted | _Begun:
    try:
        now, raw = looked_at(tree, path, stamp, known)
    except OSError as error:
        return Extracted(Known(stamp, ""), trouble=f"cannot be read: {(error.strerror or str(error)).lower()}")
    if now.why or raw is None or now.shard:
        return Extracted(now)
    return _Begun(Known(stamp, now.blob), reading.read(path, raw), _secrets(raw, rules))


# -- two processes ---------------------------------------------------------------------------------


def _by_two(
    tree: Disk,
    names: Sequence[str],
    wanted: Mapping[str, tuple[Stamp, Known | None]],
    rules: redact.Rules,
    settings: Any,
    progress: Callable[[int], None],
    docs: bool,
    meanwhile: Callable[[dict[str, Facts]], None] | None,
) -> Iterator[tuple[str, Extracted]]:
    ours, theirs = _parted(names, wanted, _OURS if meanwhile is None else _OURS_AHEAD)
    facts: dict[str, Facts] = {}
    other = _Other(tree.root, [(path, *wanted[path]) for path in theirs], settings, docs=docs)
    try:
        for count, path in enumerate(ours, 1):
            mine = one(tree, path, *wanted[path], rules, docs=docs)
            if mine.facts is not None:
                facts[path] = mine.facts
            yield path, mine
            progress(count + other.count)
        if meanwhile is not None:
            facts |= other.facts()
            meanwhile({path: facts[path] for path in names if path in facts})
        done: set[str] = set()
        for path, found in other.all():
            done.add(path)
            yield path, found
        for path in theirs:
            # What the other process did not deliver.
            if path not in done:
                yield path, one(tree, path, *wanted[path], rules, docs=docs)
        progress(len(names))
    finally:
        other.stop()


def _parted(
    names: Sequence[str], wanted: Mapping[str, tuple[Stamp, Known | None]], part: float
) -> tuple[list[str], list[str]]:
    """Two parts, large and small files in both. part: the size of the first, the whole being 1."""
    ours: list[str] = []
    theirs: list[str] = []
    sizes = [0, 0]
    for path in sorted(names, key=lambda name: (-wanted[name][0].size, name)):
        mine = sizes[0] * (1 - part) <= sizes[1] * part
        (ours if mine else theirs).append(path)
        sizes[0 if mine else 1] += wanted[path][0].size + 200
    return ours, theirs


class _Other:
    """The second process. What it answers is taken in by a thread, so that it never waits."""

    def __init__(self, root: str, files: Sequence[tuple[str, Stamp, Known | None]], settings: Any, *, docs: bool):
        self.count = 0
        self._facts: dict[str, Facts] = {}
        self._read = threading.Event()
        self._found: list[tuple[str, Extracted]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        task = {"root": root, "redact": settings, "docs": docs, "files": [*map(_said, files)]}
        with suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-m", _NAME],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            self._process.stdin.close()
            self._thread.start()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            with suppress(OSError, ValueError, KeyError, TypeError, EOFError):
                while line := self._process.stdout.readline():
                    self._take(json.loads(line))
        finally:
            self._read.set()

    def _take(self, said: Mapping[str, Any]) -> None:
        """What one line says, and the parts behind it: of a file its facts, all of it, or that facts are complete."""
        if not said:
            self._read.set()
            return
        path = said["path"]
        shard, docs, facts = [self._part(length) for length in said["parts"]]
        if facts is not None:
            self._facts[path] = passing.unpack(facts)
            self.count += 1
        if "blob" in said:
            known = Known(Stamp(*said["stamp"]), said["blob"], said["why"], said["shard"])
            kept = self._facts.get(path) if said["facts"] else None
            self._found.append((path, Extracted(known, shard, said["redacted"], said["trouble"], docs, kept)))

    def _part(self, length: int | None) -> bytes | None:
        """The next bytes that it says. Raises EOFError where it ends before."""
        if length is None:
            return None
        assert self._process is not None
        assert self._process.stdout is not None
        raw = self._process.stdout.read(length)
        if len(raw) != length:
            raise EOFError
        return raw

    def facts(self) -> dict[str, Facts]:
        """Those of all files that it could read, by path."""
        if self._thread.ident is not None:
            self._read.wait()
        return self._facts

    def all(self) -> list[tuple[str, Extracted]]:
        """Everything that it delivers."""
        if self._thread.ident is not None:
            self._thread.join()
        return self._found

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._thread.ident is not None:
            self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _said(file: tuple[str, Stamp, Known | None]) -> list[Any]:
    path, stamp, known = file
    return [path, vars_of(stamp), [known.blob, known.why, known.shard] if known else None]


def vars_of(stamp: Stamp) -> list[int]:
    """A stamp as JSON knows it."""
    return [stamp.size, stamp.changed, stamp.number]


class _Saying:
    """The second process's answers: a line of JSON each, and bytes behind it."""

    def __init__(self, out: IO[bytes]):
        self._out = out

    def facts(self, path: str, facts: Facts) -> bool:
        """What a file says. False where it cannot be said."""
        try:
            raw = passing.pack(facts)
        except ValueError:
            return False
        self._say({"path": path}, None, None, raw)
        return True

    def complete(self) -> None:
        """No more facts but with their shards."""
        self._say({})
        self._out.flush()

    def whole(self, path: str, found: Extracted, *, told: bool) -> None:
        """What became of a file. told: its facts were said, and are right."""
        now = found.known
        said: dict[str, Any] = {"path": path, "stamp": vars_of(now.stamp), "blob": now.blob, "why": now.why}
        said |= {"shard": now.shard, "redacted": found.redacted, "trouble": found.trouble, "facts": told}
        self._say(said, found.shard, found.docs, None)

    def _say(self, said: dict[str, Any], *parts: bytes | None) -> None:
        if said:
            said["parts"] = [None if part is None else len(part) for part in parts]
        self._out.write(json.dumps(said).encode() + b"\n")
        self._out.writelines(part for part in parts if part is not None)


def main() -> None:
    """Do what one line on standard input says."""
    task = json.loads(sys.stdin.buffer.readline())
    gc.disable()
    rules, tree, docs = redact.load(task["redact"]), Disk(Path(task["root"])), bool(task["docs"])
    saying = _Saying(sys.stdout.buffer)
    left: list[tuple[str, _Begun]] = []
    with suppress(BrokenPipeError):
        for path, stamp, known in task["files"]:
            # The stamp is left open, so that the content decides.
            before = Known(Stamp(-1, 0, 0), *known) if known else None
            found = _begun(tree, path, Stamp(*stamp), before, rules)
            if isinstance(found, _Begun) and not found.secrets and saying.facts(path, found.facts):
                left.append((path, found))
            else:
                _finish(saying, path, found, rules, docs=docs)
        saying.complete()
        for path, one_left in left:
            facts, done = one_left.facts, one_left.done(rules, docs=docs)
            saying.whole(path, done, told=done.facts is facts)
        sys.stdout.buffer.flush()


def _finish(saying: _Saying, path: str, found: Extracted | _Begun, rules: redact.Rules, *, docs: bool) -> None:
    """Say all of a file at once."""
    done = found if isinstance(found, Extracted) else found.done(rules, docs=docs)
    saying.whole(path, done, told=done.facts is not None and saying.facts(path, done.facts))


if __name__ == "__main__":
    main()
