"""What every kind of record can do, whatever its domain: one suite, run for each kind by test_contract.py.

A domain supplies a `Contract`: how to make, read, list, change and remove a record by its verbs. It
may not skip a test; where a kind cannot do something on purpose (what was sent does not change), the
contract says so and the suite asserts the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from domain_helpers import amid, put
from helpers import assert_sound, commits, git
from hypothesis import strategies as st

from sbfs import doctor, history, worktree
from sbfs.errors import Ambiguous, Error, Invalid, NotFound
from sbfs.kind import Kind
from sbfs.record import Record
from sbfs.store import Page, Store


@dataclass(frozen=True)
class Contract:
    """One kind's verbs, in the suite's words.

    begin: what must be there first. create: the n-th record, a later one for a greater number, from
    values; its path. values: what arbitrary values may be given. read: a record's plain data, by its
    name, at a revision; raises NotFound. list: a page; `path` of its items. change: by the domain's
    verb, gives (dotted field, value) as it must be read then. remove: by the verb. name: what people
    call the record of a path. prefixes: whether a unique beginning of the name is enough. fixed: a
    field that may not change by hand, and a replacement in the file's text.
    """

    kind: Kind[Any]
    begin: Callable[[Store], None]
    create: Callable[[Store, int, dict[str, Any]], str]
    values: st.SearchStrategy[dict[str, Any]]
    read: Callable[..., dict[str, Any]]
    list: Callable[..., Page]
    path: Callable[[Any], str]
    change: Callable[[Store, str], tuple[str, Any]]
    remove: Callable[[Store, str], None]
    name: Callable[[str], str]
    prefixes: bool
    fixed: tuple[str, str, str] | None


def run_on(store: Store, contract: Contract, test: Callable[[Store, Contract], None]) -> None:
    """Run one test of the suite and look whether plain Git is still safe."""
    contract.begin(store)
    test(store, contract)
    assert_sound(store.root)


def listed(store: Store, contract: Contract, **options: Any) -> list[str]:
    """The paths of a whole list."""
    return [contract.path(item) for item in contract.list(store, **options).items]


def dig(data: Any, field: str) -> Any:
    """A dotted field of plain data."""
    for part in field.split("."):
        data = data[part]
    return data


def on_disk(store: Store, path: str) -> Record:
    """The record as its file says it."""
    return Record.parse(path, (store.root / path).read_bytes())


# -- the suite -------------------------------------------------------------------------------------


def created_is_read_and_listed(store: Store, contract: Contract) -> None:
    """A record that was acknowledged cannot be found at once (SB-3), or is more than one commit."""
    before = commits(store.root)
    path = contract.create(store, 1, {})
    assert commits(store.root) == before + 1
    assert contract.kind.places(path) is not None
    assert listed(store, contract) == [path]
    data = contract.read(store, contract.name(path))
    kept = on_disk(store, path).data
    assert {key: data[key] for key in kept if key in data} == {key: kept[key] for key in kept if key in data}
    assert (store.root / path).read_bytes() == store.view().read(path)


def any_values_come_back(store: Store, contract: Contract, values: dict[str, Any], number: int) -> None:
    """A value that YAML, the check or the redaction changes on its way (AM-12)."""
    path = contract.create(store, number, values)
    data = contract.read(store, contract.name(path))
    for field, value in values.items():
        assert dig(data, field) == value, field
    assert Record.make(path, on_disk(store, path).data).raw == (store.root / path).read_bytes()


def a_record_is_created_once(store: Store, contract: Contract) -> None:
    """A second record that takes the place of the first without a word (GP-8, failure mode 37)."""
    path = contract.create(store, 1, {})
    record = on_disk(store, path)
    before = store.head()
    with pytest.raises(Error) as caught:
        store.write("again", lambda tx: tx.create(contract.kind, path, record.data))
    assert (caught.value.code, store.head()) == ("exists", before)


def names_are_exact_or_unique(store: Store, contract: Contract) -> None:
    """A part of a name that reaches some record (AM-11), or a name that climbs out (AM-9)."""
    first, second = contract.create(store, 1, {}), contract.create(store, 2, {})
    name = contract.name(first)
    for wrong in ("", "no-such-record", "../" + name, name + "/..", name[1:], "/", "\0"):
        with pytest.raises(NotFound):
            contract.read(store, wrong)
    if contract.prefixes:
        assert contract.read(store, name[:-1])
        common = name[:8]
        assert contract.name(second).startswith(common)
        with pytest.raises(Ambiguous) as caught:
            contract.read(store, common)
        assert caught.value.details["candidates"] == sorted([name, contract.name(second)])
    else:
        with pytest.raises(NotFound) as caught:
            contract.read(store, name[:-1])
        assert name in caught.value.hint


def pages_cover_the_list_once(store: Store, contract: Contract) -> None:
    """A page that repeats or skips a record, and a total that depends on the page (AM-8)."""
    paths = {contract.create(store, number, {}) for number in range(7)}
    seen: list[str] = []
    cursor = None
    for _ in range(9):
        page = contract.list(store, limit=2, cursor=cursor)
        assert page.total == 7
        seen += map(contract.path, page.items)
        if (cursor := page.next) is None:
            break
    assert (len(seen), {*seen}) == (7, paths)
    assert seen == listed(store, contract)


def a_change_is_one_commit_and_keeps_the_rest(store: Store, contract: Contract) -> None:
    """A change that loses an unknown key (GP-7), a person's comment, or needs more than one commit."""
    path = contract.create(store, 1, {})
    put(store, path, (store.root / path).read_bytes() + b"# by hand: keep\nzz_unknown: {a: [1, no, 2026-01-01]}\n")
    assert [edit.path for edit in worktree.save(store).saved] == [path]
    before = commits(store.root)
    field, value = contract.change(store, path)
    assert commits(store.root) == before + 1
    record = on_disk(store, path)
    assert dig(record.data, field) == value
    assert record.data["zz_unknown"] == {"a": [1, "no", "2026-01-01"]}
    assert b"# by hand: keep\n" in record.raw
    assert contract.read(store, contract.name(path))["zz_unknown"] == record.data["zz_unknown"]


