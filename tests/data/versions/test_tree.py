import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.data.versions import tree
from solvent.data.versions.tree import BadTree, Difference, FileEntry, compare, reachable, tree_of, walk_files
from solvent.lineage.digests import digest_of

names = st.sampled_from(["a", "b", "c", "é", "z.csv", "A"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.integers(0, 5).map(lambda n: (digest_of(bytes([n])), n))


def is_folder_of_files(files):
    return not any(other.startswith(f"{path}/") for path in files for other in files)


folders = st.dictionaries(paths, contents, max_size=8).filter(is_folder_of_files)


@given(folders)
def test_a_folder_comes_back_file_by_file_whatever_the_order_it_was_told_in(files):
    made = tree_of(files)
    assert {path: (e.digest, e.size) for path, e in walk_files(made.digest, made.objects.__getitem__)} == files
    assert tree_of(dict(reversed(files.items()))) == made
    assert (made.files, made.size) == (len(files), sum(size for _, size in files.values()))
    assert all(digest_of(data) == digest for digest, data in made.objects.items())


@given(folders, folders)
def test_two_folders_differ_in_exactly_the_files_that_differ(before, after):
    left, right = tree_of(before), tree_of(after)
    found = list(compare(left.digest, right.digest, {**left.objects, **right.objects}.__getitem__))
    told = {change.path: change.difference for change in found}
    expected = dict.fromkeys(after.keys() - before.keys(), Difference.ADDED)
    expected |= dict.fromkeys(before.keys() - after.keys(), Difference.REMOVED)
    expected |= {p: Difference.CHANGED for p in before.keys() & after.keys() if before[p] != after[p]}
    assert told == expected
    assert len(found) == len(told)


@given(folders)
def test_everything_a_tree_needs_comes_before_it_and_itself_last(files):
    made = tree_of(files)
    order = [reached.digest for reached in reachable(made.digest, made.objects.__getitem__)]
    assert set(order) == {*made.objects, *(digest for digest, _ in files.values())}
    assert order[-1] == made.digest
    for digest, data in made.objects.items():
        assert all(order.index(entry.digest) < order.index(digest) for entry in tree.decode(data))


def test_one_changed_file_costs_its_blob_and_the_trees_above_it():
    files = {f"{folder}/{number}": (digest_of(bytes([number])), 1) for folder in "ab" for number in range(9)}
    before, after = tree_of(files), tree_of({**files, "a/0": (digest_of(b"new"), 3)})
    assert len(after.objects.keys() - before.objects.keys()) == 2


def test_the_format_does_not_change_unnoticed():
    made = tree_of({"b": (digest_of(b""), 0), "a/x": (digest_of(b"x"), 1)})
    x, empty = digest_of(b"x"), digest_of(b"")
    inner = f'{{"tree":[["file","x","{x}",1]]}}'.encode()
    outer = f'{{"tree":[["tree","a","{digest_of(inner)}",1,1],["file","b","{empty}",0]]}}'.encode()
    assert made.objects == {digest_of(inner): inner, digest_of(outer): outer}


D = "0" * 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b'{"tree":{}}',
        b'{"tree":[],"more":1}',
        f'{{"tree":[["file","..","{D}",1]]}}'.encode(),
        f'{{"tree":[["file","a/b","{D}",1]]}}'.encode(),
        f'{{"tree":[["file","","{D}",1]]}}'.encode(),
        f'{{"tree":[["file","b","{D}",1],["file","a","{D}",1]]}}'.encode(),
        f'{{"tree":[["file","a","{D}",1],["file","a","{D}",1]]}}'.encode(),
        f'{{"tree":[["file","a","{D}",-1]]}}'.encode(),
        f'{{"tree":[["link","a","{D}",1]]}}'.encode(),
        b'{"tree":[["file","a","../../etc",1]]}',
        f'{{"tree":[["file","a","{D[1:]}Z",1]]}}'.encode(),
    ],
)
def test_what_is_no_tree_is_refused(data):
    with pytest.raises(BadTree):
        tree.decode(data)


def test_a_path_cannot_be_both_file_and_folder():
    with pytest.raises(BadTree):
        tree_of({"a": (digest_of(b""), 0), "a/b": (digest_of(b""), 0)})
    with pytest.raises(BadTree):
        tree.encode([FileEntry("a/b", digest_of(b""), 0)])
