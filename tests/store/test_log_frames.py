"""The bytes of a log file: what is read back, what counts as torn, what as corrupt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.store.log.errors import NewerLog
from solvent.store.log.frames import BrokenHeader, Frames, new_header, pack, read_header, unpack

FILE = Path("log/predictions/bike/1.open")
MARK = b"\x00mrk"
payloads = st.lists(st.binary(max_size=40) | st.just(MARK * 3) | st.just(pack(b"othr", b"alien")), max_size=6)


def header(**changes: object) -> bytes:
    return new_header("id", "predictions", "bike", **{"host": "h", "pid": 7, **changes})[1]


def test_a_header_says_what_the_file_is() -> None:
    mark, data = new_header("0190", "outcomes", "bike-demand", host="h", pid=7)
    found = read_header(data + b"frames follow", FILE)
    assert (found.mark, found.size, found.id, found.kind, found.model) == (
        mark,
        len(data),
        "0190",
        "outcomes",
        "bike-demand",
    )


@given(cut=st.integers(0, len(header()) - 1))
@settings(deadline=None)
def test_a_header_that_was_cut_short_is_told_from_one_that_was_changed(cut: int) -> None:
    data = header()
    with pytest.raises(BrokenHeader) as torn:
        read_header(data[:cut], FILE)
    assert torn.value.cut_short
    if cut not in range(6, 8):  # the version has an answer of its own
        changed = data[:cut] + bytes([data[cut] ^ 0x40]) + data[cut + 1 :] + bytes(2000)
        with pytest.raises(BrokenHeader):
            read_header(changed, FILE)


def test_a_file_of_a_later_format_is_refused_by_its_number() -> None:
    data = bytearray(header())
    data[6] = 9
    with pytest.raises(NewerLog, match="log format 9, this Solvent reads 1") as refused:
        read_header(bytes(data), FILE)
    assert (refused.value.code, refused.value.exit_code) == ("newer-log", 2)
    assert "upgrade" in refused.value.next


@given(payloads=payloads, offset=st.integers(0, 1000))
@settings(deadline=None)
def test_what_was_packed_comes_back(payloads: list[bytes], offset: int) -> None:
    data = b"".join(pack(MARK, payload) for payload in payloads)
    assert unpack(data, MARK, offset) == Frames(payloads, offset + len(data), [])


@given(payloads=payloads, cut=st.integers(0, 400))
@settings(deadline=None)
def test_a_torn_tail_is_left_out_and_is_no_damage(payloads: list[bytes], cut: int) -> None:
    frames = [pack(MARK, payload) for payload in payloads]
    data = b"".join(frames)[:cut]
    whole = [n for n in range(len(frames) + 1) if len(b"".join(frames[:n])) <= len(data)][-1]
    assert unpack(data, MARK) == Frames(payloads[:whole], len(b"".join(frames[:whole])), [])


@given(payloads=payloads.filter(lambda some: len(some) > 1), data=st.data())
@settings(deadline=None)
def test_a_changed_byte_is_named_unless_it_lies_in_the_last_frame(payloads: list[bytes], data: st.DataObject) -> None:
    frames = [pack(MARK, payload) for payload in payloads]
    starts = [len(b"".join(frames[:n])) for n in range(len(frames) + 1)]
    place = data.draw(st.integers(0, starts[-1] - 1))
    hit = max(n for n in range(len(frames)) if starts[n] <= place)
    whole = bytearray(b"".join(frames))
    whole[place] ^= data.draw(st.integers(1, 255))
    found = unpack(bytes(whole), MARK)
    assert found.payloads == payloads[:hit] + payloads[hit + 1 :]
    if hit == len(frames) - 1:
        assert (found.damage, found.end) == ([], starts[hit])
    else:
        assert (found.damage, found.end) == ([(starts[hit], starts[hit + 1])], starts[-1])


def test_row_values_cannot_imitate_a_frame_since_each_file_has_a_mark_of_its_own() -> None:
    marks = {new_header("id", "predictions", "bike", host="h", pid=7)[0] for _ in range(50)}
    assert len(marks) == 50
