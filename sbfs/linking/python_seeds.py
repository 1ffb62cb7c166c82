"""Where flow says nothing: the receivers that Python methods can have, what families hold, what annotations say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.python_classes import Key, is_class
from sbfs.linking.python_names import BUILTINS
from sbfs.linking.python_rules import Family
from sbfs.linking.values import GUESSED

if TYPE_CHECKING:
    from sbfs.linking.python import Python
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File, Function


def seed(policy: Python, solver: Solver) -> None:
    """Give methods that nobody calls the receivers they can have, and attributes what their families and
    annotations say."""
    empty = [
        (function.file, function)
        for function in solver.functions.values()
        if function.file.policy is policy
        and function.symbol.type == "method"
        and function.positional
        and not solver.sets[function.positional[0]]
    ]
    instantiated = frozenset(policy.instantiated)
    for key in _hidden(policy, solver):
        _seed_hidden(policy, solver, key)
    for file, function in empty:
        _seed_receiver(policy, solver, file, function, instantiated)
    hinted = (key for file in policy.modules.files.values() for key in file.variables if key[-1] == "!")
    told = {key.rpartition(":")[2][:-1] for key in hinted} | policy.stored
    families = [
        load
        for load in solver.loads
        if load.name in told and load.unit.file.policy is policy and solver.is_blank(load.target)
    ]
    for load in families:
        solver.watch(load.base, Family(policy, load))
    for file in policy.modules.files.values():
        for name in [text[1:] for text in file.defined if text[0] == ":" and text[1:] in BUILTINS]:
            variable = solver.variable(file, f":{name}")
            if not solver.sets[variable]:
                solver.add(variable, solver.values.value("external", f"<builtin>.{name}", level=GUESSED))
    for call in list(solver.calls):
        if call.decorates and call.output >= 0 and not solver.sets[call.output] and call.unit.file.policy is policy:
            solver.copy(call.arguments[0][0], call.output, GUESSED)


def _hidden(policy: Python, solver: Solver) -> list[Key]:
    """Classes that are handed on or kept as values while no instance of them is seen to be made: others may."""
    what, kinds = solver.values.what, solver.values.kind
    found = set(solver.kept_classes)
    for file in policy.modules.files.values():
        for text in file.defined:
            owner, _, name = text.partition(":")
            variable = file.variables.get(text, -1) if owner else -1
            if (
                variable >= 0
                and solver.sets[variable]
                and is_class(file, owner)
                and f"{owner}.{name}" not in file.symbols
            ):
                found.update(value >> 2 for value in solver.sets[variable] if kinds[value >> 2] == "class")
    keys: list[Key] = [(what[index][0], what[index][1]) for index in found]
    return sorted(key for key in keys if key not in policy.instantiated and key[0] in policy.modules.files)


def _seed_hidden(policy: Python, solver: Solver, key: Key) -> None:
    index = solver.values.index("class", *key)
    value = policy.instance(solver, key) * 4 + GUESSED
    order = policy.classes.order(key)
    for place, one in enumerate(order):
        file = policy.modules.files.get(one[0])
        if file is None or policy.classes.is_wide(one):
            continue
        for name, function in file.functions.items():
            owner, _, last = name.rpartition(".")
            if owner != one[1] or function.symbol.type != "method" or not function.positional:
                continue
            if "static" in function.symbol.flags or last == "__new__":
                continue
            if policy.classes.definer(order[:place], last) is None:
                solver.add(
                    function.positional[0], index * 4 + GUESSED if "classmethod" in function.symbol.flags else value
                )


def _seed_receiver(
    policy: Python, solver: Solver, file: File, function: Function, instantiated: frozenset[Key]
) -> None:
    flags, name = function.symbol.flags, function.symbol.name
    owner, _, last = name.rpartition(".")
    last = last.partition("#")[0]
    if "static" in flags or not is_class(file, owner):
        return
    key = (file.path, owner)
    heirs = [key]
    if not policy.classes.is_wide(key):
        heirs += [
            one
            for one in policy.classes.descendants(key)
            if policy.classes.definer(policy.classes.order(one), last) == key
        ]
    live = [one for one in heirs if one in instantiated]
    if not live:
        below = [one for one in heirs if not instantiated & policy.classes.descendants(one)]
        live = below or [key]
    for one in sorted(live):
        if "classmethod" in flags or last in ("__new__", "__init_subclass__", "__class_getitem__"):
            index = solver.values.index("class", *one)
        elif policy.classes.is_wide(one):
            index = policy.family(solver, one)
        else:
            index = policy.instance(solver, one)
        solver.add(function.positional[0], index * 4 + GUESSED)
