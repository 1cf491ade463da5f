"""Pickles are read by their opcodes: nothing is called, and nothing that anybody can send makes it hang or fail."""

import gzip
import io
import pickle
import pickletools
import random
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.debt.facts import pickles
from solvent.debt.facts.pickles import dangerous, pickled_globals

CALLED: list[str] = []


def note(text: str) -> None:
    CALLED.append(text)


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return note, ("called",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_are_read_and_never_called(protocol: int) -> None:
    found = pickled_globals(pickle.dumps([{"a": 1}, "text", Bomb(), Bomb()], protocol))
    assert {name.rpartition(".")[2] for name in found} == {"note"}
    assert CALLED == []


def test_optimised_pickles_and_several_in_a_row() -> None:
    one = pickletools.optimize(pickle.dumps(Bomb(), 4))
    assert pickled_globals(pickle.dumps(1) + one) == pickled_globals(one) != set()


def test_a_compressed_bomb_ends_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "LARGEST", 1000)
    big = b"\x80\x04" + b"N0" * 1_000_000
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", big)
    for content in (zlib.compress(big), gzip.compress(big), packed.getvalue()):
        assert pickled_globals(content) == set()


def test_what_is_dangerous() -> None:
    assert all(map(dangerous, ("os.system", "posix.system", "__builtin__.eval", "subprocess.Popen", "runpy._run_code")))
    honest = ("builtins.getattr", "functools.partial", "collections.OrderedDict", "sklearn.svm._classes.SVC", "os_x.f")
    assert not any(map(dangerous, honest))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x80\x04", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x1f\x8b", b"x\x9c"]),
)
def test_any_bytes_are_read_without_failing(content: bytes, start: bytes) -> None:
    pickled_globals(start + content)
    pickles.keras_lambda("a.keras", start + content)


def test_damaged_pickles_are_read_without_failing() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        whole = bytearray(pickle.dumps({"a": [1, "b", Bomb()]}, chance.randrange(6)))
        for _ in range(chance.randrange(5)):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        pickled_globals(bytes(whole[: chance.randrange(len(whole))]))
    assert CALLED == []
