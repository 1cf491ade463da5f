"""scikit-learn models on disk: skops, a reviewed list of types, and checks that skops leaves to us.

A file never says itself what is trusted. `_REVIEWED` lists what was read for its
`__setstate__` and `__reduce__`, by scikit-learn version; trees, which skops leaves
out because a crafted node index crashes the process, are let in and their indices
checked.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection
from typing import Any

import numpy as np
from blake3 import blake3

from solvent.foundation.errors import Refusal
from solvent.lineage.digests import Digest, canonical

MAX_BYTES = 4 << 30  # of all members, unpacked
MAX_SCHEMA_BYTES = 512 << 20
MAX_MEMBERS = 500_000


class UnsafeModel(Refusal):
    """A model file that must not be loaded: an unknown type, an implausible size, an index out of bounds."""

    code = "unsafe-model"


class Undumpable(Refusal):
    """A model that skops cannot write."""

    code = "undumpable-model"


_REVIEWED = {
    (1, 7): frozenset(
        {
            "functools.partial",  # calls nothing while it loads; the function in it must be listed itself
            "numpy.dtype",
            "scipy._lib.array_api_compat.numpy._aliases.asarray",
            "scipy.interpolate._bsplines.BSpline",
            "scipy.interpolate._bsplines._BSpline",  # from SciPy 1.18 on, inside the other
            "sklearn._loss.loss.HalfTweedieLoss",
            "sklearn._loss.loss.HalfTweedieLossIdentity",
            "sklearn.calibration._CalibratedClassifier",
            "sklearn.calibration._SigmoidCalibration",
            "sklearn.compose._column_transformer._RemainderColsList",
            "sklearn.compose._column_transformer.make_column_selector",
            "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
            "sklearn.feature_selection._mutual_info.mutual_info_classif",
            "sklearn.feature_selection._mutual_info.mutual_info_regression",
            "sklearn.feature_selection._univariate_selection.chi2",
            "sklearn.feature_selection._univariate_selection.f_classif",
            "sklearn.feature_selection._univariate_selection.f_regression",
            "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
            "sklearn.gaussian_process.kernels.ConstantKernel",
            "sklearn.gaussian_process.kernels.Matern",
            "sklearn.gaussian_process.kernels.Product",
            "sklearn.gaussian_process.kernels.RBF",
            "sklearn.gaussian_process.kernels.RationalQuadratic",
            "sklearn.gaussian_process.kernels.Sum",
            "sklearn.gaussian_process.kernels.WhiteKernel",
            "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
            "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
            "sklearn.tree._tree.Tree",
            "sklearn.utils._bunch.Bunch",
            "sklearn.utils.validation.check_array",  # in the encoder of boosting's categorical features
        }
    ),
}


def reviewed_types(version: str | None = None) -> list[str]:
    """Types trusted beside skops' own list for a scikit-learn version (default: the installed one)."""
    if version is None:
        import sklearn

        version = sklearn.__version__
    major, minor = (int(part) for part in version.split(".")[:2])
    known = [v for v in _REVIEWED if v <= (major, minor)]
    return sorted(_REVIEWED[max(known)]) if known else []


