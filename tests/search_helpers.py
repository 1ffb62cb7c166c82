"""What the tests of search share: questions, what an index holds, and what it should hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sbfs import search
from sbfs.search import entries, follower
from sbfs.store import Store


def found(store: Store, query: str = "", **given: Any) -> list[str]:
    """The ids of all results of a question, each by itself."""
    return [one.id for one in search.search(store, query=query, group="none", limit=1000, **given).results]


def expected(store: Store) -> dict[str, str]:
    """Key → id of the file, of everything that the branch holds: what an index of it must hold."""
    view = store.view()
    return {key: blob for key, blob, _ in entries.Entries(view.repo, view.commit.tree).everything()}


def held(store: Store) -> dict[str, str]:
    """Key → id of the file, of everything that the index holds, brought up to date."""
    served = follower.of(store).serve(store)
    assert served.engine is not None, served
    return served.engine.keys()


def assert_follows(store: Store) -> None:
    """The index names what the branch holds, and its files are those of its manifest."""
    assert held(store) == expected(store)
    verified = search.index_verify(store)
    assert verified.sound, verified


def folder(store: Store) -> Path:
    """Where the index of a store lies."""
    return follower.Place(store.repo.gitdir).folder


def backend_files(store: Store) -> list[Path]:
    """The files of the index, and of any that a killed process left, without their manifest."""
    return sorted(file for file in folder(store).glob("g*/**/*") if file.is_file())


def forget(store: Store) -> None:
    """Remove the index, as anybody may at any time."""
    follower.of(store).drop()
    shutil.rmtree(folder(store).parent, ignore_errors=True)