def a_stale_read_loses_nothing(store: Store, contract: Contract) -> None:
    """Two who change a record at once, and one change is gone without a word (GP-1, SB-2)."""
    path = contract.create(store, 1, {})

    def other() -> None:
        put(store, path, (store.root / path).read_bytes() + b"zz_other: here\n")
        assert len(worktree.save(store).saved) == 1

    field, value = contract.change(amid(store, other), path)
    record = on_disk(store, path)
    assert (dig(record.data, field), record.data["zz_other"]) == (value, "here")


def an_unsaved_edit_is_saved_before_a_change(store: Store, contract: Contract) -> None:
    """An editor's version that a command overwrites unseen (failure mode 33, GP-11)."""
    path = contract.create(store, 1, {})
    put(store, path, (store.root / path).read_bytes() + b"zz_hand: 1\n")
    field, value = contract.change(store, path)
    record = on_disk(store, path)
    assert (dig(record.data, field), record.data["zz_hand"]) == (value, 1)
    assert history.log(store, limit=2).items[1].operation == "save"


def an_invalid_edit_is_never_overwritten(store: Store, contract: Contract) -> None:
    """A broken edit that a command takes, overwrites, or cannot name with its line (promise 6)."""
    path, other = contract.create(store, 1, {}), contract.create(store, 2, {})
    broken = (store.root / path).read_bytes() + b"zz: [1\n"
    put(store, path, broken)
    with pytest.raises(Invalid) as caught:
        contract.change(store, path)
    assert (caught.value.path, bool(caught.value.line)) == (path, True)
    assert (store.root / path).read_bytes() == broken
    contract.change(store, other)
    contract.create(store, 3, {})
    (edit,) = worktree.status(store).edits
    assert (edit.path, edit.valid, edit.line) == (path, False, caught.value.line)
    saved = worktree.save(store)
    assert ([one.path for one in saved.invalid], saved.saved) == ([path], ())
    git(store.root, "checkout", "--", path)


def what_is_fixed_stays(store: Store, contract: Contract) -> None:
    """A hand edit of what must not change: taken, or refused without saying where."""
    path = contract.create(store, 1, {})
    if contract.fixed is None:
        assert not [*contract.kind.fixed_fields()]
        return
    field, old, new = contract.fixed
    text = (store.root / path).read_text()
    assert old in text
    put(store, path, text.replace(old, new))
    (edit,) = worktree.save(store).invalid
    assert (edit.path, field in edit.error) == (path, True)
    assert edit.line
    git(store.root, "checkout", "--", path)


