import time

from solvent.foundation.ids import uuid7


def test_ids_are_version_7_hex_and_sort_by_time():
    first = uuid7()
    time.sleep(0.002)
    second = uuid7()
    assert len(first) == 32
    assert first[12] == "7"
    assert first[16] in "89ab"
    assert first < second
    assert len({uuid7() for _ in range(10_000)}) == 10_000
