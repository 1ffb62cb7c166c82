"""The zip that people look into: `manifest.json`, `config.json`, and the tree under `store/`.

The same files give the same bytes: fixed times, sorted names. A manifest is written one file a line, and
read so, since it may name a great many.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from sbfs import files
from sbfs.bundles.checking import LARGEST, check_same
from sbfs.errors import Failed, Invalid, WrongFormat

FORMAT = 1
FOLDER = "store/"
MANIFEST, CONFIG = "manifest.json", "config.json"

_MOST = 5_000_000
"""Members of a zip."""

_RATIO = 250
_ALWAYS = 64 * 1024 * 1024
"""What a zip may swell to: so many times its size, and this much whatever its size."""

_HEAD_LIMIT = 16 * 1024 * 1024
_LINE_LIMIT = 8192

_HINT = "make it anew with 'sbfs export --format zip'"


# -- writing ---------------------------------------------------------------------------------------


def write(
    out: IO[bytes], head: Mapping[str, Any], config: Mapping[str, Any], contents: Iterable[tuple[str, bytes]]
) -> int:
    """Write a zip. head: of the manifest. contents: (path, bytes), sorted by path, one at a time. Returns how many."""
    count = 0
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile("w+b", buffering=1 << 18) as manifest,
    ):
        archive.writestr(_member(CONFIG), (json.dumps(config, ensure_ascii=False, indent=1) + "\n").encode())
        manifest.write(json.dumps({**head, "files": []}, ensure_ascii=False).removesuffix("]}").encode())
        for path, data in contents:
            archive.writestr(_member(FOLDER + path), data)
            said = {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            manifest.write((",\n" if count else "\n").encode() + json.dumps(said, ensure_ascii=False).encode())
            count += 1
        manifest.write(b"\n]}\n")
        last = _member(MANIFEST)
        last.file_size = manifest.tell()
        manifest.seek(0)
        with archive.open(last, "w") as member:
            shutil.copyfileobj(manifest, member, 1 << 18)
    return count


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


# -- reading ---------------------------------------------------------------------------------------


class Archive:
    """A zip from anywhere, opened only if every member's name and size is safe. Members are read bounded.

    Raises Invalid, naming the member. Use it as a context.
    """

    def __init__(self, path: Path):
        self.name = path.name
        try:
            # Ours to close: a member that is read half-way would keep the library from it.
            self._file = open(path, "rb")  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise files.failed(error, path) from error
        try:
            self._zip = zipfile.ZipFile(self._file)
            self.members = self._checked(path.stat().st_size)
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            self._file.close()
            raise Invalid(f"is no whole zip: {error}", path=self.name, hint="get the file again") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _checked(self, size: int) -> dict[str, zipfile.ZipInfo]:
        """Name → member, by name; folders are passed over."""
        found: dict[str, zipfile.ZipInfo] = {}
        infos = self._zip.infolist()
        if len(infos) > _MOST:
            raise Invalid(f"holds {len(infos)} members, more than {_MOST}", path=self.name)
        for info in infos:
            self._check(info)
            if info.is_dir():
                continue
            if info.filename in found:
                raise self._bad(info, "is there twice")
            found[info.filename] = info
        total = sum(info.file_size for info in found.values())
        if total > max(_ALWAYS, _RATIO * size):
            raise Invalid(f"would swell from {size} to {total} bytes", path=self.name, hint="it looks like a zip bomb")
        self._check_apart(infos)
        names = sorted(found)
        check_same(names, self.name)
        for name in names:
            at = name.rpartition("/")[0]
            while at:
                if at in found:
                    raise self._bad(found[name], f"lies below a file, {at}")
                at = at.rpartition("/")[0]
            # To the end, so that they are in order.
            found[name] = found.pop(name)
        return found

    def _bad(self, info: zipfile.ZipInfo, why: str) -> Invalid:
        return Invalid(why, path=f"{self.name}: {info.orig_filename}", hint="nothing was written")

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        if name != info.filename or "\\" in name:
            raise self._bad(info, "has a name that file systems refuse")
        try:
            files.check_path(name.removesuffix("/"))
        except Invalid as error:
            raise self._bad(info, error.why) from None
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR) or stat.S_ISDIR(mode) and not info.is_dir():
            raise self._bad(info, "is a link" if stat.S_ISLNK(mode) else "is no file")
        if info.flag_bits & 0x1:
            raise self._bad(info, "is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._bad(info, "is compressed in a way that is not read")
        if info.file_size > LARGEST:
            raise self._bad(info, f"has {info.file_size} bytes, more than {LARGEST}")

    def _check_apart(self, infos: list[zipfile.ZipInfo]) -> None:
        """Members that share their bytes are how a small zip becomes endless."""
        end, last = 0, ""
        for info in sorted(infos, key=lambda one: one.header_offset):
            if info.header_offset < end:
                raise self._bad(info, f"lies over {last}")
            end, last = info.header_offset + 30 + info.compress_size, info.filename

    def read(self, name: str, limit: int = LARGEST) -> bytes:
        """A member's bytes, checked by its sum. Raises Invalid, also for one that is larger than it says."""
        info = self.members.get(name)
        if info is None:
            raise Invalid("is not in it", path=f"{self.name}: {name}")
        return self.read_member(info, limit)

    def given_up(self, folder: str) -> Iterator[zipfile.ZipInfo]:
        """The members in a folder, sorted; each is forgotten as it is given, since a great many fill the memory."""
        names = [name for name in self.members if name.startswith(folder)]
        self._zip.filelist.clear()
        self._zip.NameToInfo.clear()
        return (self.members.pop(name) for name in names)

    def read_member(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        """The same for a member."""
        try:
            with self._zip.open(info) as stream:
                data = stream.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
            raise self._bad(info, f"is damaged: {error}") from None
        except OSError as error:
            raise Failed(f"{self.name}: {error.strerror or error}") from error
        if len(data) > limit:
            raise self._bad(info, f"has more than {limit} bytes")
        if len(data) != info.file_size:
            raise self._bad(info, f"has {len(data)} bytes and says {info.file_size}")
        return data

    def json(self, name: str) -> Any:
        """A member's value. Raises Invalid."""
        try:
            return json.loads(self.read(name).decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise Invalid(f"is not JSON: {error}", path=f"{self.name}: {name}") from None

    def lines(self, name: str) -> Iterator[bytes]:
        """A member's lines, each bounded."""
        info = self.members[name]
        try:
            with self._zip.open(info) as stream:
                limit = _HEAD_LIMIT
                while line := stream.readline(limit + 1):
                    if len(line) > limit:
                        raise Invalid("has a line without end", path=f"{self.name}: {name}", hint=_HINT)
                    yield line
                    limit = _LINE_LIMIT
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise self._bad(info, f"is damaged: {error}") from None


@dataclass(frozen=True)
class Listed:
    """What a manifest says of a file."""

    path: str
    sha256: str
    size: int


class Manifest:
    """A manifest as it is read: its head at once, its files one by one."""

    def __init__(self, archive: Archive):
        self._archive = archive
        self._lines = archive.lines(MANIFEST)
        first = next(self._lines, b"")
        try:
            self.head: dict[str, Any] = json.loads(first.decode() + "]}")
            if not isinstance(self.head, dict) or self.head.pop("files") != []:
                raise ValueError
        except (ValueError, KeyError, RecursionError):
            raise self._bad("is not as sbfs writes it") from None
        if self.head.get("format") != FORMAT:
            found = self.head.get("format")
            if isinstance(found, int):
                raise WrongFormat(found, FORMAT)
            raise self._bad("does not say its format")

    def _bad(self, why: str) -> Invalid:
        return Invalid(why, path=f"{self._archive.name}: {MANIFEST}", hint=_HINT)

    def files(self) -> Iterator[Listed]:
        """Its files, sorted by path."""
        before = ""
        for line in self._lines:
            text = line.strip().rstrip(b",")
            if text in (b"", b"]}"):
                continue
            try:
                said = json.loads(text)
                one = Listed(said["path"], said["sha256"], said["size"])
                sound = isinstance(one.path, str) and isinstance(one.size, int) and one.path > before
                sound = sound and bool(re.fullmatch(r"[0-9a-f]{64}", one.sha256))
            except (ValueError, KeyError, TypeError, RecursionError):
                sound = False
            if not sound:
                raise self._bad(f"has a line that is none of its own: {text[:80].decode('utf-8', 'replace')}")
            before = one.path
            yield one

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """(path, bytes) of each file, each checked: as many, as large and with the sums that it says."""
        for member in self._archive.members:
            if not member.startswith(FOLDER) and member not in (MANIFEST, CONFIG):
                raise self._bad(f"does not name {member}")
        waiting = self._archive.given_up(FOLDER)
        for one in self.files():
            info = next(waiting, None)
            name = info.filename.removeprefix(FOLDER) if info else None
            if info is None or name != one.path:
                raise self._bad(
                    f"names {one.path}, which is not there"
                    if name is None or name > one.path
                    else f"does not name {name}"
                )
            data = self._archive.read_member(info, LARGEST)
            if len(data) != one.size or hashlib.sha256(data).hexdigest() != one.sha256:
                raise Invalid(
                    "is not what the manifest says: its sum differs",
                    path=f"{self._archive.name}: {FOLDER}{name}",
                    hint="get the file again",
                )
            yield one.path, data
        if (left := next(waiting, None)) is not None:
            raise self._bad(f"does not name {left.filename.removeprefix(FOLDER)}")
