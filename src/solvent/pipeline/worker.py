"""A worker process: imports the user's modules once, then does one task after another.

`python -m solvent.pipeline.worker ROOT STATE SCRATCH REPLY_FD`: tasks come on stdin, replies
go to REPLY_FD, both as a length of 4 bytes and MessagePack. What a step prints is
kept as its log. The process leads a group of its own, so Ctrl-C is the parent's to
handle. When stdin closes, the parent is gone: the whole group ends at once, in the
middle of a step if need be.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from solvent.data.versions.tree import tree_of
from solvent.foundation.errors import SolventError
from solvent.foundation.settings import load_settings
from solvent.lineage.digests import Digest, digest_of
from solvent.lineage.entities import Artifact
from solvent.pipeline.agreement import resolve
from solvent.pipeline.errors import NotStored, StepFailed, Unserialisable, WrongOutput
from solvent.pipeline.gathering import gather
from solvent.pipeline.guard import CodeGuard
from solvent.pipeline.imports import import_from_text
from solvent.pipeline.inspection import search_paths
from solvent.pipeline.messages import FILES, LOG, Failure, Reply, SourceTask, StepTask, Task, TaskInput
from solvent.pipeline.serialisers.base import Saved, Serialiser, Stored, for_annotation, for_format, for_value, outer
from solvent.pipeline.serialisers.files import folder_files
from solvent.pipeline.serialisers.tables import TABLES
from solvent.pipeline.spec import OutputSpec
from solvent.store.objects import FolderObjects, ObjectStore
from solvent.store.remotes import lender_for

HANDED_OVER = 256 << 10  # bytes of a step's outputs and log up to which they travel with the reply


class Worker:
    """root: the project. objects: where values come from and go to. scratch: a folder of this process's own."""

    def __init__(self, root: Path, objects: ObjectStore, scratch: Path, guard: CodeGuard) -> None:
        self.root = root
        self.objects = objects
        self.scratch = scratch
        self.guard = guard

    def do(self, task: Task) -> Reply:
        """Do a task; whatever goes wrong becomes part of the reply."""
        started = time.perf_counter()
        forget_peak()
        os.chdir(self.root)
        with _captured(self.scratch / LOG):
            reply, blobs = self._answer(task)
        try:
            reply = self._keep(reply, blobs)
        except OSError as error:
            reply = Reply(failure=Failure(code=NotStored.code, what=f"it cannot be stored: {error}", where="", next=""))
        _clear(self.scratch)
        return msgspec.structs.replace(reply, seconds=time.perf_counter() - started, max_rss_bytes=float(peak_bytes()))

    def _keep(self, reply: Reply, blobs: list[bytes]) -> Reply:
        """Send the step's log and its outputs along where they are small, or store them with one sync."""
        log = (self.scratch / LOG).read_bytes()
        blobs = [*blobs, log] if log else blobs
        if sum(map(len, blobs)) <= HANDED_OVER:
            digests = [digest_of(blob) for blob in blobs]
            reply = msgspec.structs.replace(reply, blobs=dict(zip(digests, blobs, strict=True)))
        else:
            digests = list(self.objects.put_many(blobs))
        return msgspec.structs.replace(reply, log=digests[-1]) if log else reply

    def _answer(self, task: Task) -> tuple[Reply, list[bytes]]:
        try:
            if isinstance(task, SourceTask):
                from solvent.pipeline.sourcetask import run_source

                return run_source(task, self.objects), []
            return self._step(task)
        except SolventError as error:
            print(f"{error.code}: {error}", file=sys.stderr)  # noqa: T201 — into the step's log
            return Reply(failure=Failure(code=error.code, what=error.what, where=error.where, next=error.next)), []
        except BaseException as error:  # noqa: BLE001 — user code may raise anything, SystemExit included
            traceback.print_exc()
            return Reply(failure=self._failure(error)), []

    def _failure(self, error: BaseException) -> Failure:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if Path(f.filename).is_relative_to(self.root) and "-packages" not in f.filename]
        where = f"{Path(own[-1].filename).relative_to(self.root).as_posix()}:{own[-1].lineno}" if own else ""
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Failure(code=StepFailed.code, what=text, where=where, next="the step's log has the traceback")

    def _step(self, task: StepTask) -> tuple[Reply, list[bytes]]:
        declared: Any = getattr(importlib.import_module(task.module), task.qualname)
        function = getattr(declared, "__wrapped__", declared)
        inputs = gather({name: self._load(i, task) for name, i in task.inputs.items()}, task.gathers)
        by_position = [inputs.pop(name) for name in task.positional_only if name in inputs]
        self.guard.check(())
        value = function(*by_position, **inputs, **task.parameters)
        self.guard.check(task.data_files)
        outputs: dict[str, Artifact] = {}
        metrics: dict[str, float] = {}
        notes: list[str] = []
        blobs: list[bytes] = []
        for output, item in self._items(task, value):
            artifact, saved = self._save(output, item, task)
            outputs[output.name] = artifact
            notes += [saved.note] if saved.note else []
            blobs += [saved.payload] if isinstance(saved.payload, bytes) else []
            if artifact.format == "metrics":
                metrics.update({name: float(figure) for name, figure in item.items()})
        return Reply(outputs=outputs, metrics=metrics, notes=notes), blobs

    def _load(self, given: TaskInput, task: StepTask) -> Any:
        artifact, annotation = given.artifact, given.annotation
        stored = Stored(artifact.digest, artifact.about, self.objects, self.scratch, task.project_modules, given.data)
        if annotation == "pathlib.Path" and artifact.format != "file":  # a table that others read as one
            name = f"{artifact.about.get('name', 'table')}.{artifact.format}"
            return for_format("file").load(stored._replace(about={"name": name}), annotation)
        return for_format(artifact.format).load(stored, annotation)

    def _items(self, task: StepTask, value: Any) -> Iterator[tuple[OutputSpec, Any]]:
        if not task.several:
            yield task.outputs[0], value
            return
        names = [output.name for output in task.outputs]
        if list(getattr(value, "_fields", ())) != names:
            raise WrongOutput(
                f"it returned a {type(value).__name__} where its annotation says a NamedTuple of {', '.join(names)}",
                where=task.place,
            )
        yield from zip(task.outputs, value, strict=True)

    def _save(self, output: OutputSpec, value: Any, task: StepTask) -> tuple[Artifact, Saved]:
        """A value's artifact; files are stored at once, bytes are left to be stored together."""
        serialiser = choose(output.annotation, value, task.place)
        try:
            saved = serialiser.save(value, self.scratch)
        except SolventError as error:
            raise Unserialisable(error.what, where=task.place, next=error.next) from error
        digest, size = put_file(saved.payload, self.objects)
        artifact = Artifact(
            digest=digest,
            content=saved.content,
            type=serialiser.type,
            format=serialiser.format,
            size=size,
            about=saved.about,
        )
        return artifact, saved


