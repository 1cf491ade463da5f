"""What counts for a step, and what does not: by hand, the ways that a generator would not think of.

Whole projects are mutated in tests/promises/test_mutations.py.
"""

from __future__ import annotations

import pytest

HELPER = """
    CAP = 3
    def scale(x):
        return min(x, CAP)
    def unused(x):
        return x
"""


def test_only_what_a_function_uses_is_reached(files):
    files.write(helper=HELPER, main="from helper import scale\nX = 1\ndef s(x):\n    return scale(x)\n")
    assert files.reached() == {"helper.py::scale", "helper.py::CAP"}


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("import helper", "helper.scale(x)"),
        ("import helper as h", "h.scale(x)"),
        ("from helper import scale as q", "q(x)"),
        ("from helper import *", "scale(x)"),
        ("if len('x'):\n    from helper import scale", "scale(x)"),
        ("try:\n    import helper as h\nexcept ImportError:\n    h = None", "h.scale(x)"),
        ("import pkg", "pkg.scale(x)"),
        ("import pkg.deep.inner", "pkg.deep.inner.again(x)"),
        ("from pkg.deep import inner", "inner.again(x)"),
        ("from pkg.star import *", "scale(x)"),
        ("from space.tool import via", "via(x)"),
        ("import helper", "getattr(helper, 'scale')(x)"),
        ("from helper import scale\nways = {'k': scale}", "ways['k'](x)"),
        ("import helper\nscale = helper.scale", "scale(x)"),
        ("from functools import partial\nimport helper\nscale = partial(helper.scale)", "scale(x)"),
    ],
)
def test_every_way_to_a_function_reaches_it(files, line, call):
    files.write(
        helper=HELPER,
        pkg__INIT="from .deep.inner import again as scale\n",
        pkg__deep__INIT="",
        pkg__deep__inner="import helper\ndef again(x):\n    return helper.scale(x)\n",
        pkg__star="from helper import *\n",
        space__tool="from helper import scale\ndef via(x):\n    return scale(x)\n",
        main=f"{line}\ndef s(x):\n    return {call}\n",
    )
    before = files.step()
    assert {"helper.py::scale", "helper.py::CAP"} <= files.reached()
    files.write(helper=HELPER.replace("CAP = 3", "CAP = 4"))
    assert files.step().code != before.code
    files.write(helper=HELPER.replace("return x", "return -x").replace("CAP = 3", "CAP  =  3  # the cap"))
    assert (files.step().code, before.whole) == (before.code, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return z + k", "return z - k"),  # a closure
        ("k=2", "k=3"),  # a default
        ("RATE = 5", "RATE = 6"),  # a class attribute
        ("def go(self): return 1", "def go(self): return 2"),  # a base's method
        ("return 7", "return 8"),  # a metaclass's property
        ("fn(x) + 1", "fn(x) + 2"),  # a decorator
        ("rate: int = 4", "rate: int = 9"),  # a dataclass's field
        ("-> int", "-> float"),  # an annotation
        ("n: 'Options'", "n: 'Other'"),  # one in a string
        ("LIMIT += 1", "LIMIT += 2"),  # a second binding
    ],
)
def test_whatever_shapes_the_result_counts(files, old, new):
    text = """
        from dataclasses import dataclass
        class Meta(type):
            @property
            def level(cls): return 7
        class Base:
            def go(self): return 1
        class K(Base, metaclass=Meta):
            RATE = 5
        @dataclass
        class Options:
            rate: int = 4
        class Other: ...
        def deco(fn):
            def inner(x): return fn(x) + 1
            return inner
        @deco
        def decorated(x): return x
        LIMIT = 1
        LIMIT += 1
        def helper(x, k=2):
            def inner(z): return z + k
            return inner(x)
        def s(x, n: 'Options' = None) -> int:
            return helper(x) + K().go() + K.RATE + K.level + decorated(x) + LIMIT + Options().rate
    """
    files.write(main=text)
    before = files.step().code
    assert old in text
    files.write(main=text.replace(old, new))
    assert files.step().code != before


def test_a_swapped_import_counts_though_the_same_symbols_are_reached(files):
    files.write(
        helper="def one(x):\n    return 1\ndef two(x):\n    return 2\n",
        main="from helper import one as a, two as b\ndef s(x):\n    return a(x) - b(x)\n",
    )
    before = files.step().code
    files.write(main="from helper import two as a, one as b\ndef s(x):\n    return a(x) - b(x)\n")
    assert files.step().code != before


def test_the_order_of_bindings_and_effects_counts_where_it_matters(files):
    orders = [
        "X = 1\nY = X\nX = 2\n",
        "X = 1\nX = 2\nY = X\n",
        "A = [1]\nY = len(A)\nA.append(2)\n",
        "A = [1]\nA.append(2)\nY = len(A)\n",
    ]
    found = []
    for text in orders:
        files.write(main=f"{text}def s(x):\n    return Y\n")
        found.append(files.step().code)
    assert len(set(found)) == 4


