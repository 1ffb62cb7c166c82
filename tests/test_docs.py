"""Pages that come from the code say what the code says; the layers hold; prose names no machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_generated_pages_are_up_to_date() -> None:
    """A command, tool or verb that changed without its page, or a README session that no tour prints."""
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_layers_hold() -> None:
    """An import upwards, or dulwich, click or mcp where they do not belong."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/agents.md",
        "docs/architecture.md",
        "docs/format.md",
        "docs/performance.md",
        "docs/quality.md",
        "docs/reflections.md",
        "docs/search.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    """A page that names a file which is not there."""
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_python_examples_run(tmp_path: Path) -> None:
    """The README's and the reference's Python is run as it stands."""
    for page in ("README.md", "docs/python.md"):
        code = re.findall(r"```python\n(from sbfs.*?)```", (ROOT / page).read_text(), re.S)
        assert code
        folder = tmp_path / page.replace("/", "-")
        folder.mkdir()
        subprocess.run([sys.executable, "-c", code[0]], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("name", sorted(file.name for file in (ROOT / "benchmarks").glob("*.py")))
def test_benchmarks_start(name: str) -> None:
    """A command behind a published figure that does not even start."""
    done = subprocess.run([sys.executable, ROOT / "benchmarks" / name, "--help"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
