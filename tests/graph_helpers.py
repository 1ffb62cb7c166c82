"""What the tests of code graphs share: a small project in three languages, and all that a graph holds as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sbfs import graph
from sbfs.git import trees
from sbfs.graph.opened import opened
from sbfs.store import Store

CART = '''"""What people buy."""
from shop import prices
from .base import Base


class Cart(Base):
    """A cart.

    It holds what is bought.
    """

    def __init__(self):
        self.items = []

    def add(self, name, count=1):
        self.items.append(name)
        return self.total()

    def total(self):
        return sum(prices.price_of(one) for one in self.items)
'''

BASE = """\
class Base:
    def save(self):
        return write(self)


def write(thing):
    return thing
"""

PRICES = """\
TABLE = {'a': 1}


def price_of(name):
    if name in TABLE:
        return TABLE[name]
    return unknown(name)


def unknown(name):
    raise KeyError(name)
"""

TEST = """\
from shop import Cart


def test_add():
    cart = Cart()
    assert cart.add('a') == 1
    cart.save()
"""

API = """\
import { render } from './page';

export function load(id: string): string {
  return render(id);
}
"""

PAGE = """\
export function render(id: string): string {
  return wrap(id);
}

function wrap(text: string): string {
  return text;
}
"""

ORDER = """\
class Order
  def ship
    pack
  end

  def pack
    1
  end
end
"""

FILES: dict[str, str | bytes] = {
    "shop/__init__.py": "from shop.cart import Cart\n",
    "shop/cart.py": CART,
    "shop/base.py": BASE,
    "shop/prices.py": PRICES,
    "tests/test_cart.py": TEST,
    "web/api.ts": API,
    "web/page.ts": PAGE,
    "lib/order.rb": ORDER,
}


def lay(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """Write a project's files."""
    for path, text in (FILES if files is None else files).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def shards(store: Store, project: str) -> dict[str, bytes]:
    """Path → bytes of all shards on the branch."""
    tree = store.repo.folder(store.view().commit.tree, f"projects/{project}/graph/files")
    found = trees.walk(store.repo.tree, tree) if tree else ()
    return {path: store.repo.blob(id) for path, _, id in found}


def links(store: Store, project: str) -> dict[str, list[Any]]:
    """All that the links say, whatever the numbers of the cache are."""
    with opened(store, project) as found:
        rows = found.graph.rows
        ids = dict(rows("SELECT node, id FROM symbols"))
        edges = rows("SELECT source, target, type, confidence, lines, flags FROM edges")
        return {
            "symbols": sorted(rows("SELECT id, path, name, last, dotted, type, first, final, facts FROM symbols")),
            "files": sorted(rows("SELECT * FROM files")),
            "edges": sorted((ids[row[0]], ids[row[1]], *row[2:]) for row in edges),
            "unresolved": sorted(rows("SELECT * FROM unresolved")),
        }


def names(found: graph.Answer) -> list[str]:
    """The names of calls."""
    return [one.function for one in found.items]