def test_implementations_that_are_registered_count(files):
    text = "import functools\n@functools.singledispatch\ndef f(x):\n    return 0\n"
    text += "@f.register\ndef _(x: int):\n    return 1\n"
    files.write(helper=text, main="from helper import f\ndef s(x):\n    return f(x)\n")
    before = files.step().code
    files.write(helper=text.replace("return 1", "return 2"))
    assert files.step().code != before


@pytest.mark.parametrize("call", ["x.query('a > @CAP')", "duckdb.sql('select * from CAP')"])
def test_a_name_that_a_query_refers_to_counts(files, call):
    files.write(main=f"import duckdb\nCAP = 1\ndef s(x):\n    return {call}\n")
    assert files.reached() == {"main.py::CAP"}


def test_a_local_name_is_no_use_of_the_global_one(files):
    files.write(main="CAP = 1\nrow = 2\ndef s(x):\n    CAP = x\n    return [row + CAP for row in [x]]\n")
    assert files.reached() == set()


def test_what_an_import_does_counts_for_all_who_import_it(files):
    text = "import settings\ndef s(x):\n    return x\n"
    files.write(settings="import helper\nhelper.CAP = 9\n", helper=HELPER, main=text)
    before = files.step().code
    files.write(settings="import helper\nhelper.CAP = 10\n")
    assert files.step().code != before
    files.write(settings="import helper\n")
    assert files.reached() == set()


def test_functions_that_call_each_other_are_as_loud_as_either(files):
    text = """
        TABLE = {"k": 1}
        def first(n):
            second(n)
            TABLE["k"] = 2
        def second(n):
            return first(n - 1) if n else 0
        A = first(0)
        B = second(1)
        def s(x):
            return x
    """
    files.write(main=text)
    assert {"main.py::A", "main.py::B"} <= files.reached()


def test_modules_that_import_each_other_resolve_from_either_side(files):
    files.write(one="from two import *\nfrom far import *\n", two="from one import *\nfrom near import *\n")
    files.write(far="Z = 1\n", near="Y = 1\n")
    files.write(main="import one, two\ndef s(x):\n    return one.Y + one.Z + two.Y + two.Z\n")
    assert files.reached() == {"far.py::Z", "near.py::Y"}


def test_quiet_calls_at_import_count_only_where_their_name_is_used(files):
    files.write(
        main="""
            import re
            from dataclasses import dataclass
            from helper import make
            PATTERN = re.compile("a")
            MADE = make(3)
            @dataclass
            class Options:
                names: tuple = ("a", "b")
            OPTIONS = Options()
            def s(x):
                return x
        """,
        helper="def make(k):\n    rows = []\n    rows.append(k)\n    return rows\n",
    )
    assert files.reached() == set()


def test_a_step_may_be_renamed_and_its_parameters_defaults_stand_elsewhere(files):
    text = "from solvent import step\nRATE = 1\n@step\ndef s(x, *, rate: int = RATE):\n    return x * rate\n"
    files.write(main=text)
    before = files.step().code
    files.write(
        main=text.replace("def s(", "def other(").replace("RATE = 1", "RATE = 2").replace("@step", "@step(env=['A'])")
    )
    assert files.step("other").code == before
    files.write(main=text.replace("@step", "@step\n@print"))
    assert files.step().code != before


def test_data_files_that_a_literal_names_count(files):
    (files.root / "config").mkdir()
    (files.root / "config" / "limits.json").write_text("{}")
    (files.root / "data").mkdir()
    (files.root / "data" / "rides.csv").write_text("a")
    for reading in (
        "open('config/limits.json')",
        "Path('config') / 'limits.json'",
        "HERE / 'config' / 'limits.json'",
        "os.path.join(HERE, 'config', 'limits.json')",
        "Path('config', 'limits.json')",
    ):
        files.write(
            main="import os\nfrom pathlib import Path\nHERE = Path('.')\n"
            f"def s(x):\n    return {reading}, 'data/rides.csv'\n"
        )
        assert "config/limits.json" in files.step().data, reading
        assert "data/rides.csv" not in files.step().data, "a source has a recipe of its own"
    before = files.step().code
    (files.root / "config" / "limits.json").write_text("[]")
    assert files.step().code != before


