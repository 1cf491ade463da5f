"""How often findings of each rule were judged right, by both judgements: the table of README.md, from the CSV files."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    first, second = defaultdict(list), defaultdict(list)
    for path in sorted(HERE.glob("*.csv")):
        judged = second if path.stem == "SECOND" else first
        for row in rows(path):
            judged[row.get("rule") or path.stem].append(row)
    print("| rule | first | second | repositories | lower bound of the second (Wilson, 95%) |")
    print("| --- | --- | --- | --- | --- |")
    for rule in sorted({*first, *second}):
        right, judged_ = tally(second[rule])
        bound = f"{wilson(right, judged_):.2f}" if judged_ else "–"
        where = len({row["package"] for row in second[rule]}) or "–"
        print(f"| {rule} | {said(*tally(first[rule]))} | {said(right, judged_)} | {where} | {bound} |")


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def tally(judged: list[dict[str, str]]) -> tuple[int, int]:
    return sum(row["verdict"] == "true" for row in judged), len(judged)


def said(right: int, judged: int) -> str:
    return f"{right} of {judged}" if judged else "–"


def wilson(right: int, judged: int, z: float = 1.96) -> float:
    """Lower end of the interval for a share (Wilson 1927)."""
    share = right / judged
    middle, spread = share + z * z / (2 * judged), z * sqrt((share * (1 - share) + z * z / (4 * judged)) / judged)
    return (middle - spread) / (1 + z * z / judged)


if __name__ == "__main__":
    main()
