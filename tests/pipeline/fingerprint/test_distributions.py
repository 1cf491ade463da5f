"""From a module to the distribution that brings it."""

from __future__ import annotations

import os

from solvent.pipeline.fingerprint.distributions import Distributions, Installed


def install(site, name: str, version: str, record: str, metadata: str = "") -> None:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text(record)
    (info / "METADATA").write_text(f"Name: {name}\n{metadata}\n")


def test_modules_lead_to_distributions_by_what_these_recorded(tmp_path):
    install(tmp_path, "PyYAML", "6.0", "yaml/__init__.py,,\n_yaml/x.cpython-311.so,,\n")
    install(tmp_path, "pure", "1.0", "pure.py,,\n../../bin/pure,,\n")
    install(tmp_path, "leaning", "1.0", "leaning/__init__.py,,\n", "Requires-Dist: pyyaml>=5\nRequires-Dist: pure")
    install(tmp_path, "extra", "1.0", "extra/__init__.py,,\n", 'Requires-Dist: pyyaml ; extra == "fast"')
    install(tmp_path, "space_one", "1.0", "space/one.py,,\n")
    install(tmp_path, "space_two", "1.0", "space/two.py,,\n")
    found = Distributions(folders=[str(tmp_path)])
    assert found.of("yaml") == [Installed("pyyaml==6.0", native=True)]
    assert found.of("pure") == [Installed("pure==1.0", native=False)]
    assert found.of("leaning") == [Installed("leaning==1.0", native=True)]
    assert found.of("extra") == [Installed("extra==1.0", native=False)]
    assert [i.label for i in found.of("space")] == ["space-one==1.0", "space-two==1.0"]
    assert found.of("json") == found.of("nothing") == []


def test_the_answer_is_kept_until_something_is_installed(tmp_path):
    site, place = tmp_path / "site-packages", tmp_path / "plan" / "distributions.json"
    install(site, "one", "1.0", "one.py,,\n")
    os.utime(site, ns=(1, 1))
    assert Distributions(place, [str(site)]).of("one")[0].label == "one==1.0"
    (site / "one-1.0.dist-info").rename(site / "one-2.0.dist-info")
    assert Distributions(place, [str(site)]).of("one")[0].label == "one==2.0"
