"""JavaScript, JSX, TypeScript and TSX: from bytes to facts."""

from __future__ import annotations

from sbfs.code.facts import Facts


def read(path: str, raw: bytes, language: str) -> Facts:
    """Read one file. language: javascript, jsx, typescript, tsx; config for tsconfig.json, jsconfig.json, package.json.

    Never raises for what the bytes are: what cannot be understood is left out, and a note says so. Raises ImportError
    where the grammar is not installed.
    """
    if language == "config":
        from sbfs.code.javascript.config import configuration

        return configuration(path, raw)
    from sbfs.code.javascript.reading import source_file

    return source_file(path, raw, language)
