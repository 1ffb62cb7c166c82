"""How right the call graph is: precision, recall and share of exact answers, by language and feature.

    python benchmarks/callgraph.py                  the project's own cases
    python benchmarks/callgraph.py --path DIR       cases kept elsewhere: folders with sources and a callgraph.json
    python benchmarks/callgraph.py --confidence name --wrong

Precision and recall are pooled: edges are added up over cases first. A case is exact where it has all edges and no
other.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from callgraph_cases import Case, Score, edges_of, linked, outside_cases, own_cases

HEAD = ("language", "feature", "cases", "edges", "precision", "recall", "exact")


def measured(cases: Iterable[Case], confidence: str, wrong: bool) -> dict[tuple[str, str], Score]:
    """Scores by (language, feature). wrong: name each edge that is missed or too much."""
    scores: dict[tuple[str, str], Score] = {}
    for case in cases:
        facts, links = linked(case.files)
        found = edges_of(facts, links, confidence)
        expected = case.expected_at(confidence)
        scores.setdefault((case.language, case.feature), Score()).add(found, expected)
        if wrong:
            for word, edges in (("missing", expected - found), ("too much", found - expected)):
                for edge in sorted(edges):
                    print(f"{'/'.join((case.language, case.feature, case.name))}: {word}: {' -> '.join(edge)}")
    return scores


def total(scores: Iterable[Score]) -> Score:
    """All of them as one."""
    found = Score()
    for one in scores:
        for name in ("cases", "found", "expected", "both", "exact"):
            setattr(found, name, getattr(found, name) + getattr(one, name))
    return found


def lines_of(scores: dict[tuple[str, str], Score]) -> list[tuple[str, ...]]:
    """The table: features, a line for each language, and one for all."""
    lines = []
    for language in sorted({language for language, _ in scores}):
        own = {feature: score for (spoken, feature), score in scores.items() if spoken == language}
        lines += [_line(language, feature, score) for feature, score in sorted(own.items())]
        lines.append(_line(language, "all", total(own.values())))
    return [*lines, _line("all", "all", total(scores.values()))]


def _line(language: str, feature: str, score: Score) -> tuple[str, ...]:
    exact = f"{score.exact / score.cases:.0%}" if score.cases else ""
    rates = (f"{score.precision:.3f}", f"{score.recall:.3f}")
    return (language, feature, str(score.cases), str(score.expected), *rates, exact)


def table(lines: list[tuple[str, ...]]) -> str:
    """As Markdown."""
    cells = [HEAD, *lines]
    widths = [max(len(line[place]) for line in cells) for place in range(len(HEAD))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in cells]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", type=Path, metavar="DIR", help="measure cases kept there, not the project's own")
    parser.add_argument(
        "--confidence", choices=("exact", "inferred", "name"), default="inferred", help="edges that count"
    )
    parser.add_argument("--language", default="*", help="of the own cases")
    parser.add_argument("--wrong", action="store_true", help="name each edge that is missed or too much")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as well")
    asked = parser.parse_args()
    start = time.process_time()
    cases = outside_cases(asked.path) if asked.path else own_cases(asked.language)
    scores = measured(cases, asked.confidence, asked.wrong)
    lines = lines_of(scores)
    print(table(lines))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds = time.process_time() - start
    print(f"\nEdges of confidence {asked.confidence} and better; {seconds:.1f} s of CPU, {memory} MB at most.")
    if asked.json:
        rows = [dict(zip(HEAD, line, strict=True)) for line in lines]
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