def a_removed_record_leaves_a_tombstone(store: Store, contract: Contract) -> None:
    """A removed record that is still found, or that leaves nothing an old clone could be told by (GP-8)."""
    path, other = contract.create(store, 1, {}), contract.create(store, 2, {})
    contract.remove(store, path)
    record = on_disk(store, path)
    assert record.removed
    assert record.data.keys() <= {"id", "removed"}
    with pytest.raises(NotFound):
        contract.read(store, contract.name(path))
    assert listed(store, contract) == [other]
    with pytest.raises(NotFound):
        contract.change(store, path)
    with pytest.raises(NotFound):
        contract.remove(store, path)
    assert doctor.check(store).findings == ()


def undo_brings_everything_back(store: Store, contract: Contract) -> None:
    """An undo that gives back something else than what was there, byte for byte."""
    path = contract.create(store, 1, {})
    contract.create(store, 2, {})
    trees = [git(store.root, "rev-parse", "main^{tree}")]
    for act in (contract.change, contract.remove):
        act(store, path)
        trees.append(git(store.root, "rev-parse", "main^{tree}"))
    for expected in (trees[1], trees[0]):
        history.undo(store)
        assert git(store.root, "rev-parse", "main^{tree}") == expected
    assert contract.path(contract.list(store).items[-1])
    assert contract.read(store, contract.name(path))


def the_past_can_be_read(store: Store, contract: Contract) -> None:
    """`at` that answers with the present, in a read or a list."""
    path = contract.create(store, 1, {})
    then = store.head()
    old = contract.read(store, contract.name(path))
    contract.change(store, path)
    contract.create(store, 2, {})
    contract.remove(store, path)
    assert contract.read(store, contract.name(path), at=then) == old
    assert listed(store, contract, at=then) == [path]
    assert listed(store, contract, at="HEAD~1") != listed(store, contract)


def a_bad_file_beside_good_ones_stops_nothing(store: Store, contract: Contract) -> None:
    """One unreadable record, committed with plain Git, that hides or blocks the others (AM-8, failure mode 34)."""
    good, bad = contract.create(store, 1, {}), contract.create(store, 2, {})
    no_fields = [b"name: 5\nid: 5\n"] if contract.kind.fields else []
    for wrong in (b"a: [1\n", b"\xff\xfe", b"- no\n", *no_fields, b"", b"a: 1\na: 2\n", b"x: &a [*a]\n"):
        put(store, bad, wrong)
        git(store.root, "commit", "-qam", "break")
        page = contract.list(store)
        assert (listed(store, contract), [path for path, _ in page.unreadable]) == ([good], [bad]), wrong
        assert contract.read(store, contract.name(good))
        with pytest.raises(Invalid) as caught:
            contract.read(store, contract.name(bad))
        assert caught.value.path == bad
        contract.change(store, good)
        (finding,) = doctor.check(store).findings
        assert (finding.code, finding.path, bool(finding.remedy)) == ("invalid", bad, True)
        assert worktree.status(store).edits == ()
    fresh = contract.create(store, 3, {})
    assert {*listed(store, contract)} == {good, fresh}


def line_ends_and_a_mark_of_windows_are_taken(store: Store, contract: Contract) -> None:
    """An editor of Windows: CRLF and BOM that are read as damage, or kept (GP-11)."""
    path = contract.create(store, 1, {})
    text = (store.root / path).read_bytes() + b"zz: 1\n"
    put(store, path, b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert [edit.valid for edit in worktree.status(store).edits] == [True]
    worktree.save(store)
    saved = (store.root / path).read_bytes()
    assert saved == store.view().read(path)
    assert b"\r" not in saved
    assert not saved.startswith(b"\xef")
    assert contract.read(store, contract.name(path))["zz"] == 1


SUITE = (
    created_is_read_and_listed,
    a_record_is_created_once,
    names_are_exact_or_unique,
    pages_cover_the_list_once,
    a_change_is_one_commit_and_keeps_the_rest,
    a_stale_read_loses_nothing,
    an_unsaved_edit_is_saved_before_a_change,
    an_invalid_edit_is_never_overwritten,
    what_is_fixed_stays,
    a_removed_record_leaves_a_tombstone,
    undo_brings_everything_back,
    the_past_can_be_read,
    a_bad_file_beside_good_ones_stops_nothing,
    line_ends_and_a_mark_of_windows_are_taken,
)
