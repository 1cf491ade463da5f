from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvent.lineage.entities import NodeKind
from solvent.lineage.findings import FindingEvent, FindingState, ProjectAudit, Sighting, Spot
from solvent.store.facts.database import DatabaseBusy
from solvent.store.facts.writing import UnknownFact
from store_samples import DAY, START

OPEN, ALLOWED, GONE = FindingState
RULES = {"a": "DAT101", "b": "DAT101", "c": "PIP008", "d": "REP001"}
PATHS = ("train.py", "features.py")
projects = count()


def sighting(name, path="train.py", line=3, allowed=None, by=""):
    return Sighting(
        fingerprint=name * 20, rule=RULES[name], spot=Spot(path=path, cell=0, line=line), allowed=allowed, by=by
    )


def audit(day, *sightings, **fields):
    fields = {"rules": frozenset(RULES.values()), "rule_set": "1", "git_commit": f"c{day}", **fields}
    return ProjectAudit(at=START + day * DAY, sightings=list(sightings), **fields)


def events(facts, name):
    return [event for event, _ in facts.finding_events(name * 20)]


def test_what_happens_to_a_finding_is_a_series_with_a_current_view(facts):
    for day, seen in enumerate([[sighting("a")], [], [sighting("a")], [sighting("a", allowed="a demonstration")], []]):
        facts.record_audit(audit(day, *seen))
    kinds = FindingEvent
    assert events(facts, "a") == [kinds.SEEN, kinds.GONE, kinds.BACK, kinds.ALLOWED, kinds.GONE]
    (record,) = facts.findings()
    assert (record.state, record.since, record.commit) == (GONE, START + 4 * DAY, "c4")
    assert (record.first_seen, record.first_commit) == (START, "c0")
    assert record.last_seen == START + 3 * DAY
    assert record.by == "ann", "who audited, where nobody else is meant"


def test_an_audit_that_finds_nothing_else_adds_only_itself(facts):
    assert facts.record_audit(audit(0, sighting("a"), sighting("b", allowed="meant", by="Ben")))
    assert facts.record_audit(audit(1, sighting("a"), sighting("b", allowed="meant", by="someone else"))) == []
    assert facts.record_audit(audit(2, sighting("a"), sighting("b", allowed="meant"))) == []
    first, second = facts.findings()
    assert (first.last_seen, second.last_seen) == (START + 2 * DAY, START + 2 * DAY)
    assert (second.state, second.reason, second.by) == (ALLOWED, "meant", "Ben")


def test_another_reason_is_told_and_another_place_is_no_other_state(facts):
    facts.record_audit(audit(0, sighting("a", allowed="meant")))
    facts.record_audit(audit(1, sighting("a", allowed="it is too late")))
    facts.record_audit(audit(2, sighting("a", "features.py", 9, allowed="it is too late")))
    (record,) = facts.findings()
    assert (record.reason, record.since) == ("it is too late", START + DAY)
    assert record.spot == Spot(path="features.py", cell=0, line=9)
    assert events(facts, "a") == [FindingEvent.ALLOWED, FindingEvent.ALLOWED]


def test_where_an_audit_did_not_look_nothing_is_gone(facts):
    facts.record_audit(audit(0, sighting("a"), sighting("c"), sighting("d", "features.py")))
    facts.record_audit(audit(1, rules=frozenset({"DAT101", "REP001"}), unread=frozenset({"features.py"})))
    states = {record.fingerprint[0]: (record.state, record.last_seen) for record in facts.findings()}
    assert states == {"a": (GONE, START), "c": (OPEN, START), "d": (OPEN, START)}


def test_what_goes_with_its_rules_is_not_said_to_be_paid(facts):
    facts.record_audit(audit(0, sighting("a")))
    facts.record_audit(audit(1, rule_set="2"))
    assert facts.findings()[0].reason == "rule set 1 became 2"


