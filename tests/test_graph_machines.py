"""Code graphs of several machines: two clones that index different states, and a process that dies while it indexes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from graph_helpers import BASE, CART, PRICES, lay, links, names, shards
from helpers import assert_sound, commits, finish, git, spawn, trip

from sbfs import conflicts, doctor, graph, sync
from sbfs.store import Store


def _hub(tmp_path: Path) -> Path:
    hub = tmp_path / "hub.git"
    hub.mkdir()
    git(hub, "init", "-q", "--bare", "-b", "main")
    return hub


def test_two_clones_that_index_different_states_sync(store: Store, tmp_path: Path):
    """A conflict inside a shard, or a graph that nobody can tell to be of no source (graphify #1626)."""
    hub = _hub(tmp_path)
    source = lay(tmp_path / "shop")
    graph.index(store, path=source)
    sync.remote_add(store, name="origin", url=str(hub))
    sync.sync(store)
    sync.clone(str(hub), tmp_path / "second")
    other = shutil.copytree(source, tmp_path / "copy" / "shop")
    with Store.open(tmp_path / "second") as there:
        (source / "shop/base.py").write_text(BASE + "\n\ndef here():\n    return write(1)\n")
        (source / "shop/prices.py").write_text(PRICES + "\n\ndef here():\n    return 1\n")
        graph.index(store, path=source)
        (other / "shop/cart.py").write_text(CART + "\n    def there(self):\n        return self.add(1)\n")
        (other / "shop/prices.py").write_text(PRICES + "\n\ndef there():\n    return 2\n")
        (other / "web/api.ts").unlink()
        graph.index(there, project="shop", path=other)
        sync.sync(store)
        sync.sync(there)
        sync.sync(store)
        assert shards(store, "shop") == shards(there, "shop")
        assert links(store, "shop") == links(there, "shop")
        assert conflicts.list(store).total == 0
        found = graph.callers(store, symbol="write")
        assert (found.standing.stale, found.standing.merged) == (True, True)
        assert "shop.base.here" in names(found)
        assert names(graph.callers(there, symbol="Cart.add")) == ["shop.cart.Cart.there", "tests.test_cart.test_add"]
        assert doctor.check(store).findings == ()
        # An index of the merged source takes over what fits and comes to what a fresh one would say.
        for path in ("shop/cart.py", "shop/prices.py"):
            shutil.copy(other / path, source / path)
        (source / "web/api.ts").unlink()
        graph.index(store, path=source)
        assert graph.callers(store, symbol="write").standing.stale is False
        with Store.init(tmp_path / "fresh") as fresh:
            graph.index(fresh, path=source)
            assert shards(store, "shop") == shards(fresh, "shop")
            assert links(store, "shop") == links(fresh, "shop")
    assert_sound(store.root)


def test_a_clone_needs_no_reading_of_what_it_has(store: Store, tmp_path: Path):
    """A colleague's clone that reads and writes all files again."""
    hub = _hub(tmp_path)
    source = lay(tmp_path / "shop")
    graph.index(store, path=source)
    sync.remote_add(store, name="origin", url=str(hub))
    sync.sync(store)
    sync.clone(str(hub), tmp_path / "second")
    other = shutil.copytree(source, tmp_path / "copy" / "shop")
    with Store.open(tmp_path / "second") as there:
        assert names(graph.callers(there, symbol="price_of")) == ["shop.cart.Cart.total"]
        head = there.head()
        done = graph.index(there, project="shop", path=other)
        assert (done.unchanged, there.head()) == (True, head)


def _index_and_die(root: Path, source: Path, when: str, at: int) -> None:
    with Store.open(root, lock_wait=20) as store:
        trip("kill", when, at)
        graph.index(store, project="shop", path=source)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_while_it_indexes_leaves_nothing_half_done(tmp_path: Path, when: str):
    """A graph with some of its shards, or a cache that belongs to no state."""
    source = lay(tmp_path / "shop")
    template = tmp_path / "template"
    with Store.init(template) as store:
        graph.index(store, path=source)
        whole = shards(store, "shop"), commits(template)
    (source / "shop/base.py").write_text(BASE + "\n\ndef fresh():\n    return write(1)\n")
    (source / "shop/prices.py").rename(source / "shop/costs.py")
    with Store.init(tmp_path / "fresh") as fresh:
        graph.index(fresh, path=source)
        expected = shards(fresh, "shop"), links(fresh, "shop")
    died = 0
    for at in range(1, 200, 7):
        root = tmp_path / f"{at}"
        shutil.copytree(template, root)
        git(root, "status")
        code = finish(spawn(_index_and_die, root, source, when, at))[0]
        with Store.open(root, lock_wait=20) as store:
            now = shards(store, "shop"), commits(root)
            assert now[0] in (whole[0], expected[0])
            graph.index(store, project="shop", path=source)
            assert (shards(store, "shop"), links(store, "shop")) == expected
        assert_sound(root, litter=True)
        shutil.rmtree(root)
        if code == 0:
            break
        died += 1
    assert died > 3
