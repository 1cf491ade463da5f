"""Mutating drawn projects and judging what Solvent says to it.

A semantic mutation changes an atom: the steps that it decides must be stale. A cosmetic one
changes no atom: every step must stay fresh. The generator knows which; a sample is executed,
by the pipeline and by a plain interpreter, and both must give the same numbers.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mutated_projects import Project, draw, write
from solvent.foundation.settings import load_settings
from solvent.lineage.entities import Actor, Artifact
from solvent.pipeline import load_spec, run_pipeline
from solvent.pipeline.options import RunOptions
from solvent.pipeline.plan import Judge
from solvent.pipeline.planning import StoreLookups
from solvent.pipeline.spec import inputs_of
from solvent.store import Store, open_store

ACTOR = Actor(kind="person", name="tester")
SETTINGS = '[cache]\nverify = "digest"\n[pipeline]\nworkers = 1\n'


@dataclass
class Tally:
    """What came of many mutations. over: reruns of steps that the change does not reach, where that is allowed."""

    mutations: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    executed: int = 0
    over: Counter[str] = field(default_factory=Counter)
    false_hits: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.mutations += other.mutations
        self.over += other.over
        self.judged += other.judged
        self.executed += other.executed
        self.false_hits += other.false_hits
        self.needless += other.needless
        self.broken += other.broken


class World:
    """One drawn project on disk, run once. values: its atoms as they are now."""

    def __init__(self, seed: int, root: Path, store: Store, project: Project) -> None:
        self.seed = seed
        self.root = root
        self.store = store
        self.project = project
        self.values = dict(project.values)
        self.files = project.render(self.values)
        self.rng = random.Random(seed + 1)
        self.artifacts: dict[str, Artifact] = {}
        self.tally = Tally()

    def first_run(self) -> None:
        """Run everything, so that each step has a result to be reused."""
        run = run_pipeline(self.root, self.spec(), self.store)
        assert run.ok, [(s.name, s.error) for s in run.steps if s.error]
        spec = self.spec()
        for name in spec.nodes:
            self.artifacts[name] = self.result(run.outputs(name)["result"].digest)
        self.plan = (self.root / ".solvent" / "plan" / "spec.json").read_bytes()

    def result(self, digest: str) -> Artifact:
        found = self.store.facts.artifact(digest)
        assert found is not None
        return found

    def spec(self):
        return load_spec(self.root, load_settings(self.root))

    def fresh(self, renamed: dict[str, str] | None = None) -> dict[str, str]:
        """Each step by its first name: '' where it is fresh, given the inputs of the first run, else why it is not."""
        spec = self.spec()
        judge = Judge(spec, RunOptions(), StoreLookups(self.root, self.store, spec))
        names = {new: old for old, new in (renamed or {}).items()}
        found = {}
        for name in spec.order():
            inputs = {
                p: self.artifacts[names.get(ref.node, ref.node)] for p, ref in inputs_of(judge.nodes[name]).items()
            }
            step = judge(name, inputs)
            short = names.get(name, name).rpartition(".")[2]
            found[short] = "" if step.state == "fresh" else step.reason
        return found

    def check(
        self, label: str, stale: set[str], allowed: set[str] = frozenset(), renamed: dict[str, str] | None = None
    ) -> None:
        """Compare what is fresh with what must be: `stale` must not be, the rest must be but for `allowed`."""
        self.tally.mutations[label] += 1
        where = f"seed {self.seed}, {label}"
        for name, reason in self.fresh(renamed).items():
            self.tally.judged += 1
            if name in stale and not reason:
                self.tally.false_hits.append(f"{where}: {name} is fresh")
            elif name not in stale and reason:
                if name in allowed:
                    self.tally.over[label] += 1
                else:
                    self.tally.needless.append(f"{where}: {name} is stale: {reason}")

    def settle(self) -> None:
        """Give back the plan as it was first read, which a mutation that is undone leaves valid."""
        (self.root / ".solvent" / "plan" / "spec.json").write_bytes(self.plan)

    # semantic

    def change(self, atom: str, value: str, *, restore_time: bool) -> None:
        """An atom gets another value and its steps must notice, even where size and time stay the same."""
        project = self.project
        before, times = self.files, {p: (self.root / p).stat().st_mtime_ns for p in self.files}
        values = {**self.values, atom: value}
        after = project.render(values)
        written = write(self.root, after, before)
        for path in written if restore_time else []:
            name = path.relative_to(self.root).as_posix()
            if name in times:
                os.utime(path, ns=(times[name], times[name]))
        for name, source in project.variables.items():
            os.environ[name] = values[source]
        self.values, self.files = values, after
        stale = {s.name for s in project.steps if atom in s.atoms}
        kind = project.kinds[atom]
        allowed = {s.name for s in project.steps if s.uncertain or atom in project.effects or kind == "appears"}
        self.check(f"{kind}, time restored" if restore_time and written else kind, stale, allowed)

    def restore(self, atom: str) -> None:
        values = {**self.values, atom: self.project.values[atom]}
        after = self.project.render(values)
        write(self.root, after, self.files)
        for name, source in self.project.variables.items():
            os.environ[name] = values[source]
        self.values, self.files = values, after
        self.settle()

    # cosmetic

    def edit(self, label: str, path: str, text: str, allowed: set[str] = frozenset()) -> None:
        """Rewrite one file in a way that changes nothing, judge, and put it back."""
        (self.root / path).write_text(text)
        self.check(label, set(), allowed)
        (self.root / path).write_text(self.files[path])
        self.settle()

    # objects

    def damage(self, how: str) -> None:
        """An object is deleted, cut, or gets other bytes of the same length; its step must run again."""
        name = self.rng.choice(sorted(self.artifacts))
        artifact = self.artifacts[name]
        place = self.store.objects.path(artifact.digest)
        data, mode = place.read_bytes(), place.stat().st_mode
        place.unlink()
        if how != "deleted":
            flipped = bytes([data[0] ^ 1]) + data[1:]
            place.write_bytes(data[:-1] if how == "cut" else flipped)
        same = {n.rpartition(".")[2] for n, a in self.artifacts.items() if a.digest == artifact.digest}
        self.check(f"object {how}", same)
        place.unlink(missing_ok=True)
        place.write_bytes(data)
        place.chmod(mode)

    # truth

    def execute(self) -> None:
        """Run the project as it is now, both ways: by the pipeline on its old store, and without it."""
        run = run_pipeline(self.root, self.spec(), self.store)
        assert run.ok, [(s.name, s.error) for s in run.steps if s.error]
        expected = plain_results(self.root, self.project, self.values)
        self.tally.executed += 1
        for step in self.project.steps:
            if step.name == "raw":
                continue
            output = run.outputs(f"{step.module}.{step.name}")["result"]
            got = json.loads(self.store.objects.read(output.digest))
            if got != expected[step.name]:
                self.tally.false_hits.append(f"seed {self.seed}: {step.name} gave {got} for {expected[step.name]}")


def plain_results(root: Path, project: Project, values: dict[str, str]) -> dict[str, int]:
    """What the steps compute when they are called as the functions that they are."""
    lines = ["import importlib, json, os, sys", "sys.path[:0] = ['.', 'src']", "from pathlib import Path"]
    lines += [f"os.environ[{name!r}] = {values[atom]!r}" for name, atom in project.variables.items()]
    lines += ["found = {'raw': Path('data/raw.txt')}"]
    for step in project.steps:
        given = ", ".join(f"found[{i!r}]" for i in step.inputs)
        if step.name != "raw":
            lines.append(f"found[{step.name!r}] = importlib.import_module({step.module!r}).{step.name}({given})")
    lines.append("print(json.dumps({k: v for k, v in found.items() if k != 'raw'}))")
    done = subprocess.run(
        [sys.executable, "-B", "-c", "\n".join(lines)], cwd=root, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def cosmetics(world: World) -> Iterator[tuple[str, str, str, set[str]]]:
    """(what, file, its text, steps that may rerun) for edits that change no result."""
    rng, project = world.rng, world.project
    modules = [p for p in sorted(world.files) if p.endswith(".py") and "site-packages" not in p]
    uncertain = {s.name for s in project.steps if s.uncertain}

    def some(*, used: bool = False) -> tuple[str, str]:
        path = rng.choice([p for p in modules if not used or world.files[p].count("def ")])
        return path, world.files[path]

    path, text = some()
    yield "a comment", path, f"# {rng.random()}\n{text}\n# the end\n", set()
    path, text = some(used=True)
    yield "comments in bodies", path, re.sub(r"\n( +)return ", r"\n\1# so it is\n\1return ", text), set()
    path, text = some(used=True)
    yield "a docstring", path, _with_docstrings(text, f"Does {rng.random()}."), set()
    path, text = some()
    yield "layout", path, ast.unparse(ast.parse(text)) + "\n", set()
    path, text = some()
    yield "blank lines", path, text.replace("\n\n", "\n\n\n\n"), set()
    path, text = some()
    yield "the same bytes", path, text, set()
    path, text = some(used=True)
    yield "a new function", path, f"{text}\n\ndef newcomer(x):\n    return x + {rng.random()}\n", uncertain
    path, text = some()
    yield "a new constant", path, f"{text}\n\nNEWCOMER = {rng.random()}\n", uncertain
    path, text = some(used=True)
    yield "an unused function", path, text.replace("return x + 1\n\nBYSTANDER", "return x - 9\n\nBYSTANDER"), uncertain
    path, text = some()
    yield "an unused constant", path, text.replace("BYSTANDER = 5", "BYSTANDER = 6"), uncertain
    path, text = some()
    newcomer = f"class Newcomer:\n    A = {rng.random()}\n\n    def go(self):\n        return self.A\n"
    yield "a new class", path, f"{text}\n\n{newcomer}", uncertain
    path, text = some()
    yield "an unused import", path, text.replace(HEAD_END, HEAD_END + "import textwrap\n", 1), uncertain
    path, text = some(used=True)
    yield "functions in another order", path, _reordered(text, rng), uncertain
    yield "notes", "notes.md", f"{rng.random()}", set()
    yield "code that nobody imports", "site-packages/unused_lib.py", "X = 2\n", set()


HEAD_END = '"""A module."""\n'


def _with_docstrings(text: str, words: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            documented = ast.get_docstring(node, clean=False) is not None
            node.body = [ast.Expr(ast.Constant(words)), *(node.body[1:] if documented else node.body)]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _reordered(text: str, rng: random.Random) -> str:
    """Plain functions, undecorated and without defaults, moved to the end of the file in another order."""
    tree = ast.parse(text)
    moved = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.decorator_list and not n.args.defaults]
    ran = [s for s in tree.body if not isinstance(s, ast.FunctionDef)]
    ran += [d for s in tree.body if isinstance(s, ast.FunctionDef) for d in (*s.decorator_list, *s.args.defaults)]
    called = {n.id for s in ran for n in ast.walk(s) if isinstance(n, ast.Name)}
    moved = [n for n in moved if n.name not in called]
    tree.body = [n for n in tree.body if n not in moved] + rng.sample(moved, len(moved))
    return ast.unparse(tree) + "\n"


def touched(world: World) -> None:
    """Every file gets another time, data and objects included."""
    for path in world.root.rglob("*"):
        if path.is_file() and "solvent.db" not in path.name and "plan" not in path.parts:
            os.utime(path)
    world.check("touched files", set())
    world.settle()


def renamed_step(world: World) -> None:
    """A step that nothing consumes gets another name."""
    consumed = {i for s in world.project.steps for i in s.inputs}
    step = next((s for s in reversed(world.project.steps) if s.name not in consumed and s.name.startswith("s")), None)
    if step is None:
        return
    path = f"{step.module.replace('.', '/')}.py"
    (world.root / path).write_text(re.sub(rf"\bdef {step.name}\(", "def another(", world.files[path]))
    allowed = {s.name for s in world.project.steps if s.uncertain}
    world.check("a renamed step", set(), allowed, {f"{step.module}.{step.name}": f"{step.module}.another"})
    (world.root / path).write_text(world.files[path])
    world.settle()


def moved_file(world: World) -> None:
    """The file of a package's steps gets another name; names of steps change, results do not."""
    if not (world.root / "pipelines" / "two.py").exists():
        return
    (world.root / "pipelines" / "two.py").rename(world.root / "pipelines" / "other.py")
    steps = [s for s in world.project.steps if s.module.endswith("two")]
    names_itself = re.search("class |lambda|partial|wraps|_ways", world.files["pipelines/two.py"])
    allowed = {s.name for s in world.project.steps if s.uncertain}
    allowed |= {s.name for s in steps if names_itself}  # a class, and a function as a value, has its module
    world.check(
        "a renamed file of steps",
        set(),
        allowed,
        {f"pipelines.two.{s.name}": f"pipelines.other.{s.name}" for s in steps},
    )
    (world.root / "pipelines" / "other.py").rename(world.root / "pipelines" / "two.py")
    world.settle()


