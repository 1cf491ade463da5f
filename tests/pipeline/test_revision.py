"""The git commit, as git itself tells it."""

from __future__ import annotations

import subprocess

from solvent.pipeline.revision import git_commit


def git(folder, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_without_a_repository_or_a_commit_there_is_none(tmp_path):
    assert git_commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert git_commit(tmp_path) is None


def test_branches_packed_references_detached_heads_and_worktrees(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "deep").mkdir()
    assert git_commit(tmp_path) == git_commit(tmp_path / "deep") == head
    git(tmp_path, "pack-refs", "--all")
    assert git_commit(tmp_path) == head
    git(tmp_path, "checkout", "-q", "--detach")
    assert git_commit(tmp_path) == head
    git(tmp_path, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    assert git_commit(tmp_path / "tree") == head
