"""The audit: read a source, run the rules, name the findings, set aside what is allowed or known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from solvent.debt.facts.document import Document, Unreadable, read_document
from solvent.debt.facts.extract import ALLOW, Allow, Extract, Line, line_of
from solvent.debt.facts.repository import Entry, Repository
from solvent.debt.facts.secrets import masked
from solvent.debt.finding import Finding, Found, Place, State, Step
from solvent.debt.fingerprints import fingerprints
from solvent.debt.reading.cache import Cache
from solvent.debt.reading.extracting import Progress, extracts
from solvent.debt.reading.sources import Source
from solvent.debt.rules.allowed import Allowed
from solvent.debt.rules.base import Rule, all_rules

PYTHON: Final = (".py", ".pyw", ".ipynb")


class Skipped(msgspec.Struct, frozen=True):
    """A file, or a part of one, that was not analysed, and why."""

    path: str
    reason: str


class Audit(msgspec.Struct, frozen=True):
    """findings: open, new, known and allowed ones, by place; files: that Python was read from, notebooks among them;
    users: how many files import each; served: services that answer with a model.
    """

    findings: list[Finding]
    not_analysed: list[Skipped]
    files: int
    notebooks: int
    lines: int
    rules: dict[str, Rule]
    repository: Repository

    def chosen(self, *states: State) -> list[int]:
        """Positions of the findings in these states."""
        return [at for at, finding in enumerate(self.findings) if finding.state in states]


def active_rules(*, preview: bool, wanted: Iterable[str] = ()) -> list[Rule]:
    """Rules on by default, those in preview where asked for, or just those of some codes or families."""
    chosen = tuple(wanted)
    return [one for one in all_rules() if (one.code.startswith(chosen) if chosen else preview or not one.preview)]


def audit(
    source: Source,
    rules: Sequence[Rule],
    *,
    ignore: Sequence[str] = (),
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Everything that the rules find in a source. ignore: globs of paths, each optionally `CODE:glob`."""
    entries = source.entries()
    paths = [path for path in entries if path.endswith(PYTHON)]
    read = extracts(paths, source.read, [rule for rule in rules if rule.scope == "file"], cache, progress)
    return judge(source, entries, read, rules, ignore=ignore)


def judge(
    source: Source,
    entries: Mapping[str, Entry],
    extracts: Mapping[str, Extract],
    rules: Sequence[Rule],
    *,
    ignore: Sequence[str] = (),
) -> Audit:
    """What the rules find in a source whose Python files are extracted."""
    repository = _repository(source, entries, extracts)
    found = [(code, path, one) for path, each in extracts.items() for code, one in each.found]
    for rule in rules:
        if rule.scope == "repository":
            found += [(rule.code, one.path, one) for one in rule.check(repository)]
    named = {rule.code: rule for rule in rules}
    lines = _Lines(extracts, repository)
    findings = _findings(found, named, lines)
    findings, allows = _set_aside(findings, lines, extracts, named)
    more = [(r.code, one.path, one) for r in rules if r.scope == "allows" for one in r.check(allows)]
    findings = [f for f in [*findings, *_findings(more, named, lines)] if not _ignored(f, ignore)]
    read = [each for each in extracts.values() if not each.skipped]
    return Audit(
        fingerprints(sorted(findings, key=lambda f: (f.place, f.rule))),
        [
            Skipped(path, why)
            for path, each in extracts.items()
            for why in ([each.skipped] if each.skipped else each.trouble)
        ],
        len(read),
        sum(each.notebook for each in read),
        sum(each.code_lines for each in read),
        named,
        repository,
    )


def against(found: Audit, known: Iterable[str]) -> Audit:
    """The same audit with its open findings told apart: known ones by fingerprint, each as often as it was known, and
    new ones.
    """
    left = Counter(known)
    findings = []
    for finding in found.findings:
        state = finding.state
        if state == "open":
            state = "known" if left[finding.fingerprint] > 0 else "new"
            left[finding.fingerprint] -= 1
        findings.append(msgspec.structs.replace(finding, state=state))
    return msgspec.structs.replace(found, findings=findings)


def _repository(source: Source, entries: Mapping[str, Entry], extracts: Mapping[str, Extract]) -> Repository:
    def read(path: str) -> bytes:
        try:
            return source.read(path)
        except Unreadable:
            return b""

    summaries = {path: each.summary for path, each in extracts.items() if each.summary is not None}
    return Repository(entries, summaries, read, git=source.git is not None)


