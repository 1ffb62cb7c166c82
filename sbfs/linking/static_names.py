"""What a name stands for in Go, Rust and Java: packages, modules, types, functions, by the rules of each language.

All tables are made from facts, before values flow.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from sbfs.linking.ruby_classes import words

if TYPE_CHECKING:
    from sbfs.linking.tables import File

KINDS = frozenset({"class", "interface", "enum", "trait", "type"})
Found = tuple[str, Any, str]
"""Kind, what, name: ("type", Type, ""), ("function", file, symbol), ("variable", file, key), ("module", its key, ""),
("outside", full name, "")."""

GO_BUILTINS = words(
    "append cap clear close complex copy delete imag len make max min new panic print println real recover"
)
JAVA_LANG = words(
    "Object String StringBuilder StringBuffer CharSequence Comparable Iterable Runnable Thread ThreadGroup "
    "ThreadLocal InheritableThreadLocal Math StrictMath System Runtime Process ProcessBuilder ProcessHandle Class "
    "ClassLoader ClassValue Enum Record Module ModuleLayer Package SecurityManager StackTraceElement StackWalker "
    "Number Integer Long Short Byte Double Float Boolean Character Void Appendable Readable AutoCloseable "
    "Cloneable Override Deprecated FunctionalInterface SafeVarargs SuppressWarnings Throwable Exception "
    "RuntimeException Error AssertionError LinkageError NoClassDefFoundError OutOfMemoryError StackOverflowError "
    "ReflectiveOperationException ClassNotFoundException NoSuchMethodException NoSuchFieldException "
    "IllegalAccessException InstantiationException IllegalArgumentException IllegalStateException "
    "IllegalMonitorStateException NullPointerException IndexOutOfBoundsException ArrayIndexOutOfBoundsException "
    "StringIndexOutOfBoundsException NegativeArraySizeException ArrayStoreException ClassCastException "
    "UnsupportedOperationException ArithmeticException SecurityException InterruptedException "
    "CloneNotSupportedException NumberFormatException"
)
RUST_ANY = words(
    "clone to_string into try_into borrow borrow_mut to_owned eq ne cmp partial_cmp hash fmt default as_ref as_mut "
    "type_id"
)
"""Methods that nearly every type has, mostly derived."""
JAVA_OBJECT = words("getClass hashCode equals toString notify notifyAll wait clone finalize")
RUST_PRELUDE = words(
    "Vec String Option Result Box Rc Arc Some None Ok Err Iterator IntoIterator Default Clone Copy Drop Fn FnMut "
    "FnOnce From Into ToString ToOwned AsRef AsMut Send Sync Sized Debug Display PartialEq Eq PartialOrd Ord Hash "
    "Extend HashMap HashSet BTreeMap BTreeSet VecDeque drop str"
)


class Type:
    """A class, interface, enum or trait.

    methods: name → functions that define it, as (file, symbol). abstract: those without a body. above: what it builds
    on, in order. below: what builds on it. outside: names of what it builds on that is not in the project. structural:
    all that have its methods implement it.
    """

    __slots__ = (
        "above",
        "abstract",
        "below",
        "fields",
        "file",
        "interface",
        "methods",
        "outside",
        "structural",
        "symbol",
    )

    def __init__(self, file: File, symbol: str) -> None:
        self.file, self.symbol = file, symbol
        said = file.symbols[symbol]
        self.interface = said.type in ("interface", "trait") or "abstract" in said.flags
        self.structural = file.language == "go" and said.type == "interface"
        self.methods: dict[str, list[tuple[File, str]]] = {}
        self.abstract: set[str] = set()
        self.fields: set[str] = set()
        self.above: list[Type] = []
        self.below: list[Type] = []
        self.outside: list[str] = []

    def order(self) -> list[Type]:
        """Itself and what it builds on, nearest first."""
        found: dict[int, Type] = {}
        waiting = [self]
        while waiting:
            one = waiting.pop(0)
            if id(one) not in found:
                found[id(one)] = one
                waiting.extend(one.above)
        return list(found.values())

    def heirs(self) -> list[Type]:
        """What builds on it, at any depth, by place."""
        found: dict[int, Type] = {}
        waiting = list(self.below)
        while waiting:
            one = waiting.pop()
            if id(one) not in found and one is not self:
                found[id(one)] = one
                waiting.extend(one.below)
        return sorted(found.values(), key=lambda one: (one.file.path, one.symbol))


class Names(Protocol):
    """The names of one language."""

    types: dict[tuple[str, str], Type]

    def resolve(self, file: File, name: str, nesting: list[str], /) -> Found | None:
        """What a name stands for in a file. nesting: the types (Java) or the module (Rust) around."""

    def targets(self, file: File, spec: str, name: str, level: int, /) -> list[str]:
        """Paths that an import names, empty for what lies outside."""

    def owner(self, file: File, symbol: str) -> Type | None:
        """The type whose method a symbol is."""


def symbols_of(files: Iterable[File]) -> Iterable[tuple[File, Any]]:
    """All symbols but those of closures and anonymous classes' insides, tests last."""
    ordered = sorted(files, key=lambda file: ("_test." in file.path or "/test/" in file.path, file.path))
    for file in ordered:
        for symbol in file.facts.symbols:
            yield file, symbol


