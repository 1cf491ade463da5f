"""Model files and weights: what is in them, and where they come from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from solvent.debt.facts.file import FileFacts
from solvent.debt.facts.pickles import KERAS_SUFFIXES, MODEL_SUFFIXES, dangerous, keras_lambda
from solvent.debt.facts.repository import Repository, is_test, is_vendored
from solvent.debt.facts.summary import Call
from solvent.debt.facts.types import words
from solvent.debt.finding import Found
from solvent.debt.rules.base import rule

LARGEST = 256_000_000  # bytes; a larger model file is not opened


@rule("BOX001", "unsafe-model-file", severity="E", principal="d", driver="U", source="picklescan; modelscan")
def unsafe_model_file(repository: Repository) -> Iterator[Found]:
    """A model file runs code when it is loaded: it calls the system, the network, or an interpreter.

    Why it costs: whoever loads it runs what its author wrote, with their rights.
    Fix: do not load it; make it anew from source, and keep models in skops, safetensors or ONNX.
    """
    for path in _model_files(repository, MODEL_SUFFIXES):
        bad = sorted(name for name in repository.pickled_globals(path) if dangerous(name))
        if bad:
            yield Found(1, (), f"calls {', '.join(bad[:3])}", syntax=bad[0], path=path)
        elif PurePosixPath(path).suffix.lower() in KERAS_SUFFIXES and keras_lambda(path, repository.bytes_of(path)):
            yield Found(1, (), "has a Lambda layer, which is code", syntax="Lambda", path=path)


def _model_files(repository: Repository, suffixes: frozenset[str]) -> Iterator[str]:
    for path in sorted(repository.files):
        entry = repository.files[path]
        if PurePosixPath(path).suffix.lower() in suffixes and 0 < entry.size <= LARGEST and not is_test(path):
            yield path


_SURE = words(".joblib .pt .pth .keras .onnx .bst .cbm .tflite .safetensors .ckpt")
_PICKLES = words(".pkl .pickle .p .sav .mdl .model .bin .h5 .hdf5")
_MODEL_GLOBAL = re.compile(r"^(sklearn|xgboost|lightgbm|catboost|torch|keras|tensorflow|statsmodels|imblearn)\.")
_SAVING = re.compile(
    r"(^|\.)(dump|save|save_model|save_weights|save_pretrained|export|ModelCheckpoint|write_bytes)$|savez?$"
)


@rule("BOX002", "model-without-origin", severity="W", principal="d", driver="U", source="Sculley 2015; ML Test Score")
def model_without_origin(repository: Repository) -> Iterator[Found]:
    """A model file is kept whose making is not: no code here writes it, or it needs classes that no module has.

    Why it costs: it cannot be made again, mended or explained; when it decays, somebody starts from nothing.
    Fix: keep the training code and the versions beside it; or record where it was downloaded from.
    """
    if not repository.git:
        return
    names, unknown = _written(repository)
    for path in _model_files(repository, _SURE | _PICKLES):
        if not repository.files[path].tracked or is_vendored(path) or _is_pointer(repository, path):
            continue
        if str(PurePosixPath(path).with_name("MLmodel")) in repository.files:
            continue  # a tracker's own copy, with its run beside it
        imported = repository.pickled_globals(path)
        models = sorted(name for name in imported if _MODEL_GLOBAL.match(name))
        mains = sorted(name for name in imported if name.startswith("__main__."))
        if PurePosixPath(path).suffix.lower() in _PICKLES and not (models or mains):
            continue
        if path.endswith(".bst") and repository.text(path) is not None:
            continue  # a style of BibTeX
        if mains:
            yield Found(1, (), f"needs `{mains[0]}`, which only the script that made it has", syntax="main", path=path)
        elif not unknown and not names & {PurePosixPath(path).name, path}:
            yield Found(1, (), "nothing here writes it", syntax="origin", path=path)


def _is_pointer(repository: Repository, path: str) -> bool:
    """Whether git keeps only a note of Git LFS: the file itself is elsewhere."""
    return repository.files[path].size < 1000 and repository.bytes_of(path).startswith(b"version https://git-lfs")


def _written(repository: Repository) -> tuple[set[str], bool]:
    """Names of files that some code, stage or note here writes or fetches, and whether some names are unknown."""
    names: set[str] = set()
    unknown = False
    for summary in repository.summaries.values():
        for access in summary.accesses:
            if access.write and access.path:
                names.add(PurePosixPath(access.path).name)
            elif access.write and _SAVING.search(access.by):
                unknown = True
    for path in repository.files:
        if path.endswith(
            ("dvc.yaml", ".dvc", ".md", ".rst", ".sh", "Makefile", "MLproject", ".R", ".yaml", ".yml", ".toml")
        ):
            names |= {word.strip(".") for word in re.findall(r"[\w.-]+", repository.text(path) or "") if "." in word}
    return names, unknown


_PINNED = words("revision commit_hash code_revision")
_LOCAL_ONLY = words("local_files_only cache_path gguf_file")


@rule("BOX003", "floating-weights", severity="W", principal="a", driver="T", source="Hugging Face: download docs")
def floating_weights(repository: Repository) -> Iterator[Found]:
    """Weights come from a hub by name, in whatever state their owner left them.

    Why it costs: the owner may change or withdraw them; results change and no commit says why.
    Fix: `revision="<commit>"`; for `torch.hub`, a tag after the colon.
    """
    made = {
        access.path.removeprefix("./")
        for each in repository.summaries.values()
        for access in each.accesses
        if access.write
    }
    for summary in repository.python_files():
        if is_test(summary.path):
            continue
        told = set(made)
        for call in summary.calls:
            name = _remote(repository, call)
            if name and name not in told and not set(call.given) & (_PINNED | _LOCAL_ONLY | {"**"}):
                told.add(name)
                yield Found(call.line, (call.line,), f"`{name}`", scope=call.scope, syntax=name, path=summary.path)


_ARGUMENTS = {
    "torch.hub.load": ("0", "repo_or_dir"),
    "transformers.pipeline": ("model", "1"),
    "transformers.pipelines.pipeline": ("model", "1"),
    "huggingface_hub.hf_hub_download": ("0", "repo_id"),
    "huggingface_hub.snapshot_download": ("0", "repo_id"),
}
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$")


def _remote(repository: Repository, call: Call) -> str:
    """The hub's name of what is fetched; empty where it may be a folder, or a version is part of it."""
    places = _ARGUMENTS.get(call.name, ("0", "pretrained_model_name_or_path", "model_name_or_path"))
    name = next((call.literals[place] for place in places if place in call.literals), "")
    if call.name == "torch.hub.load":
        local = call.literals.get("source") == "local"
        return name if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not local else ""
    here = name.partition("/")[0] in repository.folder_names
    if not _HUB_ID.match(name) or here or _looks_local(name):
        return ""
    return name


