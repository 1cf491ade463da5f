"""What every object store promises. A backend's test class inherits it and gives the fixture `objects`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from blake3 import blake3

from solvent.lineage.digests import Digest, digest_of
from solvent.store.objects import BadDigest, Corrupt, Missing, ObjectStore
from store.faults import SOAK

ABSENT = Digest("0" * 64)
WRITER = Path(__file__).with_name("object_writer.py")


class ObjectStoreContract:
    """Needs fixtures: `objects`, an empty store; `reopen`, which opens the same store once more;
    `writer`, the arguments with which `object_writer.py` opens it in a process of its own."""

    def test_bytes_come_back_under_their_blake3(self, objects: ObjectStore) -> None:
        digest = objects.put([b"one ", b"", b"two"])
        assert digest == blake3(b"one two").hexdigest()
        assert objects.read(digest) == b"one two"

    @pytest.mark.parametrize("data", [b"", b"x", bytes(3 << 20)])
    def test_any_size_is_kept(self, objects: ObjectStore, data: bytes) -> None:
        digest = objects.put_bytes(data)
        assert (objects.read(digest), objects.size(digest), objects.exists(digest)) == (data, len(data), True)
        assert objects.path(digest, size=len(data)).read_bytes() == data
        objects.verify(digest)

    def test_a_file_is_copied(self, objects: ObjectStore, tmp_path: Path) -> None:
        (tmp_path / "table.csv").write_bytes(b"a,b\n")
        digest = objects.put_file(tmp_path / "table.csv")
        (tmp_path / "table.csv").write_bytes(b"changed")
        assert objects.read(digest) == b"a,b\n"

    def test_many_at_once_are_the_same_as_one_by_one(self, objects: ObjectStore) -> None:
        blobs = [bytes([n]) * n for n in range(40)] + [b"twice", b"twice"]
        assert list(objects.put_many(blobs)) == [blake3(blob).hexdigest() for blob in blobs]
        assert [objects.read(digest) for digest in objects.put_many(blobs)] == blobs
        assert list(objects.put_many([])) == []

    def test_many_files_are_gathered_and_nothing_is_seen_before_they_are_published(
        self, objects: ObjectStore, tmp_path: Path
    ) -> None:
        contents = [f"text {number % 50}".encode() for number in range(60)]
        for number, content in enumerate(contents):
            (tmp_path / f"file{number}").write_bytes(content)
        paths = [str(tmp_path / f"file{number}") for number in range(60)]
        with objects.gather() as gathering:
            (answers,) = gathering.take([paths])
            tree = gathering.put(b"tree")
            assert list(objects.list()) == []
            assert gathering.publish() == 51
        assert [objects.read(digest) for digest, _ in answers] == contents
        assert objects.read(tree) == b"tree"
        with objects.gather() as gathering:
            list(gathering.take([paths]))
            assert gathering.publish() == 0
        with objects.gather() as gathering:
            gathering.put(b"never published")
        assert len(list(objects.list())) == 51

    def test_the_same_bytes_twice_are_one_blob(self, objects: ObjectStore) -> None:
        assert objects.put_bytes(b"same") == objects.put_bytes(b"same")
        assert len(list(objects.list())) == 1

    def test_the_list_holds_every_digest_in_order(self, objects: ObjectStore) -> None:
        digests = objects.put_many([bytes([n]) for n in range(20)])
        assert list(objects.list()) == sorted(digests)

    def test_what_is_not_there_is_missing(self, objects: ObjectStore) -> None:
        for ask in (objects.read, objects.peek, objects.path, objects.checked_path, objects.verify):
            with pytest.raises(Missing, match=ABSENT) as refused:
                ask(ABSENT)
            assert refused.value.next
        assert objects.size(ABSENT) is objects.hold(ABSENT) is None
        assert not objects.exists(ABSENT)
        assert list(objects.list()) == []

    def test_deleting_is_final_and_can_be_repeated(self, objects: ObjectStore) -> None:
        digest, kept = objects.put_many([b"gone", b"kept"])
        assert objects.delete(digest)
        assert not objects.delete(digest)
        assert not objects.exists(digest)
        assert objects.read(kept) == b"kept"

    def test_what_is_received_must_have_the_digest_that_was_announced(self, objects: ObjectStore) -> None:
        digest = digest_of(b"announced")
        with pytest.raises(Corrupt) as refused:
            objects.receive(digest, [b"something ", b"else"])
        assert refused.value.actual == digest_of(b"something else")
        assert list(objects.list()) == []
        objects.receive(digest, [b"annou", b"nced"])
        assert objects.read(digest) == b"announced"

    def test_collection_takes_what_nobody_used_since(self, objects: ObjectStore) -> None:
        first, second = objects.put_many([b"first", b"second"])
        now = datetime.now(UTC)
        assert list(objects.collect([first, second, ABSENT], now - timedelta(hours=1))) == []
        assert list(objects.collect([first, ABSENT], now + timedelta(hours=1))) == [first]
        assert [(kept.digest, kept.size, kept.linked) for kept in objects.kept()] == [(second, 6, False)]

    @pytest.mark.parametrize("text", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
    def test_what_is_no_digest_names_no_blob(self, objects: ObjectStore, text: str) -> None:
        for ask in (
            objects.read,
            objects.path,
            objects.size,
            objects.hold,
            objects.exists,
            objects.verify,
            objects.delete,
        ):
            with pytest.raises(BadDigest):
                ask(Digest(text))

    def test_many_writers_of_the_same_bytes_do_not_disturb_each_other(self, objects: ObjectStore) -> None:
        blobs = [f"blob {n % 5}".encode() for n in range(60)]
        with ThreadPoolExecutor(8) as pool:
            digests = list(pool.map(objects.put_bytes, blobs))
        assert [objects.read(digest) for digest in digests] == blobs
        assert len(list(objects.list())) == 5

    def test_a_source_that_breaks_off_leaves_nothing(self, objects: ObjectStore) -> None:
        def broken():
            yield b"half"
            raise RuntimeError("the source broke")

        with pytest.raises(RuntimeError, match="the source broke"):
            objects.put(broken())
        assert list(objects.list()) == []

    def test_what_was_acknowledged_survives_kill(
        self, objects: ObjectStore, reopen: Callable[[], ObjectStore], writer: list[str]
    ) -> None:
        for acknowledged_before in range(3, 3 + 3 * SOAK):
            command = [sys.executable, str(WRITER), *writer]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                acknowledged = list(islice(process.stdout, acknowledged_before))
                process.kill()
                acknowledged += [line for line in process.stdout if len(line) == 65]
            after = reopen()
            for line in acknowledged:
                after.read(Digest(line.strip()))  # raises where content and digest differ
            for digest in after.list():
                after.verify(digest)
