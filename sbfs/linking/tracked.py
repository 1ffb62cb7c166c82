"""A solver that keeps why it holds what it holds, so that part of it can be taken back.

**Nouns.** A *reaction* is one rule's answer to one value; its *deeds* are what it added: values, copies, rules, notes.
What a file says by itself and what a seed plants are reactions, too, and so is what is shared (`Solver.shared`), whose
deeds stand as long as anybody asks for it. Reactions and deeds are numbered; arrays hold them, since there are
millions.

A value in a set is held up by every deed that adds it, and every copy into the variable whose source holds it. Its
label is one more than the smallest, over these, of the greatest label of what that one needs (see `solver`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sbfs.linking.python_seeds import class_attributes
from sbfs.linking.rules import Load, Store
from sbfs.linking.solver import GUESSING, MOST, MOST_OWN, OWN, ROUND, Solver
from sbfs.linking.values import EXACT

if TYPE_CHECKING:
    from sbfs.linking.repair import Repair
    from sbfs.linking.rules import Call, Keyed, Place, Rule
    from sbfs.linking.seeds import Seed
    from sbfs.linking.tables import File, Function, Project

ADD, COPY, WATCH, ASK, ELEMENTS, INVOKE, IMPLY, CALL, NOTE = range(9)
"""Sorts of deeds. The first four are found by their variable."""
BY_VARIABLE = ASK
WORN = 2
"""Times as many deeds as there were after solving: then those that were taken back take up too much."""
NEVER = 1 << 30
"""The label of what does not come about."""
LEAST_DEEDS = 100_000
"""And these more: of a small project it takes many changes until that matters."""
NOBODY = -1


class Ranges:
    """Numbers 0, 1, … grouped by a key that each has: arrays for those that are there at first, lists for the rest."""

    def __init__(self, keys: array[int], count: int):
        import numpy as np

        known = np.frombuffer(keys, dtype=np.int32)
        self._order = np.argsort(known, kind="stable").astype(np.int32)
        self._starts = np.searchsorted(known[self._order], np.arange(count + 1), side="left")
        self._count = count
        self._more: dict[int, list[int]] = {}

    def add(self, key: int, number: int) -> None:
        """One more, with a number beyond all others."""
        self._more.setdefault(key, []).append(number)

    def of(self, key: int) -> list[int]:
        """All of a key, in their order."""
        more = self._more.get(key)
        if key >= self._count:
            return more or []
        found: list[int] = self._order[self._starts[key] : self._starts[key + 1]].tolist()
        return found + more if more else found


class Tracked(Solver):
    """A solver that keeps its reactions and deeds.

    By reaction: rules (the rule, seed or watcher; None for a file), watched (its variable, or NOBODY), answered (the
    value), labels, alive, first (its first deed). By deed: sorts, targets (the variable), whats (a value; source * 4 +
    level of a copy; a number in `things` otherwise), causes (its reaction).
    """

    def __init__(self, project: Project):
        super().__init__(project)
        self.rules_of: list[Any] = []
        self.watched, self.answered, self.labels = array("i"), array("i"), array("i")
        self.first, self.alive = array("i"), bytearray()
        self.sorts, self.targets, self.whats, self.causes = bytearray(), array("i"), array("i"), array("i")
        self.things: list[Any] = []
        self.extra: dict[int, list[int]] = {}
        self.origins: dict[tuple[str, str], list[int]] = {}
        self.planted: dict[Seed, int] = {}
        self.seeds_at: dict[int, list[Seed]] = {}
        self.seeds_about: dict[str, list[Seed]] = {}
        self.seeds_of: dict[tuple[str, str], list[Seed]] = {}
        self.asked: dict[int, int] = {}
        self.shares: dict[int, Rule] = {}
        self.told: dict[Keyed, list[int]] = {}
        self.told_at: dict[Keyed, int] = {}
        self.refused: dict[int, dict[int, int]] = {}
        self.inside: Ranges | None = None
        self._solved = 0
        self.answers: Ranges | None = None
        self.invoking: Ranges | None = None
        self.importers: dict[str, set[str]] = {}
        self.implying: dict[tuple[str, int, str, str, str, str], list[int]] = {}
        self.implied_in: dict[str, dict[tuple[str, int, str, str, str, str], None]] = {}
        self.notes: dict[tuple[int, Any], list[int]] = {}
        self.calls_by: dict[str, dict[Call, None]] = {}
        self.readers: dict[int, str | set[str]] = {}
        self.holders: Counter[int] = Counter()
        self.keeping: set[int] = set()
        self.opened: set[int] = set()
        self.named: dict[str, list[Any]] = {}
        self.members: dict[str, list[int]] = {}
        self.cause = NOBODY
        self.repair: Repair | None = None

    # -- reactions

    def begin(self, rule: Any, variable: int, value: int, label: int) -> int:
        """A reaction begins; deeds are its own from here on."""
        self.cause = cause = len(self.rules_of)
        self.rules_of.append(rule)
        self.watched.append(variable)
        self.answered.append(value)
        self.labels.append(label)
        self.first.append(len(self.sorts))
        self.alive.append(1)
        if self.answers is not None and variable >= 0:
            self.answers.add(variable, cause)
        return cause

    def react(self, rule: Rule, variable: int, value: int) -> None:
        """Begin a reaction, and let the rule answer."""
        if value == NOBODY:
            self.asked[variable] = self.begin(rule, NOBODY, NOBODY, self.now)
        else:
            self.begin(rule, variable, value, self.now)
        rule.react(self, value)

    def tell(self, watcher: Keyed, name: str) -> None:
        """Begin a reaction to an element variable."""
        self.told.setdefault(watcher, []).append(self.begin(watcher, NOBODY, NOBODY, self.told_at[watcher]))
        watcher.field(self, name)

    def originate(self, path: str, symbol: str) -> None:
        """Begin what a symbol says."""
        self.origins.setdefault((path, symbol), []).append(self.begin(None, NOBODY, NOBODY, self.now))

    def sow(self, seeds: list[Seed]) -> None:
        """Let seeds act, and keep them."""
        self.keep_seeds(seeds)
        super().sow(seeds)

    def keep_seeds(self, seeds: Iterable[Seed]) -> None:
        """Find seeds by what they ask, and by the file that they belong to."""
        for seed in seeds:
            for variable in seed.asks():
                self.seeds_at.setdefault(variable, []).append(seed)
            for about in seed.about():
                self.seeds_about.setdefault(about, []).append(seed)
            self.seeds_of.setdefault(seed.place, []).append(seed)

    def drop_seed(self, seed: Seed) -> None:
        """There is no such seed any more."""
        for variable in seed.asks():
            self.seeds_at[variable].remove(seed)
        for about in seed.about():
            self.seeds_about[about].remove(seed)

    def plant(self, seed: Seed) -> None:
        """Begin what a seed guesses."""
        self.planted[seed] = self.begin(seed, NOBODY, NOBODY, GUESSING)
        seed.act(self)

    # -- deeds

    def _did(self, sort: int, target: int, what: int) -> None:
        number = len(self.sorts)
        self.sorts.append(sort)
        self.targets.append(target)
        self.whats.append(what)
        self.causes.append(self.cause)
        if self.inside is not None and target >= 0:
            self.inside.add(target, number)

    def _thing(self, thing: Any) -> int:
        self.things.append(thing)
        return len(self.things) - 1

    def add(self, variable: int, value: int) -> None:
        """A value reaches a variable."""
        self._did(ADD, variable, value)
        if self.repair is None:
            super().add(variable, value)
        else:
            self.repair.added(variable, value)

    def copy(self, source: int, target: int, level: int = EXACT) -> None:
        """All that reaches source reaches target too."""
        if source == target:
            return
        self._did(COPY, target, source * 4 + level)
        if self.repair is None:
            super().copy(source, target, level)
        else:
            self.repair.copied(source, target, level)

    def watch(self, variable: int, rule: Rule) -> None:
        """A rule answers each value of a variable."""
        self._did(WATCH, variable, self._thing(rule))
        if type(rule) is Load or type(rule) is Store:
            self.named.setdefault(rule.name, []).append(rule)
        if self.repair is None:
            super().watch(variable, rule)
        else:
            self.repair.watching(variable, rule)

    def watch_elements(self, index: int, watcher: Keyed) -> None:
        """Tell a watcher of each element variable of a container."""
        self._did(ELEMENTS, NOBODY, self._thing((index, watcher)))
        self.told_at[watcher] = self.labels[self.cause]
        super().watch_elements(index, watcher)

    def shared(self, key: tuple[Any, ...], rule: Rule, variable: int = -1) -> int:
        """The variable of a key, with what its rule adds as long as anybody asks."""
        known = key in self._shared
        found = super().shared(key, rule, variable)
        if rule is not self.rules_of[self.cause]:
            self._did(ASK, found, 0)
            if not known:
                self.shares[found] = rule
                self.members.setdefault(getattr(rule, "name", ""), []).append(found)
            elif self.repair is not None:
                self.repair.asked(found)
        return found

    def _gathered(self, index: int, element: int) -> None:
        """A container that somebody asks for all elements of has one more."""
        found = self._shared.get((index,))
        cause = self.asked.get(found, NOBODY) if found is not None else NOBODY
        if found is None or cause < 0 or not self.alive[cause]:
            return
        own, self.cause = self.cause, cause
        self.extra.setdefault(cause, []).append(len(self.sorts))
        self.copy(element, found)
        self.cause = own

    def invoke(self, index: int, call: Call, level: int, *, first: int = -1, this: int = -1) -> None:
        """Bind a call to a function of the project."""
        self._depends(index)
        super().invoke(index, call, level, first=first, this=this)

    def function(self, index: int) -> Function | None:
        """A function of the project, for a reaction that depends on what it takes."""
        self._depends(index)
        return super().function(index)

    def _depends(self, index: int) -> None:
        self._did(INVOKE, NOBODY, index)
        if self.invoking is not None:
            self.invoking.add(index, len(self.sorts) - 1)

    def imply(self, place: Place, target: str, flag: str, level: int) -> None:
        """A call that is not written."""
        key = (place.unit.source, place.site, place.unit.file.path, place.unit.name, target, flag)
        self._did(IMPLY, NOBODY, self._thing((key, level)))
        super().imply(place, target, flag, level)
        if self.repair is not None:
            self._index(len(self.sorts) - 1)
            self.repair.read(place.unit.file.path)

    def called(self, call: Call) -> None:
        """There is a call."""
        self._did(CALL, NOBODY, self._thing(call))
        super().called(call)
        if self.repair is not None:
            self._read(call)
            self.repair.read(call.unit.file.path)

    def note(self, notes: set[Any], what: Any) -> None:
        """Note something that seeds ask for."""
        self._did(NOTE, NOBODY, self._thing((notes, what)))
        super().note(notes, what)
        if self.repair is not None:
            self.repair.noting((id(notes), what))
            self._index(len(self.sorts) - 1)

    def _refuse(self, gate: int, values: list[int]) -> None:
        """Keep what a gate does not let through, and when."""
        refused = self.refused.setdefault(gate, {})
        for value in values:
            refused.setdefault(value, self._next)

    # -- what holds what up

    def ready(self) -> None:
        """Make what finds deeds and reactions by variable, if it is not there."""
        if self.inside is not None:
            return
        import numpy as np

        self._solved = len(self.sorts)
        self.inside = Ranges(self.targets, self._made)
        self.answers = Ranges(self.watched, self._made)
        self.lost_for_good = self.lost()
        sorts, whats = np.frombuffer(self.sorts, dtype=np.uint8), np.frombuffer(self.whats, dtype=np.int32)
        invoking = array("i", (np.where(sorts == INVOKE, whats, -1)).astype(np.int32).tobytes())
        self.invoking = Ranges(invoking, len(self.values.kind))
        for deed in np.flatnonzero((sorts == IMPLY) | (sorts == NOTE)).tolist():
            self._index(deed)
        for call in self.calls:
            self._read(call)
        self.holders = self._count_holders()
        for file in self.project.files.values():
            self.imports(file)

    def _index(self, deed: int) -> None:
        """Find a note, or a call that is not written, by what it says."""
        said = self.things[self.whats[deed]]
        if self.sorts[deed] == IMPLY:
            self.implying.setdefault(said[0], []).append(deed)
            self.implied_in.setdefault(said[0][2], {})[said[0]] = None
        else:
            self.notes.setdefault((id(said[0]), said[1]), []).append(deed)

    def _read(self, call: Call) -> None:
        """Find a call by its file, and by what the reading of it looks at."""
        path = call.unit.file.path
        self.calls_by.setdefault(path, {})[call] = None
        for variable in (call.callee, call.base):
            if variable >= 0:
                paths = self.readers.get(variable)
                if paths is None or paths == path:
                    self.readers[variable] = path
                elif isinstance(paths, str):
                    self.readers[variable] = {paths, path}
                else:
                    paths.add(path)

    def _count_holders(self) -> Counter[int]:
        """Class → how many gates and attributes hold it, or were offered it, by flow alone."""
        kinds, found = self.values.kind, Counter[int]()
        self.keeping = {*class_attributes(self.project.files.values())}
        holding = [
            held
            for variable, held in enumerate(self.sets)
            if held and (self._gates[variable] or variable in self.keeping)
        ]
        for held in (*holding, *self.refused.values()):
            found.update(
                value >> 2 for value, label in held.items() if label < GUESSING and kinds[value >> 2] == "class"
            )
        return found

    def deeds(self, cause: int) -> Iterator[int]:
        """What a reaction did."""
        last = self.first[cause + 1] if cause + 1 < len(self.first) else len(self.sorts)
        causes = self.causes
        for deed in range(self.first[cause], last):
            if causes[deed] == cause:
                yield deed
        yield from self.extra.get(cause, ())

    def into(self, variable: int, sort: int) -> list[int]:
        """The deeds of a sort for a variable that stand."""
        assert self.inside is not None
        sorts, causes, alive = self.sorts, self.causes, self.alive
        return [deed for deed in self.inside.of(variable) if sorts[deed] == sort and alive[causes[deed]]]

    def reactions(self, variable: int, value: int) -> list[int]:
        """The reactions to a value of a variable that stand."""
        assert self.answers is not None
        answered, alive = self.answered, self.alive
        return [cause for cause in self.answers.of(variable) if answered[cause] == value and alive[cause]]

    def arrival(self, variable: int, value: int) -> int:
        """The smallest label with which a value gets to a variable, before any gate; NEVER if nothing holds it up."""
        assert self.inside is not None
        sorts, causes, alive, whats, labels = self.sorts, self.causes, self.alive, self.whats, self.labels
        level, least = value & 3, NEVER
        for deed in self.inside.of(variable):
            cause = causes[deed]
            if not alive[cause]:
                continue
            label = labels[cause]
            if label + 1 >= least:
                continue
            if sorts[deed] == ADD:
                if whats[deed] != value:
                    continue
            elif sorts[deed] == COPY:
                held = self.sets[whats[deed] >> 2]
                least_level = whats[deed] & 3
                if not held or level < least_level:
                    continue
                found = held.get(value, NEVER)
                if level == least_level:
                    for surer in range(value & ~3, value):
                        found = min(found, held.get(surer, NEVER))
                label = max(label, found)
            else:
                continue
            if label + 1 < least:
                least = label + 1
        return least

    def gate_label(self, variable: int, arrival: int) -> int:
        """The label that a value gets which arrives so."""
        return (arrival // ROUND + 1) * ROUND if self._gates[variable] and arrival < NEVER else arrival

    # -- for repairs

    def is_worn(self) -> bool:
        """Whether what was taken back takes up so much that it is time to solve anew."""
        return len(self.sorts) > WORN * self._solved + LEAST_DEEDS

    def is_gate(self, variable: int) -> bool:
        """Whether a variable is a gate."""
        return bool(self._gates[variable])

    def shut_at(self, variable: int, own: bool) -> int:
        """The label with which a gate let nothing of a sort in any more, NEVER if it is not shut."""
        return self._shut.get(variable * 2 + own, NEVER)

    def shut(self, variable: int, own: bool, label: int) -> None:
        """A gate lets nothing of a sort in from a label on; NEVER: it always does."""
        if label < NEVER:
            self._shut[variable * 2 + own] = label
            self.closed.add(variable)
        else:
            self._shut.pop(variable * 2 + own, None)
            if variable * 2 not in self._shut and variable * 2 + 1 not in self._shut:
                self.closed.discard(variable)
                self.opened.add(variable)

    def coming(self, variable: int, own: bool) -> dict[int, int]:
        """All of a sort that comes to a gate, whether it is in or not, with the label that it has or would have."""
        kinds = self.values.kind
        everything = {**self.refused.get(variable, {}), **self.sets[variable]}
        return {value: label for value, label in everything.items() if (kinds[value >> 2] in OWN) == own}

    def is_full(self, variable: int, value: int, own: bool) -> bool:
        """Whether one more value is more than a gate lets through."""
        kinds = self.values.kind
        same = {one >> 2 for one in self.sets[variable] if (kinds[one >> 2] in OWN) == own}
        return len(same | {value >> 2}) > (MOST_OWN if own else MOST)

    def next_later(self) -> tuple[Any, int, Any] | None:
        """What a reaction left for later."""
        return self._later.popleft() if self._later else None

    def rest(self) -> None:
        """All is at rest; how values flow is still of interest."""
        self.lost_for_good = self.lost()

    def calls_in(self, path: str) -> Iterable[Call]:
        """The calls that stand in a file."""
        if self.inside is None:
            return super().calls_in(path)
        return tuple(self.calls_by.get(path, ()))

    def implied_calls(self, path: str) -> list[tuple[tuple[str, int, str, str, str, str], int]]:
        """The calls in a file that are not written, with their levels."""
        if self.inside is None:
            return [*super().implied_calls(path)]
        keys = self.implied_in.get(path, ())
        return [(key, self.implied[key]) for key in keys if key in self.implied]

    def lose(self, variables: Iterable[int], sources: Iterable[int]) -> set[int]:
        """Find out what is lost, where it may be something else: variables have other sets, or other copies are made of
        sources. Returns what is lost now and was not, or the other way round."""
        before = self.lost_for_good
        again = bool(self.opened) or not self.closed <= before or not before.isdisjoint(sources)
        self.opened.clear()
        if not again:
            again = any(
                (variable in before) == bool(self.sets[variable]) and (variable in before or self._is_fed(variable))
                for variable in variables
            )
        if again:
            self.lost_for_good = self.lost()
        return before ^ self.lost_for_good

    def _is_fed(self, variable: int) -> bool:
        """Whether something lost is copied into a variable."""
        return any(self.whats[deed] >> 2 in self.lost_for_good for deed in self.into(variable, COPY))

    def readers_of(self, variables: Iterable[int]) -> set[str]:
        """The files whose links depend on what variables hold."""
        found: set[str] = set()
        for variable in variables:
            paths = self.readers.get(variable, ())
            found.update((paths,) if isinstance(paths, str) else paths)
        return found

    def is_asked(self, policy: Any, name: str, but: set[str]) -> bool:
        """Whether files but those may ask for a name, or something asks for it that is not written."""
        if name.startswith("__") or any(name.startswith(text) for text in getattr(policy, "beginnings", ())):
            return True
        if any(rule.unit.file.path not in but for rule in self.named.get(name, ())):
            return True
        return any(path not in but for path in self.importers.get(name, ()))

    def imports(self, file: File) -> None:
        """Find a file by the names that it takes from others, by import or because it does not define them itself."""
        names = {pair[0] for one in file.facts.imports for pair in one.names}
        if file.stars:
            names.update(key[1:] for key in file.variables if key[0] == ":")
        for name in names:
            self.importers.setdefault(name, set()).add(file.path)

    def is_noted(self, key: tuple[int, Any]) -> bool:
        """Whether a note is made by flow alone."""
        causes, alive, labels = self.causes, self.alive, self.labels
        found = (causes[deed] for deed in self.notes.get(key, ()))
        return any(alive[cause] and labels[cause] < GUESSING for cause in found)

    def noting_sets(self) -> list[set[Any]]:
        """The sets in which classes of which instances are made are noted."""
        return [notes for policy in self.project.in_use if (notes := getattr(policy, "instantiated", None)) is not None]

    def implied_levels(self, key: tuple[str, int, str, str, str, str]) -> list[int]:
        """The levels of a call that is not written, by all that say so."""
        standing = [deed for deed in self.implying.get(key, ()) if self.alive[self.causes[deed]]]
        return [self.things[self.whats[deed]][1] for deed in standing]

    def invokers(self, index: int) -> list[int]:
        """The reactions that call a function."""
        assert self.invoking is not None
        causes = (self.causes[deed] for deed in self.invoking.of(index))
        return [cause for cause in causes if self.alive[cause]]

    def forget(self, index: int, watcher: Keyed) -> None:
        """A watcher of a container's elements is there no more."""
        kept = [one for one in self._element_watchers.get(index, ()) if one is not watcher]
        self._element_watchers[index] = kept
