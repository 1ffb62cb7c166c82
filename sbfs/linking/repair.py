"""Repair: the fixpoint brought along when what some files say changes, without solving the rest again.

Labels say in which order a value's reasons came about, so they tell a reason that holds from one that only leans on
what it is meant to hold up. All that may have another label now, or none, is looked at in the order of labels: by the
time that something is looked at, all that could give it that label is settled. What is held up as before stays, and
nothing behind it is touched; what is not is taken out, along with the reactions to it; what arrives goes in, and is
reacted to. (Ramalingam and Reps, An Incremental Algorithm for a Generalization of the Shortest-Path Problem, 1996.)

Where a repair would have to look further than it can, it gives up, and all is solved again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any, NoReturn

from sbfs.linking.rules import Rule
from sbfs.linking.seeds import Seed
from sbfs.linking.solver import GUESSING, MOST, MOST_OWN, NOTHING, OWN, ROUND, ROUNDS
from sbfs.linking.tracked import (
    ADD,
    ASK,
    CALL,
    COPY,
    ELEMENTS,
    IMPLY,
    NEVER,
    NOTE,
    WATCH,
    Tracked,
)
from sbfs.linking.values import at_least

FACT, GATE, SHARE, RULE = range(4)
"""What is looked at of one label, in this order: values in variables, gates as a whole, what is shared, reactions."""
LAST = (ROUNDS * ROUND, 2 * ROUNDS * ROUND)
"""Labels that nothing gets: gates let nothing in any more."""
MOST_STEPS = 60_000
"""Looks after which solving all again is no slower."""


class GaveUp(Exception):
    """A repair would have to look further than it can. The solver is of no use any more."""


class Repair:
    """One change of a tracked solver. flows: variables of which flow alone says something else now. changed: variables
    whose sets are others. sources: those of which other copies are made. files: those whose links must be read again
    for another reason."""

    def __init__(self, solver: Tracked):
        self.solver = solver
        self.flows: set[int] = set()
        self.changed: set[int] = set()
        self.files: set[str] = set()
        self.sources: set[int] = set()
        self.steps = 0
        self._notes: dict[tuple[int, Any], bool] = {}
        self._kept: dict[int, bool] = {}
        self._heap: list[tuple[int, int, int, int, int]] = []
        self._due: set[tuple[int, int, int, int, int]] = set()

    def give_up(self, why: str) -> NoReturn:
        """Stop."""
        raise GaveUp(why)

    # -- what the solver tells while it is repaired

    def read(self, path: str) -> None:
        """The links of a file are to be read again."""
        self.files.add(path)

    def noting(self, key: tuple[int, Any]) -> None:
        """A note is made, or taken back: whether it stood before is kept."""
        if key not in self._notes:
            self._notes[key] = self.solver.is_noted(key)

    def added(self, variable: int, value: int) -> None:
        """A value is added to a variable by the reaction that is under way."""
        self._arrives(variable, value, self.solver.labels[self.solver.cause] + 1)

    def copied(self, source: int, target: int, level: int) -> None:
        """A copy is made."""
        solver = self.solver
        code = target * 4 + level
        self.sources.add(source)
        outs = solver.outs[source]
        if outs is None:
            solver.outs[source] = [code]
        elif code not in outs:
            outs.append(code)
        label = solver.labels[solver.cause]
        for value, held in list(solver.sets[source].items()):
            self._arrives(target, at_least(value, level), max(label, held) + 1)

    def watching(self, variable: int, rule: Rule) -> None:
        """A rule begins to watch a variable."""
        solver = self.solver
        rules = solver.rules[variable]
        if rules is None:
            rules = solver.rules[variable] = []
        rules.append(rule)
        deed = len(solver.sorts) - 1
        label = solver.labels[solver.cause]
        for value, held in solver.sets[variable].items():
            self._push(max(label, held), RULE, variable, value, deed)

    def asked(self, variable: int) -> None:
        """Somebody asks for what is shared."""
        self._push(self.solver.labels[self.solver.cause], SHARE, variable, 0, 0)

    # -- taking back

    def kill(self, cause: int) -> None:
        """Take a reaction back, with all that it did."""
        solver = self.solver
        if not solver.alive[cause]:
            return
        for deed in solver.deeds(cause):
            if solver.sorts[deed] == NOTE:
                notes, noted = solver.things[solver.whats[deed]]
                self.noting((id(notes), noted))
        solver.alive[cause] = 0
        for deed in solver.deeds(cause):
            sort, target, what = solver.sorts[deed], solver.targets[deed], solver.whats[deed]
            if sort == ADD:
                self._doubt(target, what)
            elif sort == COPY:
                self._cut(what >> 2, target, what & 3)
            elif sort == WATCH:
                self._unwatch(target, solver.things[what])
            elif sort == ASK:
                if (shared := solver.asked.get(target)) is not None:
                    self._push(solver.labels[shared], SHARE, target, 0, 0)
            elif sort == ELEMENTS:
                index, watcher = solver.things[what]
                solver.forget(index, watcher)
                for told in solver.told.pop(watcher, ()):
                    self.kill(told)
            elif sort == IMPLY:
                self._imply(*solver.things[what])
            elif sort == CALL:
                call = solver.things[what]
                solver.calls_by[call.unit.file.path].pop(call, None)
                self.files.add(call.unit.file.path)

    def _doubt(self, variable: int, value: int) -> None:
        """Have a look whether a value is still held up."""
        label = self.solver.sets[variable].get(value)
        if label is None:
            label = self.solver.refused.get(variable, NOTHING).get(value)
        if label is not None:
            self._push(label, FACT, variable, value, 0)

    def _cut(self, source: int, target: int, level: int) -> None:
        solver = self.solver
        same = source * 4 + level
        if not any(solver.whats[deed] == same for deed in solver.into(target, COPY)):
            outs = solver.outs[source]
            if outs is not None and (code := target * 4 + level) in outs:
                outs.remove(code)
                self.sources.add(source)
        for value in solver.sets[source]:
            self._doubt(target, at_least(value, level))

    def _unwatch(self, variable: int, rule: Rule) -> None:
        solver = self.solver
        rules = solver.rules[variable]
        if rules is not None:
            solver.rules[variable] = [one for one in rules if one is not rule]
        assert solver.answers is not None
        for cause in solver.answers.of(variable):
            if solver.alive[cause] and solver.rules_of[cause] is rule:
                self.kill(cause)

    def _imply(self, key: tuple[str, int, str, str, str, str], _level: int) -> None:
        solver = self.solver
        self.files.add(key[2])
        levels = solver.implied_levels(key)
        if levels:
            solver.implied[key] = min(levels)
        else:
            solver.implied.pop(key, None)

    def again(self, index: int) -> None:
        """Let all reactions that call a function do so anew."""
        solver = self.solver
        for cause in solver.invokers(index):
            variable, value, rule = solver.watched[cause], solver.answered[cause], solver.rules_of[cause]
            self.kill(cause)
            for deed in solver.into(variable, WATCH) if variable >= 0 else ():
                if solver.things[solver.whats[deed]] is rule:
                    self._push(0, RULE, variable, value, deed)

    def renew(self, variable: int) -> None:
        """Let what is shared be made anew."""
        cause = self.solver.asked.get(variable)
        if cause is not None:
            self.kill(cause)
        self._push(0, SHARE, variable, 0, 0)

    # -- looking at what may have changed, in the order of labels

    def _push(self, label: int, sort: int, variable: int, value: int, deed: int) -> None:
        item = (label, sort, variable, value, deed)
        if item not in self._due:
            self._due.add(item)
            heapq.heappush(self._heap, item)

    def _arrives(self, variable: int, value: int, arrival: int) -> None:
        label = self.solver.gate_label(variable, arrival)
        held = self.solver.sets[variable].get(value)
        if held is None or label < held:
            self._push(label, FACT, variable, value, 0)

    def run(self, *, before: bool = False) -> None:
        """Look at all that is due; before: what flow alone tells."""
        heap, end = self._heap, GUESSING if before else NEVER
        while heap and heap[0][0] < end:
            item = heapq.heappop(heap)
            self._due.discard(item)
            label, sort, variable, value, deed = item
            self.steps += 1
            if self.steps > MOST_STEPS:
                self.give_up("more than is worth it")
            if sort == FACT:
                self._fact(label, variable, value)
            elif sort == GATE:
                self._gate(label, variable, bool(value))
            elif sort == RULE:
                self._rule(label, variable, value, deed)
            else:
                self._share(label, variable)

    def _fact(self, label: int, variable: int, value: int) -> None:
        solver = self.solver
        held = solver.sets[variable].get(value)
        if solver.is_gate(variable) and self._at_gate(label, variable, value, held):
            return
        best = solver.gate_label(variable, solver.arrival(variable, value))
        if held is not None and best > held:
            if held > label:
                self._push(held, FACT, variable, value, 0)
                return
            self._take_out(variable, value, held)
            if best < NEVER:
                self._push(max(best, label), FACT, variable, value, 0)
        elif best < (NEVER if held is None else held):
            if best > label:
                self._push(best, FACT, variable, value, 0)
            elif not value & 3 or solver.sets[variable].get(value & ~3, NEVER) > best:
                self._put_in(variable, value, best)

    def _at_gate(self, label: int, variable: int, value: int, held: int | None) -> bool:
        """What a gate has of its own to say, where it is shut, or would be. Returns whether that is all."""
        solver = self.solver
        own = solver.values.kind[value >> 2] in OWN
        best = solver.gate_label(variable, solver.arrival(variable, value))
        if best in LAST:
            self.give_up("a chain of gates that is too long")
        if solver.shut_at(variable, own) == NEVER and (
            held is not None or best == NEVER or not solver.is_full(variable, value, own)
        ):
            return False
        known = solver.refused.get(variable, NOTHING).get(value, NEVER) if held is None else held
        if known == best or (value & 3 and solver.sets[variable].get(value & ~3, NEVER) < min(best, known)):
            return True
        if label < min(known, best):
            self._push(min(known, best), FACT, variable, value, 0)
            return True
        if held is not None:
            self._take_out(variable, value, held)
        self._refuse(variable, value, best)
        for due in {known, best} - {NEVER}:
            self._push(max(due, label), GATE, variable, own, 0)
        return True

    def _gate(self, label: int, variable: int, own: bool) -> None:
        """Decide anew what a gate lets through with a label, of one sort, from all that comes to it."""
        solver = self.solver
        coming = solver.coming(variable, own)
        shut = NEVER
        through: dict[int, int] = {}
        for due in sorted({at for at in coming.values() if at <= label}):
            batch = {value for value, at in coming.items() if at == due and not (value & 3 and value & ~3 in through)}
            if len({value >> 2 for value in (*through, *batch)}) > (MOST_OWN if own else MOST):
                shut = due
                break
            through.update(dict.fromkeys(batch, due))
        for value in [value for value, at in coming.items() if at == label]:
            held = solver.sets[variable].get(value)
            if value in through and held is None:
                self._refuse(variable, value, NEVER)
                self._put_in(variable, value, label)
            elif value not in through and held is not None:
                self._take_out(variable, value, held)
                self._refuse(variable, value, label)
        before = solver.shut_at(variable, own)
        if shut != before and (shut < NEVER or before <= label):
            solver.shut(variable, own, shut)
            for due in {at for at in coming.values() if at > label}:
                self._push(due, GATE, variable, own, 0)

    def _refuse(self, variable: int, value: int, label: int) -> None:
        """A value comes to a gate with a label, and is not in; NEVER: it comes no more, or is let in."""
        refused = self.solver.refused.setdefault(variable, {})
        self._keeps(variable, value, refused.pop(value, NEVER), -1)
        self._keeps(variable, value, label, 1)
        if label < NEVER:
            refused[value] = label

    def _keeps(self, variable: int, value: int, label: int, count: int) -> None:
        """A class is held by a gate or an attribute, or no more."""
        solver = self.solver
        index = value >> 2
        keeps = solver.is_gate(variable) or variable in solver.keeping
        if keeps and label < GUESSING and solver.values.kind[index] == "class":
            self._kept.setdefault(index, solver.holders[index] > 0)
            solver.holders[index] += count

    def _take_out(self, variable: int, value: int, label: int) -> None:
        solver = self.solver
        del solver.sets[variable][value]
        self.changed.add(variable)
        if label < GUESSING:
            self.flows.add(variable)
            self._keeps(variable, value, label, -1)
        for code in solver.outs[variable] or ():
            self._doubt(code >> 2, at_least(value, code & 3))
        for cause in solver.reactions(variable, value):
            self.kill(cause)
        if not value & 3:
            for other in (value | 1, value | 2):
                best = solver.gate_label(variable, solver.arrival(variable, other))
                if best < NEVER and other not in solver.sets[variable]:
                    self._push(max(best, label), FACT, variable, other, 0)

    def _put_in(self, variable: int, value: int, label: int) -> None:
        solver = self.solver
        held = solver.sets[variable]
        if held is NOTHING:
            held = solver.sets[variable] = {}
        if held.get(value, NEVER) < GUESSING:
            self._keeps(variable, value, held[value], -1)
        held[value] = label
        self.changed.add(variable)
        if label < GUESSING:
            self.flows.add(variable)
            self._keeps(variable, value, label, 1)
        for code in solver.outs[variable] or ():
            self._arrives(code >> 2, at_least(value, code & 3), label + 1)
        for deed in solver.into(variable, WATCH):
            self._push(max(label, solver.labels[solver.causes[deed]]), RULE, variable, value, deed)

    def _rule(self, label: int, variable: int, value: int, deed: int) -> None:
        solver = self.solver
        held = solver.sets[variable].get(value)
        if held is None or not solver.alive[solver.causes[deed]]:
            return
        rule, due = solver.things[solver.whats[deed]], max(held, solver.labels[solver.causes[deed]])
        if due != label:
            if due > label:
                self._push(due, RULE, variable, value, deed)
            return
        for cause in solver.reactions(variable, value):
            if solver.rules_of[cause] is rule:
                if solver.labels[cause] == label:
                    return
                self.kill(cause)
        solver.now = label
        solver.react(rule, variable, value)
        self.later()

    def _share(self, label: int, variable: int) -> None:
        solver = self.solver
        due = min((solver.labels[solver.causes[deed]] for deed in solver.into(variable, ASK)), default=NEVER)
        cause = solver.asked.get(variable)
        stands = cause is not None and bool(solver.alive[cause])
        if cause is not None and stands:
            if solver.labels[cause] == due:
                return
            self.kill(cause)
        if due == NEVER:
            return
        if due > label:
            self._push(due, SHARE, variable, 0, 0)
            return
        solver.now = due
        solver.react(solver.shares[variable], variable, -1)
        self.later()

    def later(self) -> None:
        """Do what reactions left for later."""
        solver = self.solver
        while (item := solver.next_later()) is not None:
            rule, variable, value = item
            if variable < 0:
                solver.tell(rule, value)
            else:
                self._push(solver.now, SHARE, variable, 0, 0)

    # -- seeds

    def settle(self) -> None:
        """After all that flow tells, before seeds are asked: give up where notes or kept classes are others, since
        seeds far away look at those."""
        solver = self.solver
        for key, before in self._notes.items():
            if solver.is_noted(key) != before:
                self.give_up("a class of which instances are made from now on, or no more")
        for index, before in self._kept.items():
            if (solver.holders[index] > 0) != before and not any(
                solver.is_noted((id(notes), solver.values.what[index])) for notes in solver.noting_sets()
            ):
                self.give_up("a class that is kept from now on, or no more")

    def reseed(self, seeds: Iterable[Seed]) -> None:
        """Ask seeds again whether they are wanted."""
        solver = self.solver
        wanted = [(seed, seed.wanted(solver)) for seed in seeds]
        solver.now = GUESSING
        for seed, is_wanted in wanted:
            cause = solver.planted.get(seed)
            stands = cause is not None and bool(solver.alive[cause])
            if stands and not is_wanted and cause is not None:
                self.kill(cause)
            elif is_wanted and not stands:
                solver.plant(seed)
                self.later()
