"""What every test stands on: no home, no configuration, no identity but these, and a clock that stands still."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sbfs import upkeep
from sbfs.store import Store

IDENTITY = {"NAME": "Pat Person", "EMAIL": "pat@example.org"}


class Clock:
    """A clock for tests: says `now`, and moves only by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 14, 3, 7, 123000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Move on by a span, as timedelta takes it."""
        self.now += timedelta(**span)


@pytest.fixture(autouse=True)
def hermetic(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the developer's machine reaches a test, and nothing of a test reaches it. Returns the home."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "SBFS_")):
            monkeypatch.delenv(name)
    for name, folder in {
        "HOME": "",
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".data",
        "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".state",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    for role in ("AUTHOR", "COMMITTER"):
        for part, value in IDENTITY.items():
            monkeypatch.setenv(f"GIT_{role}_{part}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    monkeypatch.setenv("GIT_EDITOR", "true")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    # Upkeep runs where a test is about it, not behind the back of the others.
    monkeypatch.setattr(upkeep, "start", lambda _: False)
    time.tzset()
    return home


@pytest.fixture
def clock() -> Clock:
    """The clock of the fixture `store`."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock):
    """A fresh store in `tmp_path / "store"`."""
    with Store.init(tmp_path / "store", clock=clock, lock_wait=10) as fresh:
        yield fresh
