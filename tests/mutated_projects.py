"""Small projects whose every ingredient is known, and what changing it must do.

A project is a set of file templates with tokens (`@a7@`), its *atoms*. Each atom has a value
and one or more others; every step knows the atoms that decide its result, because the
generator wired them. So a changed atom must make exactly these steps stale, and an edit
that touches no atom must leave all of them fresh.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(r"@(\w+)@")
HEAD = '"""A module."""\n'


@dataclass
class Step:
    """atoms: that decide its result, beside its inputs. uncertain: whole modules count for it, as it says."""

    name: str
    module: str
    inputs: list[str]
    atoms: set[str]
    uncertain: bool
    env: list[str]


@dataclass
class Project:
    """files: path template → text template. values: atoms as they are. others: what each may become."""

    files: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    effects: set[str] = field(default_factory=set)  # atoms that count for every step that imports their module

    def render(self, values: dict[str, str]) -> dict[str, str]:
        """Files by path with their text; a path in `absent/` is no file."""

        def fill(text: str) -> str:
            return TOKEN.sub(lambda m: values[m[1]], text)

        filled = {fill(path): fill("".join(parts)) for path, parts in self.files.items()}
        return {path: text for path, text in filled.items() if not path.startswith("absent/")}


class Generator:
    """Draws a project. rng: everything that is drawn comes from it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.project = Project()
        self.count = 0
        self.atoms: dict[str, set[str]] = {}  # helper → atoms
        self.uncertain: set[str] = set()
        self.homes = ["helpers", "tools", "pkg.core", "pkg.sub.deep", "space.tool", "srcmod"]
        for package in ("pkg", "pkg/sub"):
            self.add(f"{package}/__init__.py", HEAD)
        for home in self.homes:
            self.add(self.file(home), HEAD + "import json\nimport os\nfrom pathlib import Path\n")

    def add(self, path: str, text: str) -> None:
        self.project.files.setdefault(path, []).append(text)

    def file(self, module: str) -> str:
        path = module.replace(".", "/") + ".py"
        return f"src/{path}" if module == "srcmod" else path

    def atom(self, kind: str, values: list[str] | None = None) -> str:
        """A new atom; without values, a number of three digits."""
        name = f"a{len(self.project.values)}"
        values = values or [str(n) for n in self.rng.sample(range(100, 1000), 3)]
        self.project.values[name], self.project.others[name] = values[0], values[1:]
        self.project.kinds[name] = kind
        return name

    def step(self, module: str, inputs: list[str]) -> None:
        """A step that folds some features and its inputs into one number."""
        name = f"s{self.number()}"
        self.features: set[str] = set()
        self.doubtful, self.env = False, list[str]()
        parts = [self.rng.choice(FEATURES)(self, module) for _ in range(self.rng.randint(2, 4))]
        default = self.atom("parameter")
        self.features.add(default)
        decorator = f"@step(env={self.env!r})" if self.env else "@step"
        lines = [f"\n{decorator}", f"def {name}({', '.join(f'{i}: int' for i in inputs)}{', ' if inputs else ''}"]
        lines[-1] += f"*, k: int = @{default}@) -> int:"
        lines += ["    acc = k"]
        lines += [f"    {line}" for part in parts for line in part]
        lines += [f"    acc = (acc * 31 + {i}) % 1000003" for i in inputs]
        lines += ["    return acc\n"]
        self.add(self.file(module), "\n".join(lines))
        self.project.steps.append(Step(name, module, inputs, self.features, self.doubtful, self.env))

    def number(self) -> int:
        self.count += 1
        return self.count

    def fold(self, expression: str) -> str:
        return f"acc = (acc * 31 + {expression}) % 1000003"

    def use(self, *atoms: str) -> None:
        self.features.update(atoms)

    def home(self, avoid: str = "") -> str:
        return self.rng.choice([h for h in self.homes if h != avoid])

    def function(self, module: str) -> tuple[str, str]:
        """A helper in a module whose result hangs on one atom, written in one of many ways: name and atom."""
        n = self.number()
        name, atom = f"f{n}", self.atom("body")
        shape = self.rng.choice(SHAPES)
        self.add(
            self.file(module), "\n" + shape.replace("NAME", name).replace("VALUE", f"@{atom}@").replace("N_", f"N{n}_")
        )
        return name, atom


SHAPES = (Path(__file__).parent / "mutated_shapes.txt").read_text().split("---\n")  # NAME is a function, VALUE its atom

