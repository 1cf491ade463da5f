"""Helpers answer in order, hand on what went wrong, and end with whoever started them."""

import os
import signal
from pathlib import Path

import pytest

from solvent.lineage.digests import digest_of
from solvent.store import bulk
from solvent.store.helpers import MANY, HelperLost, Helpers


@pytest.fixture
def files(tmp_path):
    for number in range(40):
        (tmp_path / str(number)).write_text(str(number))
    return [str(tmp_path / str(number)) for number in range(40)]


def batches(paths, size=4):
    return [[(path,) for path in paths[at : at + size]] for at in range(0, len(paths), size)]


@pytest.mark.parametrize("count", [1, 3])
def test_answers_come_in_the_order_of_the_questions(files, count):
    with Helpers(count) as helpers:
        answers = [digest for batch in helpers.map("digest", batches(files)) for digest, _ in batch]
    assert answers == [digest_of(str(number).encode()) for number in range(40)]


@pytest.mark.parametrize("missing", [0, 39])
def test_what_goes_wrong_in_a_helper_is_raised_here(files, missing):
    Path(files[missing]).unlink()
    with Helpers(2) as helpers, pytest.raises(FileNotFoundError) as raised:
        list(helpers.map("digest", batches(files)))
    assert raised.value.filename == files[missing]


def test_bytes_that_are_not_their_name_are_told_from_a_helper(files, tmp_path):
    objects, wrong = tmp_path / "objects", digest_of(b"other")
    (objects / wrong[:2]).mkdir(parents=True)
    (objects / wrong[:2] / wrong).write_text("bytes")
    items = [[(wrong, 5, str(objects), str(tmp_path / f"out{n}"), "copy")] for n in range(MANY + 1)]
    for some in (items[:1], [[]] * MANY + items[:1]):
        with Helpers(2) as helpers, pytest.raises(bulk.Wrong, match=wrong):
            list(helpers.map("give", some))
        (tmp_path / "out0").unlink()


def test_a_helper_that_is_killed_is_an_error_and_no_hang(files):
    with Helpers(2) as helpers:
        answers = helpers.map("digest", batches(files, 1) * 50)
        for _ in range(MANY + 2):
            next(answers)
        for process in helpers._started:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        with pytest.raises(HelperLost):
            list(answers)