def test_what_would_take_a_names_place_is_watched(files):
    files.write(
        helper=HELPER,
        main="import json\nimport helper\ndef s(x):\n    return json, helper.CAP, open('later/limits.json')\n",
    )
    code = files.map()
    code.prepare([("main", str(files.root / "main.py"))])
    code.step("main", str(files.root / "main.py"), "s")
    assert {"helper/__init__.py", "later/limits.json", "json.py", "json/__init__.py"} <= set(code.absent())
    assert "helper.py" not in code.absent()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("return getattr(helper, x)", "uses the module `helper.*` as a value"),
        ("return eval(x)", "loads or reads code by name (`eval`)"),
        ("return importlib.import_module(x)", "loads code by name (`importlib.import_module`)"),
        ("return time.time()", "reads the clock (`time.time`)"),
        ("return datetime.now()", "reads the clock (`datetime.datetime.now`)"),
        ("return np.random.rand()", "draws at random without a seed (`numpy.random.rand`)"),
        ("return np.random.default_rng()", "draws at random without a seed (`numpy.random.default_rng`)"),
        ("return uuid.uuid4()", "draws at random without a seed (`uuid.uuid4`)"),
        ("return requests.get(x)", "uses the network (`requests.get`)"),
        ("return subprocess.run(x)", "starts a program (`subprocess.run`)"),
        ("return os.environ['B']", "reads the environment variable B, which the step does not declare"),
        ("return os.getenv(x)", "reads environment variables"),
        ("return open(f'a/{x}.json')", "`open` reads a file whose name is computed"),
        ("name = f'cfg/{x}.json'\n    return open(name)", "a file's name is computed"),
        ("place = DATA_DIR / x\n    return place.read_text()", "a file's name is computed"),
        ("return helper.K.__subclasses__()", "looks at code from inside (`__subclasses__`)"),
        ("return os.listdir(x)", "`listdir` reads a folder whose files are not named"),
        ("helper.CAP = x", "changes the global `helper.CAP`"),
        ("SEEN.append(x)", "changes the global `SEEN`"),
        ("return len(MEMO)", "`MEMO` is a container that others fill"),
        ("global CAP\n    CAP = x", "changes the global `CAP`"),
    ],
)
def test_what_cannot_be_seen_is_told_by_line(files, line, what):
    head = "import importlib, os, subprocess, time, uuid\nfrom datetime import datetime\n"
    head += "import numpy as np\nimport requests\nimport helper\n"
    files.write(helper=HELPER, main=f"{head}CAP = 1\nSEEN = [1]\nMEMO = {{}}\ndef s(x):\n    {line}\n")
    found = files.step(env=("A",))
    assert any(doubt.endswith(what) for doubt in found.doubts), found.doubts
    assert found.doubts[0].startswith("main.py:") and found.whole


@pytest.mark.parametrize(
    "line",
    [
        "return np.random.default_rng(7)",
        "rng = random.Random(7)\n    return rng.random()",
        "np.random.seed(3)\n    return np.random.rand()",
        "return os.environ['A']",
        "return getattr(x, 'name'), getattr(x, x)",
        "rows = []\n    rows.append(x)\n    return rows",
        "return open(x)",
        "return np.append([1], x)",
        "return CAP / x, f'{x}/{x}'",
    ],
)
def test_what_can_be_seen_is_not_called_uncertain(files, line):
    files.write(main=f"import os, random\nimport numpy as np\ndef s(x):\n    {line}\n")
    assert files.step(env=("A",)).doubts == ()


def test_an_uncertain_step_counts_by_whole_modules_and_a_dynamic_one_by_the_whole_project(files):
    files.write(
        helper=HELPER,
        alone="X = 1\n",
        main="import time\nfrom helper import scale\ndef s(x):\n    return scale(time.time())\n",
    )
    before = files.step()
    files.write(
        helper=HELPER.replace("def unused(x):\n        return x", "def unused(x):\n        return -x"), alone="X = 2\n"
    )
    after = files.step()
    assert after.code == before.code and after.whole != before.whole
    files.write(main="def s(x):\n    return eval(x)\n")
    before = files.step()
    files.write(alone="X = 3\n")
    assert files.step().whole != before.whole


def test_distributions_of_the_modules_that_are_reached_count(files):
    files.write(
        helper="import polars as pl\ndef f(x):\n    return pl.col(x)\n",
        other="import sklearn\ndef g(x):\n    return x\n",
        main="import msgspec\nfrom helper import f\nimport other\ndef s(x):\n    return f(x)\n",
    )
    found = files.step()
    assert [d.partition("==")[0] for d in found.distributions] == ["msgspec", "polars"]
    assert found.native
    files.write(main="def s(x):\n    import msgspec\n    return x\n")
    assert [d.partition("==")[0] for d in files.step().distributions] == ["msgspec"]


def test_a_class_that_is_moved_counts_since_a_pickle_names_its_module(files):
    text = "class K:\n    def go(self):\n        return 1\n"
    files.write(one=text, main="from one import K\ndef s(x):\n    return K()\n")
    code = files.map()
    before = files.step()
    files.write(two=text, main="from two import K\ndef s(x):\n    return K()\n")
    assert files.step().code != before.code
    code.prepare([("main", str(files.root / "main.py"))])
    assert len(code.carried(code.step("main", str(files.root / "main.py"), "s").root)) == 1


def test_a_file_that_is_no_python_counts_as_it_stands(files):
    files.write(broken="print 'two'\n", main="def s(x):\n    import broken\n    return broken.X\n")
    before = files.step()
    assert before.doubts == ("broken.py:1: no Python that can be read", *before.doubts[1:])
    files.write(broken="print 'three'\n")
    assert files.step().whole != before.whole