Feature = Callable[[Generator, str], list[str]]


def own_function(g: Generator, module: str) -> list[str]:
    name, atom = g.function(module)
    g.use(atom)
    return [g.fold(f"{name}(acc)")]


def imported(g: Generator, module: str) -> list[str]:
    """A function of another module, by one of the ways in which Python imports."""
    home = g.home(module)
    name, atom = g.function(home)
    g.use(atom)
    n, last = g.number(), home.rpartition(".")[2]
    style = g.rng.randrange(9)
    if style == 7:
        return [f"from {home} import {name} as late{n}", g.fold(f"late{n}(acc)")]
    if style == 8:
        inside = [f"def late{n}(x):", f"    import {home}", f"    return {home}.{name}(x)"]  # its name stays inside
        return [*inside, g.fold(f"late{n}(acc)")]
    line, call = [
        (f"from {home} import {name}", name),
        (f"from {home} import {name} as q{n}", f"q{n}"),
        (f"import {home} as m{n}", f"m{n}.{name}"),
        (f"import {home}", f"{home}.{name}"),
        (f"if len('x') == 1:\n    from {home} import {name} as q{n}", f"q{n}"),
        (f"try:\n    from {home} import {name} as q{n}\nexcept ImportError:\n    q{n} = None", f"q{n}"),
        (f"from {home} import *", name) if last != "deep" else (f"from {home} import {name}", name),
    ][style]
    g.add(g.file(module), f"\n{line}\n")
    return [g.fold(f"{call}(acc)")]


def through_a_chain(g: Generator, module: str) -> list[str]:
    """A function that calls one of a third module; the package re-exports it."""
    name, atom = g.function("pkg.sub.deep")
    n = g.number()
    g.add("pkg/__init__.py", f"from .sub.deep import {name} as out{n}\n")
    g.add(
        g.file("pkg.core"),
        f"\nfrom .sub import deep as d{n}\nfrom . import sub\n\ndef via{n}(x):\n    return d{n}.{name}(x)\n",
    )
    g.use(atom)
    if g.rng.random() < 0.5:
        g.add(g.file(module), f"\nfrom pkg import out{n}\n")
        return [g.fold(f"out{n}(acc)")]
    g.add(g.file(module), "\nimport pkg.core\n")
    return [g.fold(f"pkg.core.via{n}(acc)")]


def swapped_import(g: Generator, module: str) -> list[str]:
    """The same name, from one of two places."""
    home, n = g.home(module), g.number()
    (one, first), (two, second) = g.function(home), g.function(home)
    which = g.atom("import", [f"{one} as p{n}, {two} as r{n}", f"{two} as p{n}, {one} as r{n}"])
    g.add(g.file(module), f"\nfrom {home} import @{which}@\n")
    g.use(first, second, which)
    return [g.fold(f"p{n}(acc)"), g.fold(f"r{n}(7)")]


def rebound(g: Generator, module: str) -> list[str]:
    """A constant that a later line of its module binds again."""
    home, n, atom = g.home(module), g.number(), g.atom("rebinding")
    g.add(g.file(home), f"\nR{n} = 5\nS{n} = R{n} + 1\nR{n} = @{atom}@\n")
    g.add(g.file(module), f"\nimport {home} as h{n}\n")
    g.use(atom)
    return [g.fold(f"h{n}.R{n}"), g.fold(f"h{n}.S{n}")]


def data_file(g: Generator, module: str) -> list[str]:
    n, atom = g.number(), g.atom("data")
    g.add(f"cfg/data{n}.json", f'{{"k": @{atom}@}}')
    g.use(atom)
    way = g.rng.randrange(3)
    if way == 0:
        g.add(g.file(module), f"\nfrom pathlib import Path\nP{n} = Path('cfg') / 'data{n}.json'\n")
        return ["import json", g.fold(f"json.loads(P{n}.read_text())['k']")]
    if way == 1:
        return ["import json", f"with open('cfg/data{n}.json') as file:", "    " + g.fold("json.load(file)['k']")]
    return [
        "import json, os.path",
        f"with open(os.path.join('cfg', 'data{n}.json')) as file:",
        "    " + g.fold("json.load(file)['k']"),
    ]