def put_file(payload: bytes | Path, objects: ObjectStore) -> tuple[Digest, int]:
    """Store a file or folder. Returns: digest and size in bytes, of bytes too, which are not stored yet."""
    if isinstance(payload, bytes):
        return digest_of(payload), len(payload)
    if payload.is_dir():
        members = {name: (objects.put_file(p), p.stat().st_size) for name, p in folder_files(payload).items()}
        tree = tree_of(members)
        objects.put_many(list(tree.objects.values()))
        return tree.digest, len(tree.objects[tree.digest])
    return objects.put_file(payload), payload.stat().st_size


def choose(annotation: str, value: Any, place: str) -> Serialiser:
    """The serialiser for an output. Raises: WrongOutput where the value is not what the annotation says."""
    expected = for_annotation(annotation)
    if expected is None:
        return for_value(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    both_tables = TABLES.get(outer(annotation), "") == TABLES.get(kind)
    declared = resolve(outer(annotation))
    number = declared is float and type(value) is int
    if isinstance(declared, type) and not both_tables and not number and not isinstance(value, declared):
        raise WrongOutput(
            f"it returned a {kind} where its annotation says {annotation}", where=place, next="make the two agree"
        )
    return expected if expected.format != "cloudpickle" and expected.holds(value) else for_value(value)


@contextlib.contextmanager
def _captured(log: Path) -> Iterator[None]:
    """Everything written to stdout and stderr, by compiled code too, goes to `log`."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    kept = os.dup(1), os.dup(2)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for fd in (file, *kept):
            os.close(fd)


def _clear(folder: Path) -> None:
    """Remove what a task left in the worker's folder, but for the log, which the next one writes over."""
    for place in folder.iterdir():
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        elif place.name not in (LOG, FILES):
            place.unlink()


def forget_peak() -> None:
    """Let the system count this process's largest memory anew, where it can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_bytes(b"5")


def peak_bytes() -> int:
    """Largest memory of this process since `forget_peak`; of all its life where the system counts only that."""
    try:
        status = Path("/proc/self/status").read_bytes()
    except OSError:  # no Linux
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return int(status.partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024


def read_frame(stream: BinaryIO) -> bytes | None:
    """One message, None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "little")
    body = stream.read(length)
    return body if len(body) == length else None


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(4, "little") + message


def _listen(tasks: BinaryIO, received: queue.SimpleQueue[bytes]) -> None:
    """Hand on what the parent sends; when the parent is gone, end this process and all that a step started."""
    while (message := read_frame(tasks)) is not None:
        received.put(message)
    os.killpg(0, signal.SIGKILL)


def _private_stdin() -> BinaryIO:
    """The pipe of tasks, out of reach of what a step starts; they read an empty stdin."""
    tasks = os.fdopen(os.dup(0), "rb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return tasks


def main() -> None:
    root, state, scratch = map(Path, sys.argv[1:4])
    reply_fd = int(sys.argv[4])
    os.set_inheritable(reply_fd, False)
    tasks = _private_stdin()
    sys.stdout = os.fdopen(1, "w", buffering=1)  # by lines, so that the log keeps the order of ours and a subprocess's
    sys.path[:0] = search_paths(root)
    import_from_text(root)
    received: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, received), daemon=True).start()
    guard = CodeGuard(root, msgspec.json.decode((scratch / FILES).read_bytes(), type=dict[str, Digest]))
    remote = load_settings(root).remote
    fetch = lender_for(remote.url, root=root, endpoint=remote.endpoint, region=remote.region)
    worker = Worker(root, FolderObjects(state / "objects", state / "staging", fetch), scratch, guard)
    decoder: msgspec.msgpack.Decoder[Task] = msgspec.msgpack.Decoder(Task)
    with open(reply_fd, "wb", buffering=0) as replies:
        while True:
            task = decoder.decode(received.get())
            replies.write(frame(msgspec.msgpack.encode(worker.do(task))))


if __name__ == "__main__":
    main()
