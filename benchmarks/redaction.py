"""Measure the redaction: `python benchmarks/redaction.py TRANSCRIPT…`.

Time over every string of JSON Lines, beside `json.loads` of the same lines; misses and false hits on
the corpus of tests/data/secrets. Where detect-secrets is installed, it is measured on the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sbfs import redact

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from secret_corpus import Case, lookalikes, true_secrets

REPEATED = 7


def strings(value: Any) -> Iterator[str]:
    """Every text in a plain value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def milliseconds(work: Callable[[], object], times: int = REPEATED) -> tuple[float, float, float]:
    """Median, least and most of processor time."""
    taken = []
    for _ in range(times):
        begin = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - begin))
    return statistics.median(taken), min(taken), max(taken)


def redact_files(files: list[list[Any]]) -> int:
    """Redact the decoded lines of each file as a scope of its own; how many places were found."""
    found = 0
    for lines in files:
        redactor = redact.Redactor()
        for line in lines:
            redactor.plain(line)
        found += redactor.found.total()
    return found


def by_detect_secrets(texts: list[str]) -> list[list[str]]:
    """What detect-secrets finds in each text, as a file of its own, with its default settings."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, default_settings():
        os.chdir(folder)
        try:
            answers = []
            for number, text in enumerate(texts):
                Path(f"{number}.txt").write_text(text + "\n", encoding="utf-8", errors="replace")
                answers.append([one.secret_value for one in scan_file(f"{number}.txt") if one.secret_value])
            return answers
        finally:
            os.chdir(here)


def _text(case: Case) -> str:
    return case.value if isinstance(case.value, str) else json.dumps(case.value, ensure_ascii=False)


def quality() -> None:
    """Print misses and false hits."""
    secrets, others = true_secrets(), lookalikes()
    for part, held in (("looked at while the rules were made", False), ("held out", True)):
        mine = [case for case in secrets if case.held == held]
        rest = [case for case in others if case.held == held]
        missed = sum(case.missed for case in mine)
        taken = sum(case.redacted() != case.value for case in rest)
        print(f"sbfs, {part}: {missed} of {len(mine)} missed, {sum(case.spoiled for case in mine)} cut wrongly, "
              f"{taken} of {len(rest)} lookalikes taken")  # fmt: skip
    try:
        found = by_detect_secrets([_text(case) for case in (*secrets, *others)])
    except ImportError:
        return
    hit = sum(
        any(said in one or one in said for one in case.secrets for said in answer)
        for case, answer in zip(secrets, found, strict=False)
    )
    taken = sum(bool(answer) for answer in found[len(secrets) :])
    print(f"detect-secrets: {len(secrets) - hit} of {len(secrets)} missed, {taken} of {len(others)} lookalikes taken")


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description="Measure the redaction: misses, false hits, time.")
    parser.add_argument("transcripts", nargs="*", type=Path, help="JSON Lines whose every string is redacted")
    paths = parser.parse_args().transcripts
    quality()
    raw = [path.read_bytes().splitlines() for path in paths]
    if not raw:
        return
    parse = milliseconds(lambda: [json.loads(line) for lines in raw for line in lines])
    files = [[json.loads(line) for line in lines] for lines in raw]
    taken = milliseconds(lambda: redact_files(files))
    size = sum(len(line) for lines in raw for line in lines)
    print(f"{size / 1e6:.2f} MB: json.loads {parse[0]:.1f} ms ({parse[1]:.1f} to {parse[2]:.1f}), "
          f"redaction {taken[0]:.0f} ms ({taken[1]:.0f} to {taken[2]:.0f}), {taken[0] / parse[0]:.1f} times; "
          f"{redact_files(files)} places found")  # fmt: skip
    try:
        begin = time.process_time()
        by_detect_secrets(["\n".join(one for lines in files for line in lines for one in strings(line))])
        print(f"detect-secrets over the same strings: {time.process_time() - begin:.1f} s")
    except ImportError:
        pass


if __name__ == "__main__":
    main()