def distribution(g: Generator, module: str) -> list[str]:
    n = g.number()
    version = g.atom("distribution", ["1.0.0", "1.1.0", "2.0.0"])
    top = f"fakelib{n}"
    g.add(
        f"site-packages/{top}/__init__.py",
        f"VERSION = '@{version}@'\n\ndef value():\n    return len(VERSION) + int(VERSION[0]) + int(VERSION[2])\n",
    )
    g.add(f"site-packages/{top}-@{version}@.dist-info/RECORD", f"{top}/__init__.py,,\n")
    g.add(f"site-packages/{top}-@{version}@.dist-info/METADATA", f"Name: {top}\nVersion: @{version}@\n")
    g.use(version)
    if g.rng.random() < 0.3:
        return [f"import {top}", g.fold(f"{top}.value()")]
    home = g.home(module)
    g.add(g.file(home), f"\ndef lib{n}():\n    from {top} import value as v\n    return v()\n")
    g.add(g.file(module), f"\nfrom {home} import lib{n}\n")
    return [g.fold(f"lib{n}()")]


def at_import(g: Generator, module: str) -> list[str]:
    """A module that changes something while it is imported: its own table, or another module's constant."""
    home, n, atom = g.home(module), g.number(), g.atom("effect")
    g.use(atom)
    g.project.effects.add(atom)
    g.add(g.file(home), f"\nT{n} = {{'k': 1}}\nT{n}.update(k=@{atom}@)\n")
    g.add(g.file(module), f"\nfrom {home} import T{n}\n")
    return [g.fold(f"T{n}['k']")]


def registered(g: Generator, module: str) -> list[str]:
    """Functions that a decorator puts into a table; the step finds them there and never by name."""
    home, n, atom = g.home(module), g.number(), g.atom("registration")
    g.use(atom)
    g.project.effects.add(atom)
    g.doubtful = True
    g.add(g.file(home), f"\nREG{n} = {{}}\n\ndef reg{n}(fn):\n    REG{n}[fn.__name__] = fn\n    return fn\n")
    g.add(g.file(home), f"\n@reg{n}\ndef entry{n}(x):\n    return x + @{atom}@\n")
    g.add(g.file(module), f"\nimport {home} as h{n}\n")
    return [g.fold(f"h{n}.REG{n}['entry{n}'](acc)")]


def patched(g: Generator, module: str) -> list[str]:
    """A constant of another module that this one sets when it is imported."""
    home, n, atom = g.home(module), g.number(), g.atom("patch")
    g.use(atom)
    g.project.effects.add(atom)
    g.doubtful = True
    g.add(g.file(home), f"\nPATCH{n} = 1\n\ndef patched{n}(x):\n    return x + PATCH{n}\n")
    g.add(g.file(module), f"\nimport {home} as h{n}\nh{n}.PATCH{n} = @{atom}@\n")
    return [g.fold(f"h{n}.patched{n}(acc)")]


def optional_module(g: Generator, module: str) -> list[str]:
    n = g.number()
    place = g.atom("appears", [f"absent/opt{n}.py", f"opt{n}.py"])
    g.add(f"@{place}@", "V = 777\n")
    g.use(place)
    g.add(g.file(module), f"\ntry:\n    import opt{n}\nexcept ImportError:\n    opt{n} = None\n")
    g.doubtful = True  # `opt` is a module as a value
    return [g.fold(f"(opt{n}.V if opt{n} else 0)")]


def optional_file(g: Generator, module: str) -> list[str]:
    n = g.number()
    place = g.atom("appears", [f"absent/opt{n}.txt", f"cfg/opt{n}.txt"])
    g.add(f"@{place}@", "twelve chars")
    g.use(place)
    return [
        "from pathlib import Path",
        f"opt{n} = Path('cfg/opt{n}.txt')",
        g.fold(f"(len(opt{n}.read_text()) if opt{n}.exists() else 0)"),
    ]


def shadowed_module(g: Generator, module: str) -> list[str]:
    """A package that appears beside a module of its name takes its place."""
    n = g.number()
    place = g.atom("shadow", [f"absent/sh{n}.py", f"sh{n}/__init__.py"])
    g.add(f"sh{n}.py", "V = 1\n")
    g.add(f"@{place}@", "V = 888\n")
    g.use(place)
    g.add(g.file(module), f"\nfrom sh{n} import V as v{n}\n")
    return [g.fold(f"v{n}")]


