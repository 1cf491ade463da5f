"""What works on one machine only: paths, secrets, the order of a hash."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from solvent.debt.facts.accesses import READ_METHODS, READS, WRITE_METHODS, WRITES
from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.repository import is_test
from solvent.debt.facts.secrets import secrets
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

# The homes of images and services that are the same wherever they run.
_COMMON = (
    "jovyan|app|user|airflow|vscode|docker|worker|appuser|ubuntu|nobody|runner|circleci|vmagent|coder|model-server"
)
MACHINE = re.compile(
    rf"^(/home/(?!({_COMMON})(/|$))[\w.-]+(/|$)|/Users/(?!Shared)[\w.-]+/|[A-Za-z]:[\\/](?![\\/])\S|/content/"
    r"|\\\\[\w.-]+\\)"
)
_FILES = (
    words("""
        builtins.open io.open os.chdir os.listdir os.walk os.scandir os.makedirs os.mkdir os.remove os.path.exists
        os.path.isfile os.path.isdir glob.glob glob.iglob shutil.copy shutil.copyfile shutil.move shutil.rmtree
        shutil.copytree shutil.unpack_archive sys.path.append sys.path.insert zipfile.ZipFile tarfile.open h5py.File
        sqlite3.connect cv2.VideoCapture torchvision.datasets.ImageFolder pickle.load
        tensorflow.keras.preprocessing.image_dataset_from_directory keras.preprocessing.image_dataset_from_directory
        keras.utils.image_dataset_from_directory tensorflow.keras.utils.image_dataset_from_directory
        tensorflow.io.gfile.glob spacy.load gensim.models.KeyedVectors.load_word2vec_format joblib.load
    """)
    | READS.keys()
    | WRITES.keys()
)
_METHODS = (
    READ_METHODS
    | WRITE_METHODS.keys()
    | words("flow_from_directory load_weights imread read_csv glob iterdir extractall")
)
_PASSED_ON = frozenset({"os.path.join", "pathlib.Path", "builtins.str", "os.path.abspath", "os.path.expanduser"})


@rule("REP002", "machine-path", severity="W", principal="a", driver="U", source="pynblint; Pimentel 2019")
def machine_path(file: FileFacts) -> Iterator[Found]:
    """A path that exists on one person's machine, or on one service's, is read or written.

    Why it costs: it runs nowhere else: not for a colleague, not in a schedule, not on the next laptop.
    Fix: a path relative to the project, or a parameter.
    Allow when: the script is meant for that machine or service only.
    """
    told: set[int] = set()
    fetched = any(_FETCHING.search(line) for line in file.document.blanked.values())
    for text in file.nodes(ast.Constant):
        if text.lineno in told or not isinstance(text.value, str) or "\n" in text.value:
            continue
        if fetched and text.value.startswith("/content/") and not text.value.startswith("/content/drive"):
            continue
        if MACHINE.match(text.value) and not is_test(file.path):
            reached = _io(file, text, 4)
            if reached is not None and not _chosen(file, reached):
                told.add(text.lineno)
                yield Found.at(text, reached)


# Lines by which a Colab notebook brings what it then reads: it runs there for everyone.
_FETCHING = re.compile(r"git\s+clone|wget|curl|unzip|gdown|kaggle\s+(datasets|competitions)|tar\s+-?x")


def _chosen(file: FileFacts, node: ast.expr) -> bool:
    """Whether a condition asks first which machine it is, or whether the path is there."""
    tests = [above.test for above in file.parents(node) if isinstance(above, ast.If | ast.IfExp)]
    return any(
        re.search(r"colab|kaggle|exists|isdir|isfile|hostname|platform|environ", ast.unparse(test), re.IGNORECASE)
        for test in tests
    )


def _io(file: FileFacts, node: ast.expr, depth: int) -> ast.expr | None:
    """The call that opens what an expression says, directly or through names that are assigned once."""
    inner: ast.expr = node
    for above in file.parents(node):
        if isinstance(above, ast.Call):
            if inner is not above.func and _opens(file, above):
                return above
            as_owner = isinstance(above.func, ast.Attribute) and inner is above.func
            if as_owner and isinstance(above.func, ast.Attribute) and above.func.attr in _METHODS | {"open", "exists"}:
                return above
            if file.resolve(above.func) not in _PASSED_ON and not as_owner:
                return None
        elif isinstance(above, ast.Assign | ast.AnnAssign):
            return _through_name(file, above, depth)
        elif not isinstance(above, ast.BinOp | ast.JoinedStr | ast.FormattedValue | ast.Attribute | ast.keyword):
            return None
        inner = above if isinstance(above, ast.expr) else inner
    return None


def _opens(file: FileFacts, call: ast.Call) -> bool:
    name = file.resolve(call.func)
    if name:
        return name in _FILES
    return isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS


def _through_name(file: FileFacts, assignment: ast.Assign | ast.AnnAssign, depth: int) -> ast.expr | None:
    targets = assignment.targets if isinstance(assignment, ast.Assign) else [assignment.target]
    if depth == 0 or len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return None
    target = targets[0]
    for name in file.nodes(ast.Name):
        if name.id == target.id and isinstance(name.ctx, ast.Load):
            found = file.binding(name)
            if found is not None and len(found[1]) == 1 and found[1][0].node is target:
                reached = _io(file, name, depth - 1)
                if reached is not None:
                    return reached
    return None


@rule("REP003", "secret", severity="E", principal="b", driver="T", source="OWASP: hard-coded credentials")
def secret(file: FileFacts) -> Iterator[Found]:
    """A credential stands in the code.

    Why it costs: whoever can read the repository, or ever could, can act as its owner.
    Fix: revoke it, then read it from the environment or a secret store; deleting the line does not unpublish it.
    """
    text = file.document.text
    for position, kind in secrets(text):
        yield Found(text.count("\n", 0, position) + 1, (), kind, syntax=kind)


@rule(
    "REP004",
    "hash-order",
    severity="W",
    principal="a",
    driver="R",
    source="Python reference: PYTHONHASHSEED",
    preview=True,
)
def hash_order(file: FileFacts) -> Iterator[Found]:
    """The order of columns or classes, or a feature, follows Python's hash of strings, which differs at each start.

    Why it costs: a model that is saved and loaded elsewhere reads its columns or classes in another order.
    Fix: `sorted(set(...))`; for a hash that stays, `hashlib` or scikit-learn's FeatureHasher.
    """
    for call in file.nodes(ast.Call):
        name = file.resolve(call.func)
        if name == "builtins.enumerate" and call.args and _set_of_strings(file, call.args[0]):
            above = next((each for each in file.parents(call) if isinstance(each, ast.comprehension)), None)
            if above is not None and any(isinstance(each, ast.DictComp) for each in file.parents(call)):
                yield Found.at(call)
        elif name == "builtins.hash" and len(call.args) == 1 and _is_string(file, call.args[0]):
            above_ = next(iter(file.parents(call)), None)
            if isinstance(above_, ast.BinOp) and isinstance(above_.op, ast.Mod):
                yield Found.at(call)


def _set_of_strings(file: FileFacts, node: ast.expr) -> bool:
    """`set(...)` or `list(set(...))` of what is evidently strings."""
    if not isinstance(node, ast.Call) or not node.args:
        return False
    name = file.resolve(node.func)
    if name == "builtins.list":
        return _set_of_strings(file, node.args[0])
    return name == "builtins.set" and _is_strings(file, node.args[0])


def _is_strings(file: FileFacts, node: ast.expr) -> bool:
    if _is_string(file, node):
        return True  # its characters
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"split", "splitlines"}
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return bool(node.elts) and all(_is_string(file, each) for each in node.elts)
    return isinstance(node, ast.Name) and bool(re.search(r"(words|tokens|chars|characters|vocab)$", node.id))


def _is_string(file: FileFacts, node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return True
    return file.type_of(node) == "str"
