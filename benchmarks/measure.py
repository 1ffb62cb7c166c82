"""Time things and describe them: series of seconds, the rows of the table, the machine."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SBFS = Path(sys.executable).with_name("sbfs")
"""The installed console script, found beside the interpreter."""

IDENTITY = {"NAME": "Bench", "EMAIL": "bench@example.org"}


def clean_environment(home: Path) -> None:
    """Make this process, and all that it starts, blind to the user's settings: home, Git's configuration, sbfs's."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "SBFS_", "XDG_", "PYTHON")):
            del os.environ[name]
    os.environ.update(HOME=str(home), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8", TZ="UTC")
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_{part}": value for part, value in IDENTITY.items()})


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it said. Raises CalledProcessError, having shown its complaint."""
    done = subprocess.run([os.fspath(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    return done.stdout


_WATCH = """
import os, subprocess, sys, time
begin = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
sys.stderr.write(f"\\n{time.perf_counter() - begin} {used.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(*command: str | Path) -> tuple[str, float, float]:
    """Run a program to its end. Returns what it said, seconds, and the most memory that it, or a program under it, had
    at once, in MiB.

    A small process starts it, since on Linux it is charged with the memory of whoever does.
    """
    watch = [sys.executable, "-I", "-S", "-c", _WATCH, *map(os.fspath, command)]
    done = subprocess.run(watch, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    seconds, memory = done.stderr.rpartition("\n")[2].split()
    return done.stdout, float(seconds), int(memory) / 1024


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleave(rounds: int, *actions: Callable[[], object], warm: int = 1) -> list[Series]:
    """Time several actions in turn, so that they share whatever else the machine does.

    warm: rounds before those that count.
    """
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(warm + rounds):
        for kept, action in zip(times, actions, strict=True):
            seconds = timed(action)
            if turn >= warm:
                kept.append(seconds)
    return [Series(kept) for kept in times]


@dataclass(frozen=True)
class Series:
    """Repeated measurements of one thing. unit: seconds, or sends a second."""

    values: Sequence[float]
    unit: str = "s"

    @property
    def median(self) -> float:
        """The middle."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """First and third quartile; of fewer than four values, the least and the greatest."""
        if len(self.values) < 4:
            return min(self.values), max(self.values)
        first, _, third = statistics.quantiles(self.values, n=4)
        return first, third

    def __str__(self) -> str:
        if self.unit != "s":
            return f"{self.median:.0f} {self.unit} ({self.spread[0]:.0f}–{self.spread[1]:.0f})"
        return f"{self.median * 1000:.1f} ms ({self.spread[0] * 1000:.1f}–{self.spread[1] * 1000:.1f})"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"median": self.median, "spread": self.spread, "repetitions": len(self.values), "unit": self.unit}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    size: messages in the store. ours and peer: the two series, peer_name: what the second one is.
    value: what is compared, limit: with what (`>= 8`, `<= 3`), or "" where no figure is set.
    sound: whether everything else that the figure asks for holds; problems: what does not.
    """

    name: str
    size: int | None
    ours: Series
    peer_name: str = ""
    peer: Series | None = None
    value: float | None = None
    limit: str = ""
    problems: tuple[str, ...] = field(default=())

    @property
    def met(self) -> bool | None:
        """Whether the figure is reached; None where there is none."""
        if self.problems:
            return False
        if not self.limit or self.value is None:
            return None
        sign, _, number = self.limit.partition(" ")
        return self.value >= float(number) if sign == ">=" else self.value <= float(number)

    def cells(self) -> tuple[str, ...]:
        """As cells of the table."""
        met = {True: "yes", False: "NO", None: ""}[self.met]
        size = f"{self.size:,}" if self.size else ""
        count = f"{len(self.ours.values)}" + (f"/{len(self.peer.values)}" if self.peer else "")
        value = f"{self.value:.2f}" if self.value is not None and self.value < 100 else f"{self.value or 0:.0f}"
        peer = f"{self.peer_name} {self.peer}" if self.peer else self.peer_name
        return self.name, size, count, str(self.ours), peer, value if self.value is not None else "", self.limit, met

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        peer = {"name": self.peer_name, **self.peer.document()} if self.peer else None
        facts = {"value": self.value, "limit": self.limit, "met": self.met, "problems": self.problems}
        return {"name": self.name, "size": self.size, "sbfs": self.ours.document(), "peer": peer, **facts}


HEAD = ("what", "messages", "runs", "sbfs", "peer", "value", "figure", "met")


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table with aligned columns."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on. fsync_ms: median of 50 synced writes of 1 KiB into the folder."""
    cpu = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        cpu = next((line.partition(": ")[2] for line in info.read_text().splitlines() if "model name" in line), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.platform(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "fsync_ms": round(1000 * statistics.median(_sync_times(folder)), 3),
    }


def _sync_times(folder: Path) -> list[float]:
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(50):
            file.write(b"x" * 1024)
            file.flush()
            times.append(timed(lambda: os.fsync(file.fileno())))
    return times


def versions() -> dict[str, str]:
    """Of everything that takes part."""
    named = {name: importlib.metadata.version(name) for name in ("sbfs", "dulwich", "click", "filelock", "PyYAML")}
    return {"python": platform.python_version(), "git": run("git", "--version").split()[-1], **named}


def report(rows: Sequence[Row], sizes: Sequence[int], folder: Path) -> dict[str, Any]:
    """The whole run as a JSON document."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python benchmarks/{Path(sys.argv[0]).name}",
        "machine": machine(folder),
        "versions": versions(),
        "sizes": sizes,
        "rows": [row.document() for row in rows],
    }


def write_json(file: Path, document: dict[str, Any]) -> None:
    """Write a document for programs."""
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# -- the command of a benchmark --------------------------------------------------------------------


def arguments(about: str, rows: Iterable[str], file: str, sizes: tuple[int, ...]) -> argparse.ArgumentParser:
    """What every benchmark takes. file: where its JSON goes unless told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--sizes", type=_sizes, default=sizes, metavar="N,N", help="records in the stores")
    parser.add_argument("--json", type=Path, default=Path(file), metavar="FILE", help=f"default: {file}")
    parser.add_argument("--only", nargs="*", choices=rows, metavar="NAME", help=f"of {', '.join(rows)}")
    parser.add_argument("--keep", metavar="DIR", help="keep the stores there, and use those that are there")
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(one) for one in text.split(",")))


def carry_out(asked: argparse.Namespace, measured: Callable[[Path, Path], Iterable[Row]], **more: Any) -> None:
    """Measure and print the table.

    measured: called with the folder of the stores and one for what goes in the end. more: what else the JSON
    document holds.
    """
    with tempfile.TemporaryDirectory(prefix="sbfs-bench-", ignore_cleanup_errors=True) as temporary:
        home = Path(temporary) / "home"
        home.mkdir()
        clean_environment(home)
        folder = Path(asked.keep or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for row in measured(folder, Path(temporary)):
            tell(" | ".join(row.cells()))
            rows.append(row)
        document = report(rows, asked.sizes, folder) | more
    print(table(rows))
    print(f"\n{_remark(document)}")
    for row in rows:
        for problem in row.problems[:5]:
            print(f"{row.name}: {problem}")
    if asked.json:
        write_json(asked.json, document)


def tell(text: str) -> None:
    """A line about how far it is, on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _remark(document: dict[str, Any]) -> str:
    machine, versions = document["machine"], document["versions"]
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        "Medians, quartiles in brackets; runs are counted for sbfs/peer. The figures are set for stores of 100,000.\n"
        f"{document['date']}; {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}; one synced write of 1 KiB takes {machine['fsync_ms']} ms; {said}."
    )
