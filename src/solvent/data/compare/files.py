"""Two listings of files by digest."""

from __future__ import annotations

from collections.abc import Mapping

from solvent.data.compare.model import FilesDiff
from solvent.lineage.digests import Digest

Listing = Mapping[str, tuple[Digest, int]]  # relative path → digest, bytes


def compare_files(left: Listing, right: Listing) -> FilesDiff:
    """Files added, removed, changed and renamed.

    >>> one, two = ("1" * 64, 10), ("2" * 64, 20)
    >>> found = compare_files({"a": one, "b": one}, {"a": two, "c": one})
    >>> found.changed, found.renamed, found.bytes_new
    (['a'], {'b': 'c'}, 20)
    """
    added = sorted(right.keys() - left.keys())
    removed = sorted(left.keys() - right.keys())
    shared = left.keys() & right.keys()
    changed = sorted(name for name in shared if left[name][0] != right[name][0])
    homeless: dict[Digest, list[str]] = {}
    for name in removed:
        homeless.setdefault(left[name][0], []).append(name)
    renamed = {}
    for name in added:
        if homeless.get(right[name][0]):
            renamed[homeless[right[name][0]].pop(0)] = name
    known = {digest for digest, _ in left.values()}
    new = {digest: size for digest, size in right.values() if digest not in known}
    return FilesDiff(
        added=[name for name in added if name not in renamed.values()],
        removed=[name for name in removed if name not in renamed],
        changed=changed,
        renamed=renamed,
        same=len(shared) - len(changed),
        bytes_new=sum(new.values()),
    )
