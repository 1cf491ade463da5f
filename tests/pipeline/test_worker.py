"""A worker's own duties, in this process: what it answers when storing fails, and what it leaves behind."""

from __future__ import annotations

import os
import sys

import pytest

from solvent.pipeline.guard import CodeGuard
from solvent.pipeline.messages import LOG, StepTask
from solvent.pipeline.spec import OutputSpec
from solvent.pipeline.worker import Worker
from solvent.store.objects import FolderObjects


class FullDisk(FolderObjects):
    """Runs out of space at the n-th thing that is stored."""

    left = 0

    def put(self, chunks):
        if self.left == 0:
            raise OSError(28, "No space left on device")
        self.left -= 1
        return super().put(chunks)

    def put_many(self, blobs):
        return [self.put([blob]) for blob in blobs]


@pytest.fixture
def worker(tmp_path, monkeypatch):
    (tmp_path / "full_disk_steps.py").write_text(
        "import os\nfrom pathlib import Path\nfrom typing import NamedTuple\n"
        "class Two(NamedTuple):\n    a: int\n    b: Path\n"
        "def step():\n    os.write(1, b'hello')\n    Path('out').write_text('x')\n    return Two(1, Path('out'))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scratch").mkdir()
    objects = FullDisk(tmp_path / "objects", tmp_path / "staging")
    yield Worker(tmp_path, objects, tmp_path / "scratch", CodeGuard(tmp_path, {}))
    sys.modules.pop("full_disk_steps", None)


TASK = StepTask(
    module="full_disk_steps", qualname="step", place="full_disk_steps.py:7", inputs={}, parameters={},
    positional_only=(), outputs=(OutputSpec(name="a"), OutputSpec(name="b")), several=True, data_files=(),
    project_modules=frozenset(),
)  # fmt: skip


def test_a_disk_that_fills_up_at_any_write_is_a_failed_step(worker):
    for room in range(10):
        worker.objects.left = room
        reply = worker.do(TASK)
        if reply.failure is None:
            break
        assert "No space left on device" in reply.failure.what
        assert not reply.outputs
    assert room == 1  # the file; the number and the log are small and travel with the reply
    assert set(reply.outputs) == {"a", "b"}
    assert worker.objects.read(reply.outputs["b"].digest) == b"x"
    assert reply.blobs == {reply.outputs["a"].digest: b"1", reply.log: b"hello"}


def test_outputs_that_are_not_small_are_stored_before_the_reply(worker, monkeypatch):
    monkeypatch.setattr("solvent.pipeline.worker.HANDED_OVER", 5)
    for room in range(10):
        worker.objects.left = room
        reply = worker.do(TASK)
        if reply.failure is None:
            break
        assert "No space left on device" in reply.failure.what
        assert not reply.outputs
    assert room == 3  # the file, the number and the log
    assert reply.blobs == {}
    assert worker.objects.read(reply.log) == b"hello"


def test_a_worker_cleans_its_folder_and_goes_home_between_tasks(worker, tmp_path):
    worker.objects.left = 100
    os.chdir("/")
    assert worker.do(TASK).failure is None
    assert [p.name for p in worker.scratch.iterdir()] == [LOG]
    assert (tmp_path / "out").exists()
