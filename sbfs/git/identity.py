"""Who a person is to Git."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from sbfs.git.repository import Repository


def user(repo: Repository, environ: Mapping[str, str]) -> str:
    """`Name <mail>` from the environment, the repository's or the person's Git configuration, or ""."""
    if given := environ.get("GIT_AUTHOR_NAME"):
        return f"{given} <{environ.get('GIT_AUTHOR_EMAIL', '')}>"
    from dulwich.config import ConfigFile, StackedConfig

    backends = [*StackedConfig.default_backends()]
    with suppress(OSError, ValueError):
        backends.insert(0, ConfigFile.from_path(str(repo.gitdir / "config")))
    config = StackedConfig(backends)
    with suppress(KeyError):
        name, mail = config.get((b"user",), b"name"), config.get((b"user",), b"email")
        return f"{name.decode('utf-8', 'replace')} <{mail.decode('utf-8', 'replace')}>"
    return ""