def dump_model(estimator: Any) -> bytes:
    """A fitted estimator as skops bytes. Raises: Undumpable."""
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        data: bytes = skops.io.dumps(estimator)
    except (UnsupportedTypeException, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Undumpable(f"skops cannot write this {type(estimator).__name__}: {error}") from error
    if b"<lambda>" in data:
        raise Undumpable(f"this {type(estimator).__name__} holds a lambda", next="write it as a function with `def`")
    return data


def load_model(data: bytes, extra_trusted: Collection[str] = ()) -> Any:
    """The estimator in a skops file, if every type in it is trusted and every tree is sound.

    extra_trusted: dotted names that the caller vouches for, such as a project's own
    transformer; never taken from the file. Raises: UnsafeModel, naming the type.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    _refuse_implausible(data)
    try:
        estimator = skops.io.loads(data, trusted=[*reviewed_types(), *extra_trusted])
    except UntrustedTypesFoundException as error:
        raise UnsafeModel(
            f"the model file holds types that nobody reviewed: {error}",
            next="keep to scikit-learn's own estimators, or load it where its module is known",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, ImportError, RecursionError, EOFError) as error:
        raise UnsafeModel(f"the model file cannot be read: {type(error).__name__}: {error}") from error
    _check_indices(estimator, None, set())
    return estimator


def untrusted_types(data: bytes) -> list[str]:
    """Types in a skops file that neither skops nor our list trusts."""
    import skops.io

    _refuse_implausible(data)
    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(reviewed_types()))


def content_digest(data: bytes) -> Digest:
    """Digest of what a skops file says: equal for two dumps of one fitted model.

    Object ids and the names of array files, which differ between dumps, do not
    count; arrays count by their values, sets regardless of order.
    """
    _refuse_implausible(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = json.loads(archive.read("schema.json"))
        schema.pop("_skops_version", None)
        arrays: dict[str, str] = {}
        return Digest(blake3(canonical(_canonical_node(schema, archive, arrays))).hexdigest())


def _canonical_node(node: Any, archive: zipfile.ZipFile, arrays: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_canonical_node(item, archive, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    result = {k: _canonical_node(v, archive, arrays) for k, v in node.items() if k not in ("__id__", "file")}
    if isinstance(name := node.get("file"), str):
        if name not in arrays:
            arrays[name] = _array_digest(archive.read(name))
        result["file"] = arrays[name]
    if node.get("__loader__") == "SetNode" and isinstance(result.get("content"), list):
        result["content"] = sorted(result["content"], key=canonical)
    if node.get("__loader__") == "PartialNode" and node["content"]["namespace"].get("content") in ("null", {}):
        del result["content"]["namespace"]  # a partial without attributes: null when made, {} once loaded
    return result


def _array_digest(member: bytes) -> str:
    """Digest of an array's type, shape and values; the padding inside of records does not count."""
    if not member.startswith(b"\x93NUMPY"):
        return blake3(member).hexdigest()
    array = np.load(io.BytesIO(member), allow_pickle=False)
    if array.dtype.names is None:
        return blake3(member).hexdigest()
    hasher = blake3(f"{array.dtype.names} {array.shape}".encode())
    for name in array.dtype.names:
        column = np.ascontiguousarray(array[name])
        hasher.update(f"{column.dtype.str}".encode())
        hasher.update(column.tobytes())
    return hasher.hexdigest()


def _refuse_implausible(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            sizes = {member.filename: member.file_size for member in members}
    except zipfile.BadZipFile as error:
        raise UnsafeModel(f"no skops file: {error}") from error
    if "schema.json" not in sizes:
        raise UnsafeModel("no skops file: it has no schema.json")
    if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_BYTES:
        raise UnsafeModel(
            f"the model file unpacks to {sum(m.file_size for m in members):,} bytes, more than is allowed"
        )
    if sizes["schema.json"] > MAX_SCHEMA_BYTES:
        raise UnsafeModel("the model file's schema.json is larger than is allowed")


def _check_indices(value: Any, features: int | None, seen: set[int]) -> None:
    """Walk an estimator and check the node indices of its trees, which compiled code follows unchecked.

    features: columns that the nearest enclosing estimator accepts.
    """
    if id(value) in seen or isinstance(value, str | bytes | int | float | bool | None):
        return
    seen.add(id(value))
    kind = type(value).__name__
    if kind == "TreePredictor":
        _check_predictor(value, features)
    elif kind == "Tree":
        _check_tree(value, features)
    elif kind in ("BSpline", "_BSpline"):
        _check_spline(value)
    elif isinstance(value, dict):
        for item in value.values():
            _check_indices(item, features, seen)
    elif isinstance(value, list | tuple | set):
        for item in value:
            _check_indices(item, features, seen)
    elif isinstance(value, np.ndarray):
        if value.dtype == object:
            for item in value.flat:
                _check_indices(item, features, seen)
    elif hasattr(value, "__dict__"):
        inside = vars(value)
        own = inside.get("n_features_in_")
        for item in inside.values():
            _check_indices(item, int(own) if isinstance(own, int | np.integer) else features, seen)


def _check_tree(tree: Any, features: int | None) -> None:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    nodes = np.arange(tree.node_count)
    inner = left != -1
    width = tree.n_features if features is None else min(features, tree.n_features)
    children = np.concatenate([left[inner], right[inner]])
    parents = np.concatenate([nodes[inner], nodes[inner]])
    sound = (children > parents).all() and (children < tree.node_count).all()
    sound = sound and (right[~inner] == -1).all() and (feature[inner] >= 0).all() and (feature[inner] < width).all()
    if not sound:
        raise UnsafeModel("a decision tree in the model file points outside of itself")


def _check_predictor(tree: Any, features: int | None) -> None:
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    nodes = tree.nodes
    if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or not len(nodes):
        raise UnsafeModel("a boosted tree in the model file has nodes of another layout")
    inner = nodes["is_leaf"] == 0
    positions = np.flatnonzero(inner)
    for side in ("left", "right"):
        children = nodes[side][inner].astype(np.int64)
        if (children <= positions).any() or (children >= len(nodes)).any():
            raise UnsafeModel("a boosted tree in the model file points outside of itself")
    used = nodes["feature_idx"][inner]
    categorical = nodes["is_categorical"][inner] == 1
    bitsets = nodes["bitset_idx"][inner][categorical]
    sets = min(len(tree.binned_left_cat_bitsets), len(tree.raw_left_cat_bitsets))
    if (used < 0).any() or (features is not None and (used >= features).any()) or (bitsets >= sets).any():
        raise UnsafeModel("a boosted tree in the model file uses a feature or category set that is not there")


def _check_spline(spline: Any) -> None:
    if len(spline.t) < len(spline.c) + spline.k + 1 or spline.k < 0:
        raise UnsafeModel("a spline in the model file has too few knots")
