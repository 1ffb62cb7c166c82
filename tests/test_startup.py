"""What a command loads: nothing that it does not use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from domain_helpers import people
from graph_helpers import lay

from sbfs import graph, messages
from sbfs.store import Store

SLOW = ("dulwich", "yaml", "rich", "filelock", "hashlib", "_hashlib", "socket", "subprocess", "shutil", "mimetypes",
        "secrets", "random", "logging", "asyncio", "email", "zipfile", "tempfile", "difflib", "importlib.metadata",
        "sbfs.publish", "sbfs.operation", "sbfs.queue", "sbfs.upkeep", "sbfs.redact.rules", "sbfs.kinds", "sbfs.entry",
        "sbfs.search")  # fmt: skip
"""What a command that only reads a list or a count has no use for."""

HEAVY = ("numpy", "scipy", "sklearn", "whoosh", "mcp", "pydantic", "tree_sitter", "rustworkx", "jinja2", "hypothesis",
         "pygments", "markdown_it", "markupsafe")  # fmt: skip

PROGRAM = """
import sys
sys.argv = ["sbfs", *sys.argv[1:]]
from sbfs.cli import main
try:
    main()
finally:
    print("loaded", *sorted({part for name in sys.modules for part in (name, name.split(".")[0])}), file=sys.stderr)
"""


def loaded(root, *arguments: str) -> set[str]:
    """The modules that a process has loaded when a command is done, and the packages that they are in."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SBFS_STORE": str(root)}
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("loaded ")]
    return {*line.split()[1:]}


@pytest.fixture
def root(tmp_path):
    """A store with two projects."""
    with Store.init(tmp_path / "store") as store:
        people(store, "web", "api")
    return tmp_path / "store"


def test_help_loads_click_and_nothing_of_the_store(root):
    """`sbfs --help` that is slow because it loads what it does not show."""
    found = loaded(root, "--help")
    assert found.isdisjoint({*HEAVY, "dulwich", "yaml", "rich", "dateparser", "filelock"})
    assert "click" in found


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "web", "api", "-s", "x", "-b", "x"),
        ("send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", "2126-01-01T10:00"),
        ("inbox", "api"),
        ("outbox", "web", "--json"),
        ("message", "count", "api", "--unread"),
        ("status",),
        ("reflection", "add", "web", "--title", "x", "--text", "x"),
        ("reflection", "list", "--json"),
        ("quality", "add", "web", "--score", "5"),
        ("quality", "trend", "web"),
        ("project", "list"),
        ("conversation", "stats", "--by", "day"),
        ("conversation", "list"),
    ],
)
def test_commands_load_nothing_heavy(root, arguments):
    """A command that pays for search, graphs or MCP; dateparser where nobody wrote words, XML where no report is."""
    assert loaded(root, *arguments).isdisjoint({*HEAVY, "dateparser", "defusedxml"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("message", "count", "api", "--unread"),
        ("inbox", "api"),
        ("inbox", "api", "--json"),
        ("project", "list"),
        ("reflection", "list"),
        ("quality", "trend", "web"),
        ("conversation", "list"),
        ("conversation", "stats", "--by", "day,model", "--json"),
        ("conversation", "stats", "--window", "7"),
    ],
)
def test_commands_that_read_load_nothing_that_writes(root, arguments):
    """A count of mail that takes longer to start than to count: what writes, redacts, locks or parses any YAML."""
    with Store.open(root) as store:
        messages.send(store, from_project="web", to_project="api", subject="x", message="y\nz")
    assert not loaded(root, *arguments) & {*SLOW}


def test_a_question_to_the_code_graph_loads_neither_readers_nor_linker(tmp_path):
    """`sbfs graph callers` that waits for what made the graph."""
    with Store.init(tmp_path / "store") as store:
        graph.index(store, path=lay(tmp_path / "shop"))
    root = tmp_path / "store"
    for words in (("callers", "price_of"), ("show", "Cart"), ("impact", "price_of"), ("related", "cart.py")):
        assert loaded(root, "graph", *words).isdisjoint({*HEAVY, "dateparser", "defusedxml", "filelock"})
    program = PROGRAM.replace('name.split(".")[0]', "name")
    command = [sys.executable, "-c", program, "graph", "callers", "price_of"]
    env = {**os.environ, "SBFS_STORE": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert {one for one in done.stderr.split() if one.startswith(("sbfs.linking", "sbfs.code.python"))} == set()
    assert "rustworkx" in loaded(root, "graph", "cycles")


def test_a_search_loads_no_more_than_the_index_needs(root):
    """A first question that waits for scikit-learn, or for the backend where only its state is asked for."""
    assert loaded(root, "index", "status").isdisjoint(HEAVY)
    assert "whoosh" in loaded(root, "search", "web")
    found = loaded(root, "search", "web", "--kind", "project")
    assert found.isdisjoint({*HEAVY, "filelock"} - {"whoosh"})
    assert "sklearn" not in loaded(root, "search", "--like", "web")
    assert "sklearn" not in loaded(root, "search", "wbe")


def test_words_for_a_time_load_what_reads_them(root):
    """The test above that cannot fail: dateparser is seen where it is used."""
    assert "dateparser" in loaded(root, "send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", "in 3 days")


def test_importing_sbfs_loads_no_git():
    """`import sbfs` that costs what only a store costs."""
    program = "import sys, sbfs; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()}.isdisjoint({*HEAVY, "dulwich", "yaml", "click", "rich"})
    program = "import sbfs; assert {'Store', 'messages'} <= set(sbfs.__all__); sbfs.messages.send; sbfs.Store.open"
    subprocess.run([sys.executable, "-c", program], check=True)
    program = "import sbfs; sbfs.no_such_thing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "AttributeError" in done.stderr