def _looks_local(name: str) -> bool:
    words_ = re.split(r"[/_.-]", name.lower())
    folders = {
        "model",
        "models",
        "output",
        "outputs",
        "checkpoint",
        "checkpoints",
        "data",
        "results",
        "saved",
        "path",
        "tmp",
        "my",
    }
    plain = "/" not in name and not re.search(r"\d|-", name)
    return plain or words_[0] in folders or bool(re.search(r"\.(bin|pt|pth|json|safetensors)$", name))


@rule("BOX004", "untrusted-load", severity="E", principal="b", driver="U", source="Python: pickle; picklescan")
def untrusted_load(file: FileFacts) -> Iterator[Found]:
    """Code from elsewhere is run by loading: a pickle from the network or a request, or a hub's own code.

    Why it costs: whoever controls the other end, or the way to it, runs what they like here.
    Fix: a format without code (skops, safetensors, ONNX, JSON); for a hub, `revision=` of code that was read.
    Allow when: the sender is authenticated and trusted as much as your own code.
    """
    if is_test(file.path):
        return
    for call in file.nodes(ast.Call):
        trusting = next((one for one in call.keywords if one.arg == "trust_remote_code"), None)
        pinned = any(one.arg in {"revision", "code_revision"} for one in call.keywords)
        from_server = isinstance(call.func, ast.Attribute) and call.func.attr == "from_mcp"
        if trusting and _is_true(trusting.value) and not pinned and not from_server:
            yield Found.at(call, trusting.value, said="runs the hub's own code")
        elif file.resolve(call.func) in _LOADERS and call.args:
            origin = _from_afar(file, call.args[0], 4)
            if origin is not None:
                yield Found.at(call, origin)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


_LOADERS = words("""
    pickle.load pickle.loads cPickle.load cPickle.loads dill.load dill.loads cloudpickle.load cloudpickle.loads
    joblib.load pandas.read_pickle
""")
_FETCHES = words("""
    requests.get requests.post urllib.request.urlopen urllib2.urlopen urllib.urlopen httpx.get httpx.post
    flask.request.get_data flask.request.data flask.request.files
""")
_WRAPS = words("""
    io.BytesIO gzip.open gzip.decompress base64.b64decode zlib.decompress bz2.decompress builtins.bytes
""")


def _from_afar(file: FileFacts, node: ast.expr, depth: int) -> ast.expr | None:
    """Where the bytes of an expression come over the network, in the same file and through plain names."""
    if depth == 0:
        return None
    if isinstance(node, ast.Constant):
        return node if isinstance(node.value, str) and re.match(r"https?://", node.value) else None
    if isinstance(node, ast.Name):
        found = file.binding(node)
        value = found[1][0].value if found and len(found[1]) == 1 and found[1][0].kind == "assign" else None
        return _from_afar(file, value, depth - 1) if value is not None else None
    name = file.resolve(node)
    if any(name == fetch or name.startswith(f"{fetch}.") for fetch in _FETCHES):
        return node
    if isinstance(node, ast.Call):
        if file.resolve(node.func) in _FETCHES:
            return node
        if file.resolve(node.func) in _WRAPS and node.args:
            return _from_afar(file, node.args[0], depth - 1)
        return _from_afar(file, node.func, depth - 1) if isinstance(node.func, ast.Attribute) else None
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _from_afar(file, node.value, depth - 1)
    return _from_afar(file, node.value, depth - 1) if isinstance(node, ast.Await) else None
