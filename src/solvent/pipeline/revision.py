"""The git commit that is checked out, read from the files of `.git`: starting git takes longer than a step."""

from __future__ import annotations

from pathlib import Path


def git_commit(root: Path) -> str | None:
    """The commit of the nearest repository above `root`; None without one or before the first commit."""
    home = next((p / ".git" for p in (root, *root.parents) if (p / ".git").exists()), None)
    if home is None:
        return None
    if home.is_file():  # a worktree or submodule: `gitdir: PATH`
        home = (home.parent / home.read_text().removeprefix("gitdir:").strip()).resolve()
    try:
        head = (home / "HEAD").read_text().strip()
    except OSError:
        return None
    if not head.startswith("ref: "):
        return head or None
    return _reference(home, head.removeprefix("ref: "))


def _reference(home: Path, name: str) -> str | None:
    common = home / "commondir"
    base = (home / common.read_text().strip()).resolve() if common.exists() else home
    for folder in (home, base):
        if (folder / name).is_file():
            return (folder / name).read_text().strip() or None
    packed = base / "packed-refs"
    if packed.is_file():
        for line in packed.read_text().splitlines():
            commit, _, reference = line.partition(" ")
            if reference == name:
                return commit
    return None
