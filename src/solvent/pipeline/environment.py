"""Which distributions are installed, read from folder names: quick enough for every `status`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from solvent.lineage.digests import Digest, canonical, digest_of, digest_value


def installed_distributions(paths: list[str] | None = None) -> tuple[str, ...]:
    """`name==version` of everything installed on `paths` (default: the interpreter's), sorted."""
    found: set[str] = set()
    for path in paths if paths is not None else site_folders():
        try:
            names = [entry.name for entry in Path(path).iterdir()]
        except OSError:
            continue  # a path entry that does not exist or is a zip file holds no dist-info folders
        found.update(distribution_of(n) for n in names if n.endswith((".dist-info", ".egg-info")))
    return tuple(sorted(found))


def site_folders() -> list[str]:
    """Every folder of sys.path but the first, which is the script's; both parent and workers see the rest."""
    return sorted({str(Path(p).resolve()) for p in sys.path if "-packages" in p})


def distribution_of(folder: str) -> str:
    """`name==version` from the name of a dist-info or egg-info folder."""
    stem = folder.removesuffix(".dist-info").removesuffix(".egg-info")
    name, _, version = stem.partition("-")
    return f"{name.lower().replace('_', '-')}=={version.partition('-py')[0]}"


def interpreter() -> str:
    """Implementation, minor version and platform: what may change a result beside the distributions."""
    return f"{interpreter_version()}-{platform.system()}-{platform.machine()}"


def interpreter_version() -> str:
    """Implementation and minor version."""
    version = sys.version_info
    return f"{sys.implementation.name}-{version.major}.{version.minor}"


def environment_document(distributions: tuple[str, ...]) -> bytes:
    """The artifact that a run's environment digest stands for."""
    return canonical({"interpreter": interpreter(), "distributions": list(distributions)})


def environment_digest(distributions: tuple[str, ...]) -> Digest:
    """The name of `environment_document`."""
    return digest_of(environment_document(distributions))


def step_environment(
    distributions: tuple[str, ...], names: tuple[str, ...], environ: Mapping[str, str], *, native: bool
) -> Digest:
    """What of the environment may change one step's result.

    distributions: those that count. native: some of them have compiled parts, so the platform counts. names:
    declared variables, whose values count and are never written down.
    """
    base = _base(distributions, native)
    return digest_value([base, {name: environ.get(name) for name in names}]) if names else base


@cache
def _base(distributions: tuple[str, ...], native: bool) -> Digest:
    return digest_value([interpreter() if native else interpreter_version(), distributions])
