"""Two listings of files."""

from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.data.compare import compare_files

LISTING = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.sampled_from(["1" * 64, "2" * 64, "3" * 64]), st.just(7)), max_size=6
)


@settings(deadline=None)
@given(LISTING, LISTING)
def test_what_is_told_turns_the_left_into_the_right(left, right):
    found = compare_files(left, right)
    made = {name: entry for name, entry in left.items() if name not in found.removed}
    made = {found.renamed.get(name, name): entry for name, entry in made.items()}
    made |= {name: right[name] for name in [*found.added, *found.changed]}
    assert made == right
    assert found.equal == (left == right)
    assert found.bytes_new == 7 * len({d for d, _ in right.values()} - {d for d, _ in left.values()})