def defined(file: File) -> set[str]:
    """Variables of a file's and its types' bodies that something assigns or declares, as `symbol:name`."""
    found = set(file.defined)
    for symbol in file.facts.symbols:
        if symbol.name == "" or symbol.type in KINDS or symbol.type == "namespace":
            found.update(
                f"{symbol.name}:{flow[1]}" for flow in symbol.flows if flow[0] == "typed" and flow[1] != "this"
            )
    return found


class GoNames:
    """Go: a folder is a package, whose names all its files share; go.mod says where import paths begin."""

    def __init__(self, files: dict[str, File], configs: dict[str, dict[str, Any]]) -> None:
        self.files = files
        self.types: dict[tuple[str, str], Type] = {}
        self.folders: dict[str, dict[str, Found]] = {}
        self.paths: dict[str, list[str]] = {}
        self.packages: dict[str, str] = {}
        self.modules = sorted(
            ((said["go"], posixpath.dirname(path)) for path, said in configs.items() if "go" in said),
            key=lambda one: -len(one[0]),
        )
        for path, file in files.items():
            folder = posixpath.dirname(path)
            self.paths.setdefault(folder, []).append(path)
            if not path.endswith("_test.go"):
                self.packages.setdefault(folder, file.facts.config.get("package", ""))
        for file, symbol in symbols_of(files.values()):
            self._add(file, symbol)

    def _add(self, file: File, symbol: Any) -> None:
        names = self.folders.setdefault(posixpath.dirname(file.path), {})
        if symbol.type in KINDS and "." not in symbol.name:
            self.types[file.path, symbol.name] = found = Type(file, symbol.name)
            names.setdefault(symbol.name, ("type", found, ""))
        elif symbol.type == "function" and "." not in symbol.name:
            names.setdefault(symbol.name, ("function", file, symbol.name))
        elif symbol.name == "":
            for key in sorted(defined(file)):
                if key.startswith(":"):
                    names.setdefault(key[1:], ("variable", file, key))

    def resolve(self, file: File, name: str, _nesting: list[str], /) -> Found | None:
        """A name of the package, or of an imported one."""
        first, _, member = name.partition(".")
        if not member:
            return self._plain(file, name)
        spec = self._imported(file, first)
        if spec is None:
            return None
        folder = self.folder(spec)
        if folder is None:
            return ("outside", f"{spec}.{member}", "")
        return self.folders.get(folder, {}).get(member)

    def _plain(self, file: File, name: str) -> Found | None:
        found = self.folders.get(posixpath.dirname(file.path), {}).get(name)
        for one in file.facts.imports:
            if found is None and one.names == (("*", ""),):
                folder = self.folder(one.spec)
                found = self.folders.get(folder, {}).get(name) if folder is not None else None
        if found is None and name in GO_BUILTINS:
            return ("outside", f"<builtin>.{name}", "")
        return found

    def _imported(self, file: File, alias: str) -> str | None:
        for one in file.facts.imports:
            if one.names and one.names[0][1] == alias:
                return one.spec
        for one in file.facts.imports:
            folder = self.folder(one.spec)
            if folder is not None and self.packages.get(folder) == alias:
                return one.spec
        return None

    def folder(self, spec: str) -> str | None:
        """The project's folder that an import path names."""
        for module, root in self.modules:
            if spec == module or spec.startswith(f"{module}/"):
                found = posixpath.normpath(posixpath.join(root, spec[len(module) + 1 :]))
                found = "" if found == "." else found
                return found if found in self.paths else None
        if self.modules:
            return None
        # Without a go.mod, a folder that the path ends with.
        fits = [folder for folder in self.paths if folder and (spec == folder or spec.endswith(f"/{folder}"))]
        return max(fits, key=len) if fits else None

    def targets(self, _file: File, spec: str, _name: str, _level: int, /) -> list[str]:
        """All files of the folder but tests."""
        folder = self.folder(spec)
        return [] if folder is None else [path for path in self.paths[folder] if not path.endswith("_test.go")]

    def owner(self, file: File, symbol: str) -> Type | None:
        """The type of the package that a method's name begins with."""
        found = self.folders.get(posixpath.dirname(file.path), {}).get(symbol.rpartition(".")[0])
        return found[1] if found is not None and found[0] == "type" else None


