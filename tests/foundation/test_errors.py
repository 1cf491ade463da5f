"""Errors as they are copied, which is how they go from process to process."""

from __future__ import annotations

from copy import deepcopy

import pytest

from solvent.foundation.errors import SolventError, UsageError
from solvent.lineage.digests import Digest
from solvent.registry.frames import BadValue
from solvent.store.leases import Busy
from solvent.store.objects import Missing


@pytest.mark.parametrize(
    "error",
    [
        UsageError("no table", where="pipeline.py", next="write one"),
        Missing(Digest("ab" * 32), "objects"),
        Busy("tick", "process 7"),
        BadValue(3, "count", "many", int),
    ],
    ids=lambda error: error.code,
)
def test_a_copy_of_an_error_is_whole(error: SolventError) -> None:
    copied = deepcopy(error)
    assert type(copied) is type(error) and str(copied) == str(error)
    assert vars(copied) == vars(error) and copied.args == error.args
