"""The audit of small folders: what is found, allowed, ignored, known, skipped."""

import os

import pytest

from solvent.debt.audit import active_rules, against, audit
from solvent.debt.reading.sources import NothingToAudit, source_of
from solvent.debt.rules.base import all_rules

BAD = "import numpy as np\nkept = flights[flights.delay == np.nan]\n"


def run(folder, **more):
    return audit(source_of(folder), active_rules(preview=False, wanted=("PIP008", "LIV")), **more)


def states(found):
    return [(f.rule, f.place.path, f.place.line, f.state) for f in found.findings]


def test_a_finding_has_place_evidence_and_scope(tmp_path):
    (tmp_path / "a.py").write_text("def load(f):\n    import numpy as np\n    return f[f.d == np.nan]\n")
    (finding,) = run(tmp_path).findings
    assert (finding.place.path, finding.place.line, finding.scope) == ("a.py", 3, "load")
    assert finding.evidence[0].text == "return f[f.d == np.nan]"


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (BAD.replace("\nkept", "\n# solvent: allow[PIP008] counts none on purpose\nkept"), "allowed"),
        (BAD.rstrip() + "  # solvent: allow[PIP008] counts none on purpose\n", "allowed"),
        (BAD.replace("\nkept", "\n# solvent: allow[PIP008, DAT101] both\n\n# and why\nkept"), "allowed"),
        (BAD.rstrip() + "  # solvent: allow[PIP008]\n", "open"),
        (BAD.rstrip() + "  # solvent: allow[DAT101] another\n", "open"),
        (BAD.replace("kept", "text = '# solvent: allow[PIP008] in a text'; kept"), "open"),
    ],
)
def test_a_comment_with_a_reason_allows_its_line(tmp_path, code, state):
    (tmp_path / "a.py").write_text(code)
    assert [f.state for f in run(tmp_path).findings if f.rule == "PIP008"] == [state]


def test_comments_without_reason_or_use_are_findings(tmp_path):
    (tmp_path / "a.py").write_text("x = 1  # solvent: allow[PIP008] once needed\ny = 2  # solvent: allow[PIP008]\n")
    assert states(run(tmp_path)) == [("LIV001", "a.py", 1, "open"), ("LIV002", "a.py", 2, "open")]


def test_a_comment_for_a_rule_that_did_not_run_is_not_unused(tmp_path):
    (tmp_path / "a.py").write_text("x = 1  # solvent: allow[DAT999] of a plugin\n")
    assert not run(tmp_path).findings


def test_ignored_paths_are_left_out_by_rule_or_whole(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "a.py").write_text(BAD)
    (tmp_path / "b.py").write_text(BAD)
    assert [f.place.path for f in run(tmp_path, ignore=["old/*"]).findings] == ["b.py"]
    assert [f.place.path for f in run(tmp_path, ignore=["PIP:b.py"]).findings] == ["old/a.py"]


def test_fingerprints_survive_moves_renames_and_formatting_and_count_twins(tmp_path):
    (tmp_path / "a.py").write_text(BAD)
    before = run(tmp_path).findings[0].fingerprint
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    (tmp_path / "b.py").write_text("import numpy as np\n\n# moved\nkept = flights[ flights.delay==np.nan ]\n")
    (after,) = run(tmp_path).findings
    assert after.fingerprint == before
    (tmp_path / "c.py").write_text(BAD)
    found = run(tmp_path)
    assert len({f.fingerprint for f in found.findings}) == 2
    assert [f.state for f in against(found, [before]).findings] == ["known", "new"]


def test_what_cannot_be_read_is_said_and_stops_nothing(tmp_path):
    (tmp_path / "two.py").write_text("print 'hello'\n")
    (tmp_path / "binary.py").write_bytes(b"\0\1\2" * 100)
    (tmp_path / "broken.ipynb").write_text("{")
    (tmp_path / "a.py").write_text(BAD)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out.py").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.py")
    found = run(tmp_path)
    assert [f.place.path for f in found.findings] == ["a.py"]
    assert {skipped.path for skipped in found.not_analysed} == {"two.py", "binary.py", "broken.ipynb"}


def test_environments_and_caches_are_passed_over(tmp_path):
    for place in (".venv/lib", "node_modules/x", "mine/lib"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.py").write_text(BAD)
    (tmp_path / "mine" / "pyvenv.cfg").write_text("")
    assert not run(tmp_path).findings


def test_one_file_alone(tmp_path):
    (tmp_path / "a.py").write_text(BAD)
    (tmp_path / "b.py").write_text(BAD)
    assert len(run(tmp_path / "a.py").findings) == 1


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(NothingToAudit):
        source_of(tmp_path / "missing")


def test_a_rule_that_fails_is_told_and_stops_no_other(tmp_path, monkeypatch):
    import msgspec

    def broken(file):
        raise ZeroDivisionError(file.path)

    rules = [rule for rule in all_rules() if rule.code == "PIP008"]
    rules.append(msgspec.structs.replace(rules[0], code="PIP999", check=broken))
    (tmp_path / "a.py").write_text(BAD)
    found = audit(source_of(tmp_path), rules)
    assert len(found.findings) == 1
    assert found.not_analysed[0].reason == "PIP999 failed: ZeroDivisionError: a.py"


def test_no_line_is_shown_that_holds_a_credential(tmp_path):
    key = "AKIA" + "Q7RZ2M4WNVBT6LPD"
    (tmp_path / "a.py").write_text(f'client = Client("{key}")\n')
    (finding,) = audit(source_of(tmp_path), active_rules(preview=False, wanted=("REP003",))).findings
    assert [step.text for step in finding.evidence] == ['client = Client("…")']


def test_of_a_data_file_no_line_is_shown(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    (finding,) = audit(source_of(tmp_path), active_rules(preview=False, wanted=("BOX001",))).findings
    assert (finding.place.line, [step.text for step in finding.evidence]) == (1, [""])