def shadowed_name(g: Generator, module: str) -> list[str]:
    """A star import brings a name that a later one brings again."""
    n = g.number()
    line = g.atom("shadow", ["# nothing", f"W{n} = 999"])
    g.add(f"star{n}.py", f"W{n} = 4\n")
    g.add(f"over{n}.py", f"_x = 1\n@{line}@\n")
    g.add(g.file(module), f"\nfrom star{n} import *\nfrom over{n} import *\n")
    g.use(line)
    return [g.fold(f"W{n}")]


def variable(g: Generator, module: str) -> list[str]:
    name = f"VAR_{g.number()}"
    atom = g.atom("variable")
    g.project.variables[name] = atom
    g.use(atom)
    g.env.append(name)
    return ["import os", g.fold(f"int(os.environ['{name}'])")]


def by_name(g: Generator, module: str) -> list[str]:
    """What cannot be seen: a function that is found by a computed name."""
    home = g.home(module)
    name, atom = g.function(home)
    g.use(atom)
    g.doubtful = True
    n = g.number()
    g.add(g.file(module), f"\nimport {home} as h{n}\n")
    way = g.rng.randrange(3)
    if way == 0:
        return [f"name = 'f' + '{name[1:]}'", g.fold(f"getattr(h{n}, name)(acc)")]
    if way == 1:
        return [
            "import importlib",
            g.fold(f"getattr(importlib.import_module('{home[0]}' + '{home[1:]}'), '{name}')(acc)"),
        ]
    return [g.fold(f"eval('h{n}.' + '{name}')(acc)")]


def global_state(g: Generator, module: str) -> list[str]:
    home, n, atom = g.home(module), g.number(), g.atom("state")
    g.use(atom)
    g.doubtful = True
    g.add(g.file(home), f"\nG{n} = 0\n\ndef setup{n}():\n    global G{n}\n    G{n} = @{atom}@\n")
    g.add(g.file(home), f"\ndef read{n}():\n    setup{n}()\n    return G{n}\n")
    g.add(g.file(module), f"\nfrom {home} import read{n}\n")
    return [g.fold(f"read{n}()")]


FEATURES: list[Feature] = [
    own_function, own_function, imported, imported, imported, through_a_chain, swapped_import, rebound, data_file,
    distribution, at_import, registered, patched, optional_module, optional_file, shadowed_module, shadowed_name,
    variable, by_name, global_state,
]  # fmt: skip


def draw(seed: int) -> Project:
    """A project of three to five steps in one file or a package."""
    g = Generator(seed)
    modules = ["pipeline"] if g.rng.random() < 0.6 else ["pipelines.one", "pipelines.two"]
    for module in modules:
        g.add(g.file(module), HEAD + "from solvent import step\n")
    if len(modules) > 1:
        g.add("pipelines/__init__.py", "")
    if g.rng.random() < 0.3:
        atom = g.atom("source")
        g.add("data/raw.txt", f"@{atom}@\n")
        g.add(
            g.file(modules[0]), '\nfrom pathlib import Path\nfrom solvent import source\nraw = source("data/raw.txt")\n'
        )
        g.add(g.file(modules[0]), "\n@step\ndef number(raw: Path) -> int:\n    return int(raw.read_text())\n")
        g.project.steps += [
            Step("raw", modules[0], [], {atom}, uncertain=False, env=[]),
            Step("number", modules[0], ["raw"], set(), uncertain=False, env=[]),
        ]
    for _ in range(g.rng.randint(3, 5)):
        known = [s.name for s in g.project.steps if s.name != "raw"]
        g.step(g.rng.choice(modules), g.rng.sample(known, min(len(known), g.rng.randint(0, 2))))
    for home in [*g.homes, *modules]:
        g.add(g.file(home), "\ndef bystander(x):\n    return x + 1\n\nBYSTANDER = 5\n")
    g.add("site-packages/unused-1.0.0.dist-info/RECORD", "unused_lib.py,,\n")
    g.add("site-packages/unused_lib.py", "X = 1\n")
    g.add("notes.md", "Some notes.\n")
    return g.project


def write(root: Path, files: dict[str, str], before: dict[str, str] | None = None) -> list[Path]:
    """Write what differs from `before` and remove what is no longer there. Returns: the files that were written."""
    written = []
    for path in before or {}:
        if path not in files:
            (root / path).unlink()
            if not any((root / path).parent.iterdir()):
                (root / path).parent.rmdir()
    for path, text in files.items():
        if before is None or before.get(path) != text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
            written.append(root / path)
    return written
