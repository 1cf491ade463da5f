"""Names and types: what is known for sure, and silence about the rest."""

import ast

import pytest

from solvent.debt.facts.document import Document
from solvent.debt.facts.file import FileFacts


def last(code: str) -> tuple[FileFacts, ast.expr]:
    """The expression statement at the very end, wherever it stands."""
    file = FileFacts(Document("a.py", code))
    return file, list(file.nodes(ast.Expr))[-1].value


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import numpy as np\nnp.nan", "numpy.nan"),
        ("import sklearn.svm\nsklearn.svm.SVC", "sklearn.svm.SVC"),
        ("import sklearn.svm as s\ns.SVC", "sklearn.svm.SVC"),
        ("from sklearn import svm as s\ns.SVC", "sklearn.svm.SVC"),
        ("from . import util\nutil.x", ".util.x"),
        ("from ..a.b import c\nc", "..a.b.c"),
        ("import pandas as pd\nread = pd.read_csv\nread", "pandas.read_csv"),
        ("import pandas as pd\np = pd\nread = p.read_csv\nread", "pandas.read_csv"),
        ("def f():\n  import numpy as np\n  np.nan", "numpy.nan"),
        ("import numpy as np\ndef f():\n  np.nan", "numpy.nan"),
        ("import numpy as np\n[np.nan for x in y]\nlambda: np", ""),
        ("try:\n  import torch\nexcept ImportError:\n  torch = None\ntorch.nn", "torch.nn"),
        ("open", "builtins.open"),
        # bound anew, or never known
        ("import numpy as np\nnp = 1\nnp.nan", ""),
        ("import numpy as np\ndef f(np):\n  np.nan", ""),
        ("import numpy as np\nfor np in x:\n  np.nan", ""),
        ("from a import f\ndef f(): pass\nf", ""),
        ("def train_test_split(): pass\ntrain_test_split", ""),
        ("try:\n  import a as m\nexcept ImportError:\n  import b as m\nm.x", ""),
        ("from a import *\nopen", ""),
        ("import numpy as np\ndef f():\n  global np\n  np = 1\nnp.nan", ""),
        ("import numpy as np\nclass A:\n  np = 1\n  def f(self):\n    np.nan", "numpy.nan"),
        ("import numpy as np\nclass A:\n  np = 1\n  np.nan", ""),
        ("a = b\nb = a\na.x", ""),
        ("import a\nf(a).x", ""),
    ],
)
def test_resolve(code: str, name: str) -> None:
    file, node = last(code)
    assert file.resolve(node) == name


P = "import pandas as pd, polars as pl, numpy as np\nfrom sklearn.svm import SVC\n"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("df = pd.read_csv('a')\ndf", "pandas.DataFrame"),
        ("df = pd.read_csv('a')\ndf = df.dropna()\ndf", "pandas.DataFrame"),
        ("df = pd.DataFrame()\ndf['a']", "pandas.Series"),
        ("df = pd.DataFrame()\ndf[['a']]", "pandas.DataFrame"),
        ("df = pd.DataFrame()\ndf[df.a == 1]", "pandas.DataFrame"),
        ("df = pd.DataFrame()\ndf[df['a'] > 1]['b']", "pandas.Series"),
        ("df = pd.DataFrame()\ndf.loc[:, ['a']]", "pandas.DataFrame"),
        ("m = SVC(C=2)\nm", "sklearn.svm.SVC"),
        ("m = SVC().fit(x, y)\nm", "sklearn.svm.SVC"),
        ("def f(df: pd.DataFrame | None):\n  df", "pandas.DataFrame"),
        ("def f(df: 'pd.DataFrame'):\n  df", "pandas.DataFrame"),
        ("from typing import Optional\ndef f(df: Optional[pd.DataFrame]):\n  df", "pandas.DataFrame"),
        ("def f() -> pd.DataFrame: ...\nf()", "pandas.DataFrame"),
        ("pl.scan_csv('a').filter(x).collect()", "polars.DataFrame"),
        ("pd.concat([pd.DataFrame(), x])", "pandas.DataFrame"),
        ("[1]", "list"),
        # unknown
        ("df = pd.read_csv('a')\ndf = g(df)\ndf", ""),
        ("df = pd.read_csv('a', chunksize=3)\ndf", ""),
        ("df = pd.read_csv('a')\nif x:\n  df = SVC()\ndf", ""),
        ("def f(df):\n  df", ""),
        ("for df in x:\n  df", ""),
        ("df = pd.DataFrame()\ndf[key]", ""),
        ("df = pd.read_csv('a').dropna(inplace=True)\ndf", ""),
        ("a = b\nb = a\na", ""),
    ],
)
def test_type_of(code: str, name: str) -> None:
    file, node = last(P + code)
    assert file.type_of(node) == name


def test_names_that_define_each_other_end() -> None:
    names = [f"v{i}" for i in range(40)]
    code = "\n".join(f"{a} = {b}.dropna()" for a in names for b in names)
    file, node = last(f"{code}\nv0")
    assert file.type_of(node) == ""


def test_scopes_and_parents() -> None:
    file, node = last("class A:\n  def f(self):\n    [x for x in y]\n    z")
    assert file.scope(node).name == "A.f"
    assert [type(each).__name__ for each in file.parents(node)] == ["Expr", "FunctionDef", "ClassDef", "Module"]
    assert file.statement(node) is file.map.parent[node]