class JavaNames:
    """Java: types by their packages, imports, and the types around."""

    def __init__(self, files: dict[str, File], _configs: dict[str, dict[str, Any]]) -> None:
        self.files = files
        self.types: dict[tuple[str, str], Type] = {}
        self.full: dict[str, Type] = {}
        self.packages: dict[str, list[str]] = {}
        for file, symbol in symbols_of(files.values()):
            package = self.package(file)
            if symbol.name == "":
                self.packages.setdefault(package, []).append(file.path)
            elif symbol.type in KINDS:
                self.types[file.path, symbol.name] = found = Type(file, symbol.name)
                self.full.setdefault(f"{package}.{symbol.name}".lstrip("."), found)

    def package(self, file: File) -> str:
        """The package that a file says."""
        return str(file.facts.config.get("package", ""))

    def resolve(self, file: File, name: str, nesting: list[str]) -> Found | None:
        """A type by its simple or its full name."""
        first, _, rest = name.partition(".")
        found = self._simple(file, first, nesting)
        if found is None and rest and name in self.full:
            return ("type", self.full[name], "")
        if found is None or not rest:
            return found
        if found[0] == "outside":
            return ("outside", f"{found[1]}.{rest}", "")
        inner = self._nested(found[1], rest)
        return None if inner is None else ("type", inner, "")

    def _simple(self, file: File, name: str, nesting: list[str]) -> Found | None:
        package = self.package(file)
        for outer in nesting:
            around = self.types.get((file.path, outer))
            if around is not None and (outer == name or outer.rpartition(".")[2] == name):
                return ("type", around, "")
            if around is not None and (inner := self._nested(around, name)) is not None:
                return ("type", inner, "")
        for one in file.facts.imports:
            if one.level == 0 and one.names and one.names[0][0] == name:
                found = self.full.get(one.spec)
                return ("type", found, "") if found is not None else ("outside", one.spec, "")
        if (found := self.full.get(f"{package}.{name}".lstrip("."))) is not None:
            return ("type", found, "")
        stars = [one.spec for one in file.facts.imports if one.level == 0 and one.names and one.names[0][0] == "*"]
        for spec in stars:
            if (found := self.full.get(f"{spec}.{name}")) is not None:
                return ("type", found, "")
        if name in JAVA_LANG:
            return ("outside", f"java.lang.{name}", "")
        outside = [spec for spec in stars if spec not in self.packages]
        return (
            ("outside", f"{outside[0]}.{name}", "")
            if len(outside) == 1 and len(name) > 1 and name[:1].isupper()
            else None
        )

    def _nested(self, around: Type, name: str) -> Type | None:
        for one in around.order():
            found = self.types.get((one.file.path, f"{one.symbol}.{name}"))
            if found is not None:
                return found
        return None

    def statics(self, file: File, name: str) -> Iterable[Type | str]:
        """Types whose member a static import may bring under a name."""
        for one in file.facts.imports:
            if one.level == 1 and one.names and one.names[0][0] in (name, "*"):
                yield self.full.get(one.spec) or one.spec

    def targets(self, _file: File, spec: str, name: str, _level: int, /) -> list[str]:
        """The file of a type, or all of a package."""
        found = self.full.get(spec)
        if found is not None:
            return [found.file.path]
        return list(self.packages.get(spec, ())) if name == "*" else []

    def owner(self, file: File, symbol: str) -> Type | None:
        """The type that a method's name begins with."""
        return self.types.get((file.path, symbol.rpartition(".")[0]))


