"""Which file a specifier means: relative paths, tsconfig paths, packages of the project, their `exports` and `imports`.

Paths are compared by case everywhere, as on the systems where the code will run. What resolves to no file of the
project is outside. Sources: Node.js, Modules: Packages (nodejs.org/api/packages.html); TypeScript, Module Resolution
(typescriptlang.org/docs/handbook).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

EXTENSIONS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json")
WRITTEN_AS = {
    ".js": (".ts", ".tsx", ".d.ts", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
"""What TypeScript's own files may be called in an import."""
CONDITIONS = frozenset(("source", "development", "import", "module", "node", "browser", "default", "types"))
REQUIRED = (CONDITIONS - {"import", "module"}) | {"require"}
BUILT = ("dist", "lib", "build", "out", "esm", "cjs")
SOURCES = ("src", "source", "lib", "")
CODE = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
CHAIN = 20
"""Configurations that extend one another further than this are cut off."""


def outside(spec: str) -> str:
    """The dotted name of a package outside: `node:fs` → fs, `lodash/map` → lodash.map, `@a/b/c` → @a/b.c."""
    spec = spec.removeprefix("node:")
    if spec.startswith("@"):
        scope, _, rest = spec.partition("/")
        return f"{scope}/{rest.replace('/', '.')}" if rest else scope
    if spec.startswith((".", "/")):
        return spec
    return spec.replace("/", ".")