def other_distribution(world: World) -> None:
    """A distribution that nobody imports is upgraded."""
    old = world.root / "site-packages" / "unused-1.0.0.dist-info"
    old.rename(old.with_name("unused-2.0.0.dist-info"))
    world.check("an unused distribution", set())
    old.with_name("unused-2.0.0.dist-info").rename(old)
    world.settle()


@contextmanager
def surroundings(root: Path, project: Project) -> Iterator[None]:
    """The process as this project needs it: its site folder is on the path, its variables are set."""
    site, kept, paths = str(root / "site-packages"), dict(os.environ), list(sys.path)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [site, os.environ.get("PYTHONPATH", "")]))
    os.environ.update({name: project.values[atom] for name, atom in project.variables.items()})
    sys.path.append(site)
    try:
        yield
    finally:
        sys.path[:] = paths
        os.environ.clear()
        os.environ.update(kept)


def mutate(seed: int, root: Path, *, most: int = 1000, executed: int = 1) -> Tally:
    """Draw a project, run it, mutate it up to `most` times, execute it `executed` times after a change."""
    project = draw(seed)
    write(root, {**project.render(project.values), "solvent.toml": SETTINGS})
    with (
        surroundings(root, project),
        open_store(f"sqlite:///{root / '.solvent' / 'solvent.db'}", root=root / ".solvent", actor=ACTOR) as store,
    ):
        world = World(seed, root, store, project)
        world.first_run()
        _mutate(world, most, executed)
        return world.tally


def _mutate(world: World, most: int, executed: int) -> None:
    rng, project = world.rng, world.project
    atoms = [(atom, value) for atom, values in project.others.items() for value in values[:1]]
    todo = [lambda a=a, v=v: _change(world, a, v) for a, v in atoms]
    todo += [lambda e=e: world.edit(*e) for e in cosmetics(world)]
    todo += [
        lambda: touched(world),
        lambda: renamed_step(world),
        lambda: moved_file(world),
        lambda: other_distribution(world),
    ]
    todo += [lambda h=h: world.damage(h) for h in ("deleted", "cut", "swapped")]
    for action in rng.sample(todo, min(most, len(todo))):
        action()
    for _ in range(executed):
        atom = rng.choice([a for a, _ in atoms])
        world.change(atom, project.others[atom][0], restore_time=rng.random() < 0.5)
        world.execute()


def _change(world: World, atom: str, value: str) -> None:
    world.change(atom, value, restore_time=world.rng.random() < 0.5)
    world.restore(atom)
