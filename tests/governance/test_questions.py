from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from governance.town import DAY, START, Town, keep, promote, run_step
from solvent.foundation.errors import UsageError
from solvent.governance.questions import (
    as_of,
    decisions,
    impact_of,
    lineage_of,
    render_as_of,
    render_decisions,
    render_lineage,
    render_verification,
    verify,
)
from solvent.governance.questions.naming import AmbiguousName, UnknownName, meaning
from solvent.lineage.digests import Digest
from solvent.lineage.entities import Action, NodeKind


def names(answer: object, kind: NodeKind) -> set[str]:
    return {t.name or t.key for t in answer.things if t.kind is kind}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("bikes@champion", "bikes/2"),
        ("bikes", "bikes/2"),
        ("bikes/1", "bikes/1"),
        ("bikes/v1", "bikes/1"),
        ("0c0c0c", "0c" * 16),
        ("clean", None),
        ("ride-2", "bikes/1"),
    ],
)
def test_a_name_means_what_a_person_means_by_it(town: Town, what: str, key: str | None) -> None:
    meant = meaning(town.store, what)
    assert len(meant.nodes) == 1
    assert key is None or meant.nodes[0].key == key


def test_a_digest_is_found_by_its_beginning_and_a_file_by_its_bytes(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert meaning(town.store, town.rides[:8]).nodes[0].key == town.rides
    monkeypatch.chdir(tmp_path)
    Path("rides.csv").write_bytes(b"rides")
    assert meaning(town.store, "rides.csv").nodes[0].key == town.rides


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("bkies", "nothing here is called `bkies`: did you mean `bikes`?"),
        ("bkies@champion", "no model `bkies` in this project: did you mean `bikes`?"),
        ("bikes@chmpion", "`bikes` has no alias `chmpion`: did you mean `champion`?"),
        ("bikes/9", "`bikes` has no version 9: it has 1 to 2"),
        ("rides#tmp", "no column `tmp` in `rides`: did you mean `temp`?"),
        ("no-such-prediction", "nothing here is called `no-such-prediction`: "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(town: Town, what: str, said: str) -> None:
    with pytest.raises(UnknownName) as error:
        meaning(town.store, what)
    assert str(error.value).startswith(said)
    assert error.value.exit_code == 2


def test_the_beginning_of_several_keys_is_refused(town: Town) -> None:
    promote(town.store, 1, START + 40 * DAY)
    keys = [d.key for d in town.store.facts.decisions()]
    shared = next(keys[0][:n] for n in range(12, 0, -1) if sum(k.startswith(keys[0][:n]) for k in keys) > 1)
    if len(shared) >= 4:
        with pytest.raises(AmbiguousName, match="give more of its digits"):
            meaning(town.store, shared)


def test_lineage_reaches_the_sources_and_not_the_sibling(town: Town) -> None:
    answer = lineage_of(town.store, "bikes@champion")
    artifacts = names(answer, NodeKind.ARTIFACT)
    assert artifacts == {"rides", "weather", "clean", "fit"}
    assert names(answer, NodeKind.RUN) == {"clean", "fit"}
    assert answer.live == ["bikes@champion"] and not answer.truncated
    ids = {thing.id for thing in answer.things}
    assert all({tie.source, tie.target} <= ids for tie in answer.ties)
    msgspec.json.encode(answer)


def test_a_prediction_leads_to_its_segment_version_run_and_data(town: Town) -> None:
    answer = lineage_of(town.store, "ride-2")
    place = answer.prediction
    assert place is not None
    assert (place.model, place.version, place.output, place.segments) == ("bikes", 1, 30.0, [town.segment])
    assert "rides" in names(answer, NodeKind.ARTIFACT)
    lines = render_lineage(answer)
    assert any(line.startswith("  prediction  ride-2") for line in lines)
    assert lines[-1] == "Next: solvent impact bikes/1 · --json tells everything"


def test_impact_of_a_source_names_what_is_in_service_and_what_it_answered(town: Town) -> None:
    answer = impact_of(town.store, "rides")
    assert answer.live == ["bikes@champion"]
    assert names(answer, NodeKind.VERSION) == {"bikes/1", "bikes/2"}
    assert town.segment in {t.key for t in answer.things}
    assert any("scores" in line for line in render_lineage(answer))


def test_impact_of_a_column_names_the_versions_that_read_it(town: Town) -> None:
    assert impact_of(town.store, "rides#temp").uses == ["bikes/1", "bikes/2"]
    assert impact_of(town.store, "rides#count").uses == []
    everywhere = impact_of(town.store, "temp")
    assert len(everywhere.roots) == 3 and set(everywhere.uses) == {"bikes/1", "bikes/2"}
    assert names(impact_of(town.store, "bikes/2#temp"), NodeKind.VERSION) == {"bikes/2"}


def test_a_limit_is_said(town: Town) -> None:
    answer = lineage_of(town.store, "bikes@champion", limit=3)
    assert answer.truncated and len(answer.things) == 3
    assert "There is more: only the nearest 3 are told." in render_lineage(answer)


def test_as_of_tells_what_was_live_then_and_on_which_data(town: Town) -> None:
    (then,) = as_of(town.store, START + 21 * DAY).models
    assert [(v.alias, v.number) for v in then.live] == [("champion", 1)]
    assert {data.name for data in then.live[0].data} == {"rides", "weather"}
    assert then.endpoints == {"http://127.0.0.1:8080": 1}
    assert [alert.title for alert in then.alerts] == ["temp moved"]
    assert then.loss is not None and then.loss.value == 41.0  # of the week that was measured by then
    (earlier,) = as_of(town.store, START + 10 * DAY).models
    assert earlier.alerts == [] and earlier.live[0].number == 1
    (later,) = as_of(town.store, START + 30 * DAY).models
    assert later.live[0].number == 2 and later.alerts == [] and later.endpoints == {"http://127.0.0.1:8080": 2}


def test_as_of_before_everything_and_before_it_was_known(town: Town) -> None:
    (before,) = as_of(town.store, START - DAY).models
    assert before.live == [] and before.endpoints == {} and before.last_decision == ""
    answer = as_of(town.store, START + 30 * DAY, known_by=START)  # all was recorded long after START
    assert answer.models[0].live == [] and answer.models[0].last_decision == "" and answer.models[0].loss is None
    assert render_as_of(answer)[0].startswith("No model was live on 1 Feb 2012, as the store knew by 2 Jan 2012")


def test_decisions_are_filtered_and_told_oldest_first(town: Town) -> None:
    answer = decisions(town.store, model="bikes", action="promote")
    assert [r.title for r in answer.decisions] == ["promoted v1", "promoted v2"] and answer.total == 3
    assert decisions(town.store, since=START + DAY).decisions[0].action is Action.RETRAIN
    assert [r.title for r in decisions(town.store, limit=1).decisions] == ["promoted v2"]
    assert decisions(town.store, action="erase").decisions == []
    for filters, code in (({"model": "bkies"}, "unknown-model"), ({"action": "promot"}, "unknown-action")):
        with pytest.raises(UsageError, match="did you mean") as error:
            decisions(town.store, **filters)  # type: ignore[arg-type]
        assert error.value.code == code


def test_an_erased_reason_says_so_and_the_chain_holds(town: Town) -> None:
    key = town.store.facts.decisions()[1].key
    town.store.facts.erase_reason(key)
    assert "was erased" in decisions(town.store).decisions[1].reason
    assert verify(town.store).ok


def test_a_whole_store_verifies_and_progress_is_told(town: Town) -> None:
    seen: list[tuple[int, int]] = []
    answer = verify(town.store, lambda done, total: seen.append((done, total)))
    assert answer.ok and answer.decisions == 3 and answer.segments == 1 and answer.unknown == 0
    assert seen == [(i, answer.blobs) for i in range(1, answer.blobs + 1)]
    assert render_verification(answer)[0].startswith("All is as it was recorded: ")


def test_a_flipped_byte_is_found_with_its_place(town: Town) -> None:
    path = town.store.objects.path(town.rides)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    answer = verify(town.store)
    (problem,) = answer.problems
    assert problem.kind == "corrupt-object" and problem.place == str(path) and problem.next
    assert any("One thing is not as recorded" in line for line in render_verification(answer))


def test_a_lost_blob_is_missed_and_an_erased_one_is_not(town: Town) -> None:
    town.store.objects.delete(town.model)
    (problem,) = verify(town.store).problems
    assert problem.kind == "missing-object" and town.model in problem.place
    town.store.facts.mark_erased([town.model], START + 50 * DAY)
    answer = verify(town.store)
    assert answer.ok and answer.erased == 1


def test_a_lost_segment_is_missed_and_one_that_retention_dropped_is_not(town: Town) -> None:
    joined = keep(town.store, b"joined", "logged rows")
    run_step(town.store, "logged rows", "0e" * 16, {"segment": Digest(town.segment)}, {"rows": joined})
    town.store.objects.delete(Digest(town.segment))
    (problem,) = verify(town.store).problems
    assert "4 predictions of bikes" in problem.what
    town.store.facts.drop_segments([Digest(town.segment)])
    assert verify(town.store).ok


def test_a_changed_decision_breaks_the_chain(town: Town) -> None:
    from sqlalchemy import text

    with town.store.facts.database.write() as connection:
        connection.execute(text("UPDATE decision SET evidence = '{}' WHERE position = 2"))
    answer = verify(town.store)
    assert not answer.ok and {problem.kind for problem in answer.problems} == {"chain"}


def test_every_answer_fits_eighty_columns_and_ends_with_the_next_step(town: Town) -> None:
    told = [
        render_lineage(lineage_of(town.store, "bikes")),
        render_lineage(impact_of(town.store, "rides")),
        render_as_of(as_of(town.store, START + 30 * DAY)),
        render_decisions(decisions(town.store)),
        render_verification(verify(town.store)),
    ]
    for lines in told:
        assert max(map(len, lines)) <= 80, max(lines, key=len)
        assert lines[-1].startswith("Next: ")
