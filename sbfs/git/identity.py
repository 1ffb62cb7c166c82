"""Who a person is to Git."""

from __future__ import annotations

from contextlib import suppress

from sbfs.git.repository import Repository


def user(repo: Repository) -> str:
    """`Name <mail>` from the repository's or the person's Git configuration, or ""."""
    from dulwich.config import ConfigFile, StackedConfig

    backends = [*StackedConfig.default_backends()]
    with suppress(OSError, ValueError):
        backends.insert(0, ConfigFile.from_path(str(repo.gitdir / "config")))
    config = StackedConfig(backends)
    with suppress(KeyError):
        name, mail = config.get((b"user",), b"name"), config.get((b"user",), b"email")
        return f"{name.decode('utf-8', 'replace')} <{mail.decode('utf-8', 'replace')}>"
    return ""