class Modules:
    """The files of a project, by path, and its configurations: path → what `Facts.config` says."""

    def __init__(self, paths: Iterable[str], configs: Mapping[str, Mapping[str, Any]]):
        self.paths = frozenset(paths)
        self.packages: dict[str, Mapping[str, Any]] = {}
        self.named: dict[str, str] = {}
        self._compilers: dict[str, Mapping[str, Any]] = {}
        self._merged: dict[str, dict[str, Any]] = {}
        self._nearest: dict[tuple[str, bool], str | None] = {}
        self._found: dict[tuple[str, str, bool], str | None] = {}
        self._conditions = CONDITIONS
        self._folders = {path.rpartition("/")[0] for path in self.paths}
        for path, config in sorted(configs.items()):
            folder = path.rpartition("/")[0]
            if "package" in config:
                self.packages[folder] = config["package"]
                name = config["package"].get("name")
                if isinstance(name, str) and "node_modules/" not in f"{folder}/":
                    self.named.setdefault(name, folder)
            elif "tsconfig" in config:
                self._compilers[path] = config["tsconfig"]

    def resolve(self, path: str, spec: str, *, required: bool = False) -> str | None:
        """The file that a specifier means in a file; None for what is outside. required: by `require`."""
        if spec == "":
            return path
        folder = path.rpartition("/")[0]
        key = (folder, spec, required)
        if key not in self._found:
            self._conditions = REQUIRED if required else CONDITIONS
            self._found[key] = self._resolve(folder, spec)
        return self._found[key]

    def _resolve(self, folder: str, spec: str) -> str | None:
        if spec in (".", "..") or spec.startswith(("./", "../")):
            base = joined(folder, spec)
            return None if base is None else self.file(base)
        if spec.startswith("#"):
            return self._own_import(folder, spec)
        for target in self._aliases(folder, spec):
            found = self.file(target)
            if found is not None:
                return found
        return self._package(folder, spec)

    # -- files and folders

    def file(self, base: str) -> str | None:
        """A path without what may be left out: exact, with an extension, as a folder."""
        if base in self.paths and base.endswith(EXTENSIONS):
            return base
        for extension in EXTENSIONS:
            if base + extension in self.paths:
                return base + extension
        stem, dot, last = base.rpartition(".")
        for extension in WRITTEN_AS.get(dot + last, ()):
            if stem + extension in self.paths:
                return stem + extension
        return self._folder(base)

    def _folder(self, base: str) -> str | None:
        package = self.packages.get(base)
        if package is not None and base:
            found = self._entry(base, package)
            if found is not None:
                return found
        return self._indexed(base)

    def _indexed(self, base: str) -> str | None:
        prefix = f"{base}/" if base else ""
        for extension in EXTENSIONS:
            if f"{prefix}index{extension}" in self.paths:
                return f"{prefix}index{extension}"
        return None

    # -- tsconfig

    def _near(self, folder: str, *, compiler: bool) -> str | None:
        """The nearest configuration above a folder: path of a tsconfig (or jsconfig), or folder of a package."""
        key = (folder, compiler)
        if key not in self._nearest:
            prefix = f"{folder}/" if folder else ""
            found: str | None = None
            if compiler:
                found = next(
                    (prefix + name for name in ("tsconfig.json", "jsconfig.json") if prefix + name in self._compilers),
                    None,
                )
            elif folder in self.packages:
                found = folder
            if found is None and folder:
                found = self._near(folder.rpartition("/")[0], compiler=compiler)
            self._nearest[key] = found
        return self._nearest[key]

    def compiler(self, path: str, depth: int = 0) -> dict[str, Any]:
        """A tsconfig with what it extends; `paths` and `baseUrl` are told with the folder that they are relative to."""
        found = self._merged.get(path)
        if found is not None:
            return found
        self._merged[path] = {}
        merged: dict[str, Any] = {}
        own = self._compilers.get(path, {})
        folder = path.rpartition("/")[0]
        for base in own.get("extends", ()) if depth < CHAIN else ():
            extended = self._extended(folder, base)
            if extended is not None:
                merged.update(self.compiler(extended, depth + 1))
        if isinstance(own.get("baseUrl"), str):
            merged["base"] = joined(folder, own["baseUrl"])
        if isinstance(own.get("paths"), dict):
            merged["paths"] = own["paths"]
            merged["root"] = merged["base"] if merged.get("base") is not None else folder
        merged["references"] = own.get("references", [])
        self._merged[path] = merged
        return merged

    def _extended(self, folder: str, spec: str) -> str | None:
        starts = joined(folder, spec) if spec.startswith(".") else None
        for base in [starts] if starts is not None else [self._in_packages(spec)]:
            for candidate in (base, f"{base}.json", f"{base}/tsconfig.json") if base is not None else ():
                if candidate in self._compilers:
                    return candidate
        return None

    def _in_packages(self, spec: str) -> str | None:
        name, rest = split(spec)
        home = self.named.get(name)
        return None if home is None else f"{home}/{rest}".strip("/")

    def _aliases(self, folder: str, spec: str) -> Iterator[str]:
        """Where the configurations above a folder say that a specifier may be, in order."""
        path = self._near(folder, compiler=True)
        if path is None:
            return
        waiting, seen = [path], {path}
        for one in waiting:
            options = self.compiler(one)
            yield from self._mapped(options, spec)
            if options.get("base") is not None:
                yield f"{options['base']}/{spec}".lstrip("/")
            for reference in options.get("references", ()):
                base = joined(one.rpartition("/")[0], reference)
                for candidate in (base, f"{base}/tsconfig.json") if base is not None else ():
                    if candidate in self._compilers and candidate not in seen and candidate is not None:
                        seen.add(candidate)
                        waiting.append(candidate)

    def _mapped(self, options: Mapping[str, Any], spec: str) -> Iterator[str]:
        paths = options.get("paths")
        if not isinstance(paths, dict):
            return
        found = matching(paths, spec)
        if found is None:
            return
        targets, part = found
        for target in targets if isinstance(targets, list) else []:
            if isinstance(target, str):
                base = joined(options["root"], target.replace("*", part, 1))
                if base is not None:
                    yield base

    # -- packages

    def _package(self, folder: str, spec: str) -> str | None:
        name, rest = split(spec)
        home = self._installed(folder, name)
        if home is None:
            home = self.named.get(name)
        if home is None:
            return None
        package = self.packages.get(home, {})
        if not rest:
            return self._entry(home, package)
        if "exports" in package:
            return self._exported(home, package["exports"], f"./{rest}")
        return self.file(f"{home}/{rest}".lstrip("/")) or self._source(home, rest)

    def _installed(self, folder: str, name: str) -> str | None:
        while True:
            home = f"{folder}/node_modules/{name}".lstrip("/")
            if home in self._folders or home in self.packages:
                return home
            if not folder:
                return None
            folder = folder.rpartition("/")[0]

    def _entry(self, home: str, package: Mapping[str, Any]) -> str | None:
        """The file that a package's name means."""
        if "exports" in package:
            return self._exported(home, package["exports"], ".")
        for key in ("source", "module", "main", "types", "typings"):
            target = package.get(key)
            if isinstance(target, str):
                base = joined(home, target)
                found = self.file(base) if base is not None and base != home else None
                found = found or self._source(home, target)
                if found is not None:
                    return found
        return self._indexed(home) or self._indexed(f"{home}/src".lstrip("/"))

    def _exported(self, home: str, exports: Any, subpath: str) -> str | None:
        if isinstance(exports, dict) and any(key.startswith(".") for key in exports):
            found = matching(exports, subpath)
            if found is None:
                return None
            target, part = found
        elif subpath == ".":
            target, part = exports, ""
        else:
            return None
        return self._target(home, target, part)

    def _own_import(self, folder: str, spec: str) -> str | None:
        home = self._near(folder, compiler=False)
        imports = self.packages.get(home, {}).get("imports") if home is not None else None
        found = matching(imports, spec) if isinstance(imports, dict) else None
        if home is None or found is None:
            return None
        return self._target(home, *found)

    def _target(self, home: str, target: Any, part: str, depth: int = 0) -> str | None:
        """The file that a value of `exports` or `imports` means: the first condition that has one; null blocks."""
        if depth > CHAIN:
            return None
        if isinstance(target, str):
            target = target.replace("*", part)
            if not target.startswith("."):
                return self._package(home, target)
            base = joined(home, target)
            return (self.file(base) if base is not None else None) or self._source(home, target)
        if isinstance(target, dict):
            for condition, inner in target.items():
                if condition in self._conditions:
                    if inner is None:
                        return None
                    found = self._target(home, inner, part, depth + 1)
                    if found is not None:
                        return found
        if isinstance(target, list):
            for inner in target:
                found = self._target(home, inner, part, depth + 1)
                if found is not None:
                    return found
        return None

    def _source(self, home: str, target: str) -> str | None:
        """The source of what would be built: `dist/a.js` is made from `src/a.ts`."""
        parts = [part for part in target.split("/") if part not in ("", ".")]
        while len(parts) > 1 and parts[0] in BUILT:
            parts = parts[1:]
        if not parts or ".." in parts:
            return None
        rest = "/".join(parts)
        stem = rest
        for ending in (".d.ts", ".d.mts", ".d.cts", *CODE):
            if rest.endswith(ending):
                stem = rest.removesuffix(ending)
                break
        for folder in SOURCES:
            base = "/".join(part for part in (home, folder, stem) if part)
            for extension in CODE:
                if base + extension in self.paths:
                    return base + extension
        return None


def joined(folder: str, spec: str) -> str | None:
    """A relative path from a folder, None where it leaves the project."""
    parts = [part for part in folder.split("/") if part]
    for part in spec.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def split(spec: str) -> tuple[str, str]:
    """A specifier as a package's name and what follows."""
    parts = spec.split("/")
    count = 2 if spec.startswith("@") else 1
    return "/".join(parts[:count]), "/".join(parts[count:])


def matching(table: Mapping[str, Any], spec: str) -> tuple[Any, str] | None:
    """The entry of a table whose key fits, exactly or by the longest text before its `*`; what the star stands for."""
    if spec in table and "*" not in spec:
        return table[spec], ""
    best: tuple[int, str, str] | None = None
    for key in table:
        before, star, after = key.partition("*")
        if not star or not spec.startswith(before) or not spec.endswith(after) or len(spec) < len(before) + len(after):
            continue
        if best is None or len(before) > best[0]:
            best = (len(before), key, spec[len(before) : len(spec) - len(after)])
    return None if best is None else (table[best[1]], best[2])