class RustNames:
    """Rust: crates of modules; a file is a module by its place, and may hold others."""

    def __init__(self, files: dict[str, File], configs: dict[str, dict[str, Any]]) -> None:
        self.files = files
        self.types: dict[tuple[str, str], Type] = {}
        self.crates = {
            posixpath.dirname(path): said for path, said in configs.items() if "crate" in said or "root" in said
        }
        self.by_name = {said["crate"]: folder for folder, said in sorted(self.crates.items()) if "crate" in said}
        self.modules: dict[tuple[str, str], dict[str, Found]] = {}
        self.places: dict[tuple[str, str], str] = {}
        self._at = {path: self._module_of(path) for path in files}
        for path, at in self._at.items():
            self.modules.setdefault(at, {})
            self.places.setdefault(at, path)
        for file, symbol in symbols_of(files.values()):
            self._add(file, symbol)
        self._uses = self._all_uses()
        self._resolved: dict[tuple[tuple[str, str], str], Found | None] = {}

    def _all_uses(self) -> dict[tuple[str, str], tuple[dict[str, str], list[str]]]:
        """What each module takes from others: name → path, and the paths of which it takes all."""
        found: dict[tuple[str, str], tuple[dict[str, str], list[str]]] = {}
        for file in self.files.values():
            for one in file.facts.imports:
                taken, stars = found.setdefault(self.module(file, one.owner), ({}, []))
                for name, alias in one.names:
                    if name == "*":
                        stars.append(one.spec)
                    else:
                        taken.setdefault(alias, f"{one.spec}::{name}" if name else one.spec)
        return found

    def _module_of(self, path: str) -> tuple[str, str]:
        """(root folder of the crate, path of the module in it)."""
        folder = posixpath.dirname(path)
        root = folder
        while root not in self.crates and root:
            root = posixpath.dirname(root)
        if root not in self.crates:
            root = path.partition("/src/")[0] if "/src/" in path else "" if path.startswith("src/") else folder
        inside = posixpath.relpath(path, root) if root else path
        parts = inside.removesuffix(".rs").split("/")
        if parts[0] == "src":
            parts = parts[1:]
            if parts[:1] == ["bin"]:
                return f"{root}//{'/'.join(parts)}", ""
        elif len(parts) > 1 and parts[0] in ("tests", "examples", "benches"):
            return f"{root}//{'/'.join(parts)}", ""
        if parts[-1] in ("mod", "lib", "main"):
            parts = parts[:-1]
        return root, "::".join(parts)

    def module(self, file: File, inner: str) -> tuple[str, str]:
        """The module of a file, or of one that it holds (a dotted name)."""
        root, path = self._at[file.path]
        return root, "::".join(filter(None, (path, inner.replace(".", "::"))))

    def _add(self, file: File, symbol: Any) -> None:
        around = symbol.name.rpartition(".")[0]
        if around and around in file.symbols and file.symbols[around].type != "namespace":
            return
        if symbol.type == "method" or "<" in symbol.name:
            return
        at = self.module(file, around)
        name = symbol.name.rpartition(".")[2]
        names = self.modules.setdefault(at, {})
        if symbol.type in KINDS:
            self.types[file.path, symbol.name] = found = Type(file, symbol.name)
            names.setdefault(name, ("type", found, ""))
        elif symbol.type == "namespace":
            inner = self.module(file, symbol.name)
            self.modules.setdefault(inner, {})
            self.places.setdefault(inner, file.path)
        elif symbol.type == "function":
            names.setdefault(name, ("function", file, symbol.name))
        if symbol.name == "" or symbol.type == "namespace":
            inner = self.module(file, symbol.name)
            for key in sorted(defined(file)):
                owner, _, variable = key.rpartition(":")
                if owner == symbol.name and not variable.startswith(("%", "[")):
                    self.modules.setdefault(inner, {}).setdefault(variable, ("variable", file, key))

    def resolve(self, file: File, name: str, nesting: list[str]) -> Found | None:
        """A path, from the module around."""
        at = self.module(file, nesting[0] if nesting else "")
        key = (at, name)
        if key not in self._resolved:
            self._resolved[key] = self._path(at, name.split("::"), 0) or self._outside(at, name)
        return self._resolved[key]

    def _path(self, at: tuple[str, str], parts: list[str], depth: int) -> Found | None:
        if depth > 12 or not parts:
            return None
        first, rest = parts[0], parts[1:]
        step: Found | None
        if first in ("crate", ""):
            step = _module(at[0], "")
        elif first == "self":
            step = _module(*at)
        elif first == "super":
            step = _module(at[0], at[1].rpartition("::")[0])
        else:
            step = self._named(at, first, depth) or self._crate(first)
        for part in rest:
            if step is None:
                return None
            if step[0] == "module" and part == "super":
                root, path = step[1]
                step = _module(root, path.rpartition("::")[0])
            elif step[0] == "module":
                step = self._named(step[1], part, depth)
            elif step[0] == "type":
                step = self._member(step[1], part)
            else:
                return None
        return step

    def _crate(self, name: str) -> Found | None:
        folder = self.by_name.get(name)
        return None if folder is None else ("module", (folder, ""), "")

    def _named(self, at: tuple[str, str], name: str, depth: int) -> Found | None:
        """A name in a module: an item, a module below, what `use` brings."""
        if depth > 12:
            return None
        found = self.modules.get(at, {}).get(name)
        if found is not None:
            return found
        below = (at[0], "::".join(filter(None, (at[1], name))))
        if below in self.modules:
            return ("module", below, "")
        taken, stars = self._uses.get(at, ({}, []))
        full = taken.get(name, "")
        if full and full not in (name, f"self::{name}"):
            return self._path(at, full.split("::"), depth + 1)
        for spec in stars:
            step = self._path(at, spec.split("::"), depth + 1)
            if step is not None and step[0] == "module" and step[1] != at:
                if (found := self._named(step[1], name, depth + 2)) is not None:
                    return found
            elif step is not None and step[0] == "type" and (found := self._member(step[1], name)) is not None:
                return found
        return None

    def _member(self, one: Type, name: str) -> Found | None:
        for step in one.order():
            if name in step.methods:
                file, symbol = step.methods[name][0]
                return ("function", file, symbol)
            if name in step.fields and step.file.symbols[step.symbol].type == "enum":
                return ("type", step, "")  # A variant makes a value of its enum.
            if name in step.fields:
                return ("variable", step.file, f"{step.symbol}:{name}")
        return None

    def _outside(self, at: tuple[str, str], name: str) -> Found | None:
        """The full name of what the project does not hold."""
        first, _, rest = name.partition("::")
        taken = self._uses.get(at, ({}, []))[0].get(first, "")
        if taken:
            if taken.startswith(("crate::", "self::", "super::")):
                return None
            return ("outside", "::".join(filter(None, (taken, rest))).replace("::", "."), "")
        if first in RUST_PRELUDE or first.endswith("!"):
            return ("outside", f"<builtin>.{name.replace('::', '.')}", "")
        if rest and first not in ("crate", "self", "super", "Self") and first[:1].islower():
            return ("outside", name.replace("::", "."), "")
        return None

    def targets(self, file: File, spec: str, name: str, _level: int, /) -> list[str]:
        """The file of a module, or of what is taken from it."""
        at = self._at[file.path]
        for full in ([f"{spec}::{name}"] if name not in ("", "*") else []) + [spec]:
            found = self._path(at, full.split("::"), 0)
            if found is not None:
                place = (
                    self.places.get(found[1])
                    if found[0] == "module"
                    else found[1].file.path
                    if found[0] == "type"
                    else found[1].path
                )
                return [] if place is None else [place]
        return []

    def owner(self, file: File, symbol: str) -> Type | None:
        """The type that a method's name begins with, wherever it is defined."""
        around = symbol.rpartition(".")[0]
        found = self.types.get((file.path, around))
        if found is not None:
            return found
        outer, _, name = around.rpartition(".")
        step = self._named(self.module(file, outer), name, 0)
        return step[1] if step is not None and step[0] == "type" else None


def _module(root: str, path: str) -> Found:
    return ("module", (root, path), "")


def all_names(files: dict[str, File], configs: dict[str, dict[str, Any]]) -> dict[str, Names]:
    """Language → its names, for the languages that are there."""
    made: dict[str, Names] = {}
    for language, names in (("go", GoNames), ("java", JavaNames), ("rust", RustNames)):
        mine = {path: file for path, file in files.items() if file.language == language}
        if mine:
            made[language] = names(mine, configs)
    return made
