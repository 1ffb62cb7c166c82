"""What pip installs is whole: the command, the shipped templates and hooks."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the package as installed from a wheel."""
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import sbfs; print(sbfs.__path__[0])"],
        cwd=tmp_path_factory.mktemp("away"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if Path(where).parent != ROOT:
        return Path(where).parent
    # An editable install: build the wheel here and unpack it.
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_templates_and_hooks_ship(installed: Path) -> None:
    """SB-18: what lies at the top of the project reaches whoever installs it."""
    for folder in ("templates", "hooks"):
        top = ROOT / folder
        names = {file.relative_to(top).as_posix(): file.read_bytes() for file in top.rglob("*") if file.is_file()}
        shipped = installed / "sbfs" / "_shared" / folder
        assert names == {f.relative_to(shipped).as_posix(): f.read_bytes() for f in shipped.rglob("*") if f.is_file()}


def test_the_installed_package_makes_a_store(installed: Path, tmp_path: Path) -> None:
    """The shipped files are found from inside the package, away from any checkout."""
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); import sbfs; "
        f"assert sbfs.__path__[0].startswith({str(installed)!r}); "
        f"sbfs.Store.init({str(tmp_path / 'store')!r}).close()"
    )
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True)
    assert "text eol=lf" in (tmp_path / "store" / ".gitattributes").read_text()


def test_the_package_is_marked_as_typed(installed: Path) -> None:
    """Without the marker type checkers ignore every annotation."""
    assert (installed / "sbfs" / "py.typed").exists()