class _Lines:
    """Lines of any file of the source as places: Python's as extracted, others as they stand."""

    def __init__(self, extracts: Mapping[str, Extract], repository: Repository) -> None:
        self._extracts, self._repository = extracts, repository
        self._texts: dict[str, list[str]] = {}
        self._documents: dict[str, Document] = {}

    def step(self, path: str, number: int) -> Step:
        each = self._extracts.get(path)
        line = each.lines.get(number) if each is not None else None
        if line is None and each is not None and not each.skipped:
            line = self._document_line(path, number)
        if line is None:
            texts = self.texts(path)
            text = texts[number - 1].strip() if 0 < number <= len(texts) else ""
            line = Line(0, number, number, text[:300])
        return Step(Place(path, line.cell, line.line, line.physical), masked(line.text))

    def _document_line(self, path: str, number: int) -> Line:
        """What a rule over the repository says of a Python file was not kept when it was extracted."""
        if path not in self._documents:
            self._documents[path] = read_document(path, self._repository.bytes_of(path))
        return line_of(self._documents[path], number)

    def texts(self, path: str) -> list[str]:
        if path not in self._texts:
            self._texts[path] = (self._repository.text(path) or "").splitlines()
        return self._texts[path]


def _findings(found: Iterable[tuple[str, str, Found]], rules: Mapping[str, Rule], lines: _Lines) -> list[Finding]:
    made = []
    for code, path, one in found:
        whole = not one.evidence and not path.endswith(PYTHON)  # of a data or model file no line is read or shown
        place = Place(path, 0, one.line, one.line) if whole else lines.step(path, one.line).place
        numbers = () if whole else one.evidence or (one.line,)
        evidence = [lines.step(path, number) for number in numbers] or [Step(place, "")]
        rule = rules[code]
        made.append(
            Finding(
                rule=code,
                severity=rule.severity,
                place=place,
                joined=one.line,
                said=one.said,
                evidence=evidence,
                root=one.root,
                scope=one.scope,
                syntax=one.syntax,
                concerns=one.concerns,
            )
        )
    return made


def _set_aside(
    findings: Sequence[Finding], lines: _Lines, extracts: Mapping[str, Extract], rules: Mapping[str, Rule]
) -> tuple[list[Finding], list[Allowed]]:
    """Mark what a comment allows; tell which comments allowed nothing."""
    comments: dict[str, list[Allow]] = {path: each.allows for path, each in extracts.items() if each.allows}
    for finding in findings:
        path = finding.place.path
        if path not in extracts and path not in comments:
            comments[path] = list(_plain_allows(lines.texts(path)))
    used: set[tuple[str, int, str]] = set()
    kept = []
    for finding in findings:
        path, by = finding.place.path, None
        for allow in comments.get(path, ()):
            if allow.reason and finding.rule in allow.codes and finding.joined in allow.covers:
                used.add((path, allow.line, finding.rule))
                by = allow
        if by is not None:
            at = lines.step(path, by.line).place.physical
            finding = msgspec.structs.replace(finding, state="allowed", reason=by.reason, allowed_at=at)
        kept.append(finding)
    allows = [
        Allowed(
            path,
            allow.line,
            allow.codes,
            allow.reason,
            [code for code in allow.codes if code in rules and (path, allow.line, code) not in used and allow.reason],
        )
        for path, each in comments.items()
        for allow in each
    ]
    return kept, allows


def _plain_allows(texts: Sequence[str]) -> Iterable[Allow]:
    """Comments of requirements, TOML, YAML, Dockerfiles."""
    for number, text in enumerate(texts, 1):
        match = ALLOW.search(text)
        if match:
            codes = [code.strip().upper() for code in match[1].split(",") if code.strip()]
            covers = [number, number + 1] if text.lstrip().startswith("#") else [number]
            yield Allow(number, codes, match[2].strip(), covers)


def _ignored(finding: Finding, globs: Sequence[str]) -> bool:
    for glob in globs:
        code, colon, pattern = glob.partition(":")
        if not colon:
            code, pattern = "", glob
        if finding.rule.startswith(code) and fnmatchcase(finding.place.path, pattern):
            return True
    return False
