"""Value flow: which values reach which variables, as the least fixpoint of rules that only ever add.

**Nouns.** A *variable* is a number; its set holds values (see `values`). A *rule* watches a variable and answers
each value that reaches it, once, by adding values, copies between variables, and further rules. A *policy* is what
one language says about values. Because a rule's answer depends on nothing but the rule, the value and the tables
that are made from facts beforehand (never on a set), the outcome depends on no order, and an answer can be taken
back by asking for it again.

**Labels.** What a set holds has a label: the step at which it got there, counted in generations within rounds. All that
follows from generation n gets there in generation n + 1, so labels depend on no order either, and each is one more than
the greatest of what the value was derived from. `repair` lives on that.

**Gates.** Where many flows meet (parameters, what functions return, attributes, elements of containers) a variable is a
gate: what reaches it waits until all else is at rest, and is let through only if the gate then holds no more
than `MOST` things and `MOST_OWN` bound methods and instances. So no set runs away, and which values a
full gate has depends on no order.

Three steps: flows alone; then, where a set is still empty, what each policy `seeds` there (at level GUESSED); then
reading who calls what, from the sets of the calls' callees.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from sbfs.linking.binding import bind
from sbfs.linking.values import ANY, EXACT, KEYS, Values

if TYPE_CHECKING:
    from sbfs.linking.flows import Scope
    from sbfs.linking.rules import Base, Call, Hint, Keyed, Load, Place, Rule, Store
    from sbfs.linking.seeds import Grounds, Seed
    from sbfs.linking.tables import File, Function, Project

CHUNK = 4096
"""Variables for which room is made at once."""
FEW = 12
"""Copies of a variable up to which a list is searched for doubles."""
NOTHING: dict[int, int] = {}
"""The set of every variable that holds nothing. Never written to."""
MOST = 16
"""Things (functions, classes, containers, …) that a gate lets through; one that would hold more is closed to them, and
the links say so. Plain functions that one field gathers from many places are mostly meant for different callers."""
MOST_OWN = 40
"""The same for bound methods, instances and modules: the states of a parser, lists of parts that answer to one
method, tables of modules."""
OWN = frozenset({"bound", "instance", "module"})
"""Kinds of which more are let through."""
ROUNDS = 40
"""Gates that a value may pass on its way. Nothing is known of what would come after."""
ROUND = 1 << 20
"""Labels of one round: of what passes a gate, a whole multiple."""
GUESSING = ROUNDS * ROUND
"""The label of what is seeded. All that flow alone tells has a smaller one."""


class Policy(Protocol):
    """What one language says. All methods but `prepare`, `seeds` and `targets` answer by calling the solver's
    `add`, `copy`, `watch`, `imply` and `invoke`; they must not read sets. `place` tells where the code stands: its
    file, its source symbol, its site."""

    languages: tuple[str, ...]
    everything: str
    """Variable of a function that holds the list of all its positional arguments (`arguments`), or ""."""

    implies_definitions: bool
    """A function that no flow mentions is assigned to its own name, in the scope around it."""

    def prepare(self, project: Project) -> None:
        """Make the tables of this language from the facts of all files: modules, classes, orders of look-up."""

    def imported(self, solver: Solver, place: Place, spec: str, level: int, name: str, target: int) -> None:
        """Let what an import gives flow into target. name as in the form `module` of the flows."""

    def free(self, solver: Solver, file: File, name: str, target: int) -> None:
        """Let a name that its module does not define (from a star import, a builtin) flow into target."""

    def load(self, solver: Solver, value: int, load: Load) -> None:
        """`load.target` gets the attribute `load.name` of a value. `load.called` says that it is a callee (where a
        language binds by that)."""

    def store(self, solver: Solver, value: int, store: Store) -> None:
        """What `store.source` holds becomes the attribute `store.name` of a value."""

    def call(self, solver: Solver, value: int, call: Call) -> None:
        """A value is called: bind arguments and result, with `solver.invoke` for functions of the project."""

    def imports(self, file: File) -> Iterable[tuple[str, int, str, tuple[str, ...]]]:
        """(target, line, owner, flags): the files and things outside (`ext::<dotted>`) that a file's symbols
        import."""

    def extends(self, file: File) -> Iterable[tuple[str, str, tuple[str, ...]]]:
        """(class, target, flags): the bases of a file's classes, as ids."""

    def is_open(self, solver: Solver, index: int) -> bool:
        """Whether an attribute of a value may come from a base that is not known."""

    def targets(self, solver: Solver, value: int, call: Call) -> Iterable[str]:
        """Ids of what calling a value calls: `<path>::<name>`, `ext::<dotted>`. Empty for what is no target (a
        class without constructor)."""

    def item(self, solver: Solver, value: int, key: str | int | None, target: int, place: Place) -> None:
        """`target` gets an element of a value that is no plain container."""

    def set_item(self, solver: Solver, value: int, key: str | int | None, source: int, place: Place) -> None:
        """An element of a value that is no plain container is set."""

    def element(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """`target` gets what iterating gives, of a value that is no plain container."""

    def enter(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """`target` gets what entering a context gives."""

    def awaited(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """`target` gets what waiting for a value gives."""

    def base(self, solver: Solver, value: int, base: Base) -> None:
        """A value turns out to be a base of the class with index `base.index` (or its metaclass and the like, by
        `base.place`)."""

    def hinted(self, solver: Solver, value: int, hint: Hint, target: int) -> None:
        """An annotation names a value as a type: let target hold an instance, at level GUESSED; `hint.parts` are
        its arguments."""

    def statement(self, scope: Scope, statement: list[Any]) -> None:
        """A statement that only this language writes (`include`, `export`)."""

    def special(self, scope: Scope, expression: list[Any]) -> int:
        """The variable of a form that only this language writes (`rules` knows the common ones), -1 for none.
        `scope.value(E)` gives the variable of a part, `scope.call(E, wanted=True)` compiles a call."""

    def seeds(self, solver: Solver, grounds: Grounds) -> Iterable[Seed]:
        """What may be guessed, at level GUESSED, where flow alone leaves sets empty: receivers of methods that nobody
        calls and other evidence. Annotations and defaults are told by `seeds` itself."""


class Gather:
    """All elements of a container, as one variable."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index

    def react(self, solver: Solver, _value: int) -> None:
        """Copy each that there is; those to come are copied as they come."""
        solver.gather(self.index)


class Solver:
    """Variables, their sets, and the rules between them."""

    def __init__(self, project: Project):
        self.project = project
        self.values = Values()
        self.sets: list[dict[int, int]] = []
        self.outs: list[list[int] | None] = []
        self.rules: list[list[Rule] | None] = []
        self.fields: dict[tuple[int, str], int] = {}
        self.lengths: dict[int, int] = {}
        self.held: dict[int, Call] = {}
        self.functions: dict[int, Function] = {}
        self.calls: list[Call] = []
        self.loads: list[Load] = []
        self.hints: list[tuple[int, list[Hint]]] = []
        self.literals: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.implied: dict[tuple[str, int, str, str, str, str], int] = {}
        self.closed: set[int] = set()
        self.lost_for_good: set[int] = set()
        self.kept_classes: set[int] = set()
        self._shared: dict[tuple[Any, ...], int] = {}
        self._shut: dict[int, int] = {}
        self._elements: dict[int, list[str]] = {}
        self._element_watchers: dict[int, list[Keyed]] = {}
        self._gates = bytearray()
        self._made = 0
        self._wide: dict[int, set[int]] = {}
        self._waiting: dict[int, dict[int, None]] = {}
        self._new: list[list[int] | None] = []
        self._work: list[int] = []
        self._later: deque[tuple[Rule | Keyed, int, Any]] = deque()
        self._calls_in: dict[str, list[Call]] | None = None
        self._implied_in: dict[str, list[tuple[tuple[str, int, str, str, str, str], int]]] | None = None
        self.now = 0
        self._next = 1

    # -- variables

    def fresh(self, *, gate: bool = False) -> int:
        """A new variable."""
        made = self._made
        if made == len(self.sets):
            self.sets.extend([NOTHING] * CHUNK)
            self.outs.extend([None] * CHUNK)
            self.rules.extend([None] * CHUNK)
            self._new.extend([None] * CHUNK)
            self._gates.extend(bytes(CHUNK))
        self._made = made + 1
        if gate:
            self._gates[made] = 1
        return made

    def gate(self, variable: int) -> int:
        """Make a variable a gate."""
        self._gates[variable] = 1
        return variable

    def field(self, index: int, name: str) -> int:
        """The variable of an attribute of a value (by its index), or of an element: `element(key)` names those."""
        key = (index, name)
        found = self.fields.get(key)
        if found is None:
            found = self.fields[key] = self.fresh(gate=True)
            if name[0] == "[" and name != ANY:
                self._elements.setdefault(index, []).append(name)
                self._later.extend((watcher, -1, name) for watcher in self._element_watchers.get(index, ()))
                if name != KEYS:
                    self._gathered(index, found)
        if name == ANY:
            self.shared((index,), Gather(index), found)
        return found

    def _gathered(self, index: int, element: int) -> None:
        """A container has one more element variable: what it holds is among all elements."""
        if (index,) in self._shared:
            self.copy(element, self.fields[index, ANY])

    def shared(self, key: tuple[Any, ...], rule: Rule, variable: int = -1) -> int:
        """The variable of a key, with what its rule adds for it: once, for all who ask. To be called with the same
        arguments for a key each time."""
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = self.fresh() if variable < 0 else variable
            self._later.append((rule, found, -1))
        return found

    def gather(self, index: int) -> None:
        """Let all elements of a container that are known flow into the variable of all."""
        for name in self._elements.get(index, ()):
            if name != KEYS:
                self.copy(self.fields[index, name], self.fields[index, ANY])

    def variable(self, file: File, key: str) -> int:
        """The variable of a file by its key, `symbol:name`."""
        found = file.variables.get(key)
        if found is None:
            found = file.variables[key] = self.fresh()
        return found

    def watch_elements(self, index: int, watcher: Keyed) -> None:
        """Tell a watcher of each element variable of a container that has a known key, those that are there and
        those to come."""
        self._element_watchers.setdefault(index, []).append(watcher)
        self._later.extend((watcher, -1, name) for name in self._elements.get(index, ()))

    # -- what rules and policies may do

    def is_blank(self, variable: int) -> bool:
        """Whether flow alone tells nothing of a variable, or only what came from outside and may be anything."""
        kinds, what = self.values.kind, self.values.what
        return all(
            kinds[value >> 2] == "other" and what[value >> 2][0] in ("beyond", "returned")
            for value, label in self.sets[variable].items()
            if label < GUESSING
        )

    def is_empty(self, variable: int) -> bool:
        """Whether flow alone tells nothing of a variable."""
        return all(label >= GUESSING for label in self.sets[variable].values())

    def add(self, variable: int, value: int) -> None:
        """A value reaches a variable."""
        held = self.sets[variable]
        if value in held or (value & 3 and (value & ~3) in held):
            return
        if self._gates[variable]:
            self._wait(variable, value)
        else:
            self._admit(variable, value)

    def _wait(self, gate: int, value: int) -> None:
        waiting = self._waiting.get(gate)
        if waiting is None:
            self._waiting[gate] = {value: None}
        else:
            waiting[value] = None

    def _admit(self, variable: int, value: int) -> None:
        held = self.sets[variable]
        if held is NOTHING:
            held = self.sets[variable] = {}
        held[value] = self._next
        new = self._new[variable]
        if new is None:
            self._new[variable] = [value]
            self._work.append(variable)
        else:
            new.append(value)

    def copy(self, source: int, target: int, level: int = EXACT) -> None:
        """All that reaches source reaches target too, no surer than level."""
        if source == target:
            return
        code = target * 4 + level
        outs = self.outs[source]
        if outs is None:
            self.outs[source] = [code]
        elif len(outs) < FEW:
            if code in outs:
                return
            outs.append(code)
        else:
            wide = self._wide.get(source)
            if wide is None:
                wide = self._wide[source] = set(outs)
            if code in wide:
                return
            wide.add(code)
            outs.append(code)
        if self.sets[source] is NOTHING:
            return
        now, gate, held = self.now, self._gates[target], self.sets[target]
        for value, label in self.sets[source].items():
            if label > now:  # what is newer is on its way
                continue
            if value & 3 < level:
                value = (value & ~3) | level
            if value in held or (value & 3 and (value & ~3) in held):
                continue
            if gate:
                self._wait(target, value)
            else:
                self._admit(target, value)
                held = self.sets[target]

    def watch(self, variable: int, rule: Rule) -> None:
        """A rule answers each value of a variable, those that are there and those to come."""
        rules = self.rules[variable]
        if rules is None:
            rules = self.rules[variable] = []
        rules.append(rule)
        if self.sets[variable] is NOTHING:
            return
        now = self.now
        self._later.extend((rule, variable, value) for value, label in self.sets[variable].items() if label <= now)

    def invoke(self, index: int, call: Call, level: int, *, first: int = -1, this: int = -1) -> None:
        """Bind a call to a function of the project, by the index of its value: arguments to parameters, what it
        returns to the result.

        first: a value that comes before the arguments as written. this: the receiver where it is no parameter.
        Values, not indices.
        """
        bind(self, self.functions[index], call, level, first, this)

    def called(self, call: Call) -> None:
        """There is a call, of which the answer will be read."""
        self.calls.append(call)

    def note(self, notes: set[Any], what: Any) -> None:
        """Note something that seeds ask for."""
        notes.add(what)

    def originate(self, path: str, symbol: str) -> None:
        """What is added from here on is what a symbol of a file says (or the file as a whole: `flows.FREE`,
        `flows.IMPLIED`)."""

    def function(self, index: int) -> Function | None:
        """A function of the project, for a reaction that depends on what it takes; None for what is none."""
        return self.functions.get(index)

    def imply(self, place: Place, target: str, flag: str, level: int) -> None:
        """A call that is not written: a property, an iteration. target: an id. flag: of the edge."""
        key = (place.unit.source, place.site, place.unit.file.path, place.unit.name, target, flag)
        self.implied[key] = min(level, self.implied.get(key, level))

    def calls_in(self, path: str) -> Iterable[Call]:
        """The calls in a file."""
        if self._calls_in is None:
            self._calls_in = {}
            for call in self.calls:
                self._calls_in.setdefault(call.unit.file.path, []).append(call)
        return self._calls_in.get(path, ())

    def implied_calls(self, path: str) -> Iterable[tuple[tuple[str, int, str, str, str, str], int]]:
        """The calls in a file that are not written, with their levels."""
        if self._implied_in is None:
            self._implied_in = {}
            for key, level in self.implied.items():
                self._implied_in.setdefault(key[2], []).append((key, level))
        return self._implied_in.get(path, ())

    def rest(self) -> None:
        """Forget how values flow: all is at rest, and only the sets, the values and the calls are still of interest."""
        self.lost_for_good = self.lost()
        self.outs, self.rules, self._new, self._wide = [], [], [], {}
        self.loads, self.hints, self._element_watchers = [], [], {}

    def release(self) -> None:
        """Be of no more use: solvers are full of cycles, and looking for garbage among so much takes seconds."""
        self.__dict__.clear()

    def lost(self) -> set[int]:
        """Closed gates, and the variables that hold nothing because of them."""
        found = set(self.closed)
        work = list(found)
        while work:
            for code in self.outs[work.pop()] or ():
                target = code >> 2
                if target not in found and not self.sets[target]:
                    found.add(target)
                    work.append(target)
        return found

    # -- to the fixpoint

    def solve(self) -> None:
        """Propagate until nothing is new, in rounds: each goes to its own fixpoint, then gates let in what waits."""
        first = self.now // ROUND + 1
        for number in range(first, first + ROUNDS):
            self._round()
            if not self._waiting:
                break
            self._next = number * ROUND
            waiting, self._waiting = self._waiting, {}
            if number == first + ROUNDS - 1:
                self.closed.update(waiting)
                break
            for gate, values in waiting.items():
                self._open(gate, values)

    def sow(self, seeds: list[Seed]) -> None:
        """Ask all seeds whether they are wanted, then let those act that are."""
        wanted = [seed for seed in seeds if seed.wanted(self)]
        self.guessing()
        for seed in wanted:
            self.plant(seed)

    def plant(self, seed: Seed) -> None:
        """Let what is guessed act."""
        seed.act(self)

    def guessing(self) -> None:
        """From here on, what is added is guessed."""
        self.now, self._next = GUESSING, GUESSING + 1

    def _open(self, gate: int, waiting: Iterable[int]) -> None:
        """Let what waits through a gate, unless it would then hold too much of its sort."""
        held, kinds = self.sets[gate], self.values.kind
        sorts: tuple[list[int], list[int]] = ([], [])
        for value in waiting:
            if not (value & 3 and (value & ~3) in held):
                kind = kinds[value >> 2]
                sorts[kind in OWN].append(value)
                if kind == "class":
                    self.kept_classes.add(value >> 2)
        for own, values in enumerate(sorts):
            key = gate * 2 + own
            if not values:
                continue
            if key in self._shut:
                self._refuse(gate, values)
                continue
            most = MOST_OWN if own else MOST
            if len(held) + len(values) > most:
                same = {value >> 2 for value in held if (kinds[value >> 2] in OWN) == bool(own)}
                if len(same.union(value >> 2 for value in values)) > most:
                    self._shut[key] = self._next
                    self.closed.add(gate)
                    self._refuse(gate, values)
                    continue
            for value in values:
                self._admit(gate, value)

    def _refuse(self, gate: int, values: list[int]) -> None:
        """A gate does not let values through."""

    def _round(self) -> None:
        news, outs, rules, sets, later = self._new, self.outs, self.rules, self.sets, self._later
        gates, waits = self._gates, self._waiting
        plain = type(self) is Solver  # a call less, a million times
        self._answer()
        while self._work:
            work, self._work = self._work, []
            generation = [(variable, news[variable] or (), len(rules[variable] or ())) for variable in work]
            for variable in work:
                news[variable] = None
            self.now = self._next
            self._next = label = self.now + 1
            work = self._work
            for variable, fresh, count in generation:
                for code in outs[variable] or ():
                    level, target = code & 3, code >> 2
                    held, new = sets[target], news[target]
                    for value in fresh:
                        if value & 3 < level:
                            value = (value & ~3) | level
                        if value in held or (value & 3 and (value & ~3) in held):
                            continue
                        if gates[target]:
                            if target in waits:
                                waits[target][value] = None
                            else:
                                waits[target] = {value: None}
                            continue
                        if held is NOTHING:
                            held = sets[target] = {}
                        held[value] = label
                        if new is None:
                            new = news[target] = [value]
                            work.append(target)
                        else:
                            new.append(value)
                watching = rules[variable]
                if watching and count:  # who came since then was told already
                    for rule in watching[:count]:
                        for value in fresh:
                            if plain:
                                rule.react(self, value)
                            else:
                                self.react(rule, variable, value)
                if later:
                    self._answer()

    def react(self, rule: Rule, _variable: int, value: int) -> None:
        """Let a rule that watches a variable answer a value."""
        rule.react(self, value)

    def _answer(self) -> None:
        """Let rules answer what was there before they were."""
        later = self._later
        while later:
            rule, variable, value = later.popleft()
            if variable < 0:
                self.tell(rule, value)  # type: ignore[arg-type]
            else:
                self.react(rule, variable, value)  # type: ignore[arg-type]

    def tell(self, watcher: Keyed, name: str) -> None:
        """Let who watches a container answer an element variable, by its name."""
        watcher.field(self, name)