def test_findings_are_nodes_of_the_graph_and_another_projects_are_not_ours(open_again):
    ours, theirs = open_again().facts, open_again(project="theirs").facts
    theirs.record_audit(audit(0, sighting("a")))
    ours.record_audit(audit(1))
    assert (len(ours.findings()), len(theirs.findings([OPEN]))) == (0, 1)
    above = theirs.ancestors(NodeKind.FINDING, "a" * 20).nodes
    assert {node.kind for node in above} == {NodeKind.FINDING, NodeKind.AUDIT}


def test_forecasts_are_found_by_age_and_their_score_is_kept_once(facts, clock):
    for day in (0, 10, 20):
        facts.record_audit(audit(day, forecast={"files": {"train.py": [day, 1.5]}}))
    facts.record_audit(audit(30))
    (found,) = facts.forecasts(START + 19 * DAY)
    assert (found.at, found.git_commit, found.figures) == (START + 10 * DAY, "c10", {"files": {"train.py": [10, 1.5]}})
    assert facts.forecasts(START - DAY) == []
    assert [one.at for one in facts.forecasts(limit=9)] == [START + day * DAY for day in (20, 10, 0)]
    assert facts.newest_score() is None
    for _ in range(2):
        facts.record_score(found.key, {"coverage": 0.8}, START + 40 * DAY)
    assert facts.newest_score() == (START + 10 * DAY, {"coverage": 0.8})
    with pytest.raises(UnknownFact):
        facts.record_score("nothing", {}, START)


sightings = st.builds(
    sighting,
    st.sampled_from(sorted(RULES)),
    st.sampled_from(PATHS),
    st.integers(1, 2),
    st.sampled_from([None, None, "meant", "late"]),
)
audits = st.tuples(
    st.lists(sightings, unique_by=lambda one: one.fingerprint),
    st.sets(st.sampled_from(sorted(RULES.values())), min_size=1),
    st.sets(st.sampled_from(PATHS)),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(audits, min_size=1, max_size=8))
def test_after_any_audits_the_view_is_what_was_last_seen_and_first_seen_never_moves(open_again, sequence):
    facts = open_again(project=f"p{next(projects)}").facts
    first, view = {}, {}
    for day, (seen, rules, unread) in enumerate(sequence):
        looked = [one for one in seen if one.rule in rules and one.spot.path not in unread]
        facts.record_audit(audit(day, *looked, rules=frozenset(rules), unread=frozenset(unread)))
        now = {one.fingerprint: one for one in looked}
        for name, (rule, state, spot, _) in view.items():
            if name not in now and rule in rules and spot.path not in unread and state is not GONE:
                view[name] = rule, GONE, spot, ""
        for name, one in now.items():
            first.setdefault(name, START + day * DAY)
            view[name] = one.rule, ALLOWED if one.allowed else OPEN, one.spot, one.allowed or ""
        records = {record.fingerprint: record for record in facts.findings()}
        assert {name: (r.rule, r.state, r.spot, r.reason) for name, r in records.items()} == view
        assert {name: record.first_seen for name, record in records.items()} == first
        assert all(
            r.first_seen <= r.last_seen <= START + day * DAY and r.first_seen <= r.since for r in records.values()
        )
        assert all(records[name].last_seen == START + day * DAY for name in now)
        total = sum(len(facts.finding_events(name)) for name in view)
        facts.record_audit(audit(day, *looked, rules=frozenset(rules), unread=frozenset(unread)))
        assert sum(len(facts.finding_events(name)) for name in view) == total, "the same again adds no event"


def test_who_does_not_wait_long_is_told_that_the_store_is_busy(open_again):
    impatient = open_again(patience=0.2)
    with open_again().facts.database.write(), pytest.raises(DatabaseBusy, match=r"locked for 0\.2 s"):
        impatient.facts.record_audit(audit(0, sighting("a")))
    assert impatient.facts.findings() == []


def test_the_time_of_recording_is_the_stores(facts, clock):
    clock.now = START + timedelta(days=400)
    facts.record_audit(audit(0, sighting("a")))
    node = facts.node(NodeKind.FINDING, "a" * 20)
    assert (node.happened_at, node.recorded_at) == (START, clock.now)
