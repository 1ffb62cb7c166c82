"""What Python's annotations say about values."""

from __future__ import annotations

from sbfs.linking.python_names import TYPES
from sbfs.linking.rules import Hint
from sbfs.linking.solver import Solver
from sbfs.linking.values import GUESSED, KEYS, REST, at_least

SAME = frozenset(
    {
        "Optional",
        "Union",
        "Annotated",
        "ClassVar",
        "Final",
        "Awaitable",
        "InitVar",
        "Required",
        "NotRequired",
        "ReadOnly",
        "Self",
    }
)
"""Names whose first argument is the type."""
MANY = frozenset(
    [
        "list",
        "List",
        "set",
        "Set",
        "frozenset",
        "FrozenSet",
        "tuple",
        "Tuple",
        "deque",
        "Deque",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
        "Collection",
        "Container",
        "AbstractSet",
        "MutableSet",
        "Generator",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "KeysView",
        "ValuesView",
        "Reversible",
    ]
)
MAPPINGS = frozenset(
    [
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "DefaultDict",
        "defaultdict",
        "OrderedDict",
        "ChainMap",
        "Counter",
        "MappingProxyType",
        "WeakValueDictionary",
    ]
)
CLASSES = frozenset({"type", "Type"})


def hinted(solver: Solver, value: int, hint: Hint, target: int, *, is_protocol: bool = False) -> None:
    """Let target hold an instance of what an annotation names; there is none of a protocol itself."""
    index, kind = value >> 2, solver.values.kind[value >> 2]
    if kind == "class":
        if is_protocol:
            return
        solver.add(target, at_least(solver.values.value("instance", index), GUESSED))
    elif kind == "text" and solver.values.what[index][0]:
        return
    elif kind == "external":
        _outside(solver, solver.values.what[index][0], hint, target)


def _outside(solver: Solver, dotted: str, hint: Hint, target: int) -> None:
    last = dotted.rpartition(".")[2]
    if last in SAME:
        for parts in hint.parts:
            _tell(solver, parts, target)
    elif last in MANY:
        sort = {"Set": "set", "FrozenSet": "set", "Tuple": "tuple"}.get(last, last if last in TYPES else "list")
        index = solver.values.index("container", sort, (*hint.place, "hint"))
        solver.add(target, index * 4 + GUESSED)
        if sort == "tuple" and len(hint.parts) > 1:
            for place, parts in enumerate(hint.parts):
                _tell(solver, parts, solver.field(index, f"[{place}"))
        else:
            for parts in hint.parts[:1]:
                _tell(solver, parts, solver.field(index, REST))
    elif last in MAPPINGS:
        index = solver.values.index("container", "dict", (*hint.place, "hint"))
        solver.add(target, index * 4 + GUESSED)
        for parts, name in zip(hint.parts, (KEYS, REST), strict=False):
            _tell(solver, parts, solver.field(index, name))
    elif last in CLASSES:
        for parts in hint.parts:
            for one in parts:
                if one.variable >= 0:
                    solver.copy(one.variable, target, GUESSED)
    elif dotted.startswith("<builtin>.") and last in TYPES:
        solver.add(target, solver.values.value("literal", last, level=GUESSED))
    elif last[:1].isupper() and last not in ("Any", "Callable", "TypeVar", "Protocol", "Literal", "NoReturn", "None"):
        solver.add(target, solver.values.value("made", dotted, level=GUESSED))


def _tell(solver: Solver, parts: list[Hint], target: int) -> None:
    for one in parts:
        one.tell(solver, target)
