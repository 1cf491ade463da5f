"""A newcomer's model over HTTP, by the installed program alone: two endpoints, answers, outcomes, a new champion."""

import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager

import httpx

from small_project import MODEL, rows
from support import PROGRAM, clean_environment


@contextmanager
def served(root):
    """`solvent serve` on a free port; SIGTERM at the end, which it must survive with exit code 0."""
    command = [str(PROGRAM), "serve", f"{MODEL}@champion", "--port", "0", "--replay"]
    with subprocess.Popen(command, cwd=root, env=clean_environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            url = process.stderr.readline().strip().rpartition(" ")[2]
            assert process.stderr.readline().startswith("next: curl "), url
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                yield client
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_two_endpoints_on_one_store_answer_log_and_take_a_new_champion(solvent, shop, tmp_path):
    root = shutil.copytree(shop, tmp_path / "project")
    week = rows(9).head(4)
    cases = week.select("sale", "price", "size", time=week["time"].dt.to_string("iso:strict")).to_dicts()
    with ExitStack() as stack:
        endpoints = [stack.enter_context(served(root)) for _ in "ab"]
        for number, endpoint in enumerate(endpoints):
            answer = endpoint.post(
                "/invocations", json={"dataframe_records": cases[2 * number : 2 * number + 2]}
            ).json()
            assert answer["prediction_ids"] == [case["sale"] for case in cases[2 * number : 2 * number + 2]]
            assert answer["model"] == f"{MODEL}/1"
        outcome = {"prediction_id": cases[0]["sale"], "label": week["units"][0], "known_at": "2024-03-05T00:00:00Z"}
        report = endpoints[1].post("/outcomes", json={"outcomes": [outcome]}).json()
        assert (report["new"], report["unknown"]) == (1, 0), "the other endpoint's answer is known"
        assert solvent("models", "promote", f"{MODEL}/2", "--waive", "a drill", cwd=root).code == 0
        deadline = time.monotonic() + 30
        while {endpoint.get("/health").json()["model"] for endpoint in endpoints} != {f"{MODEL}/2"}:
            assert time.monotonic() < deadline, "the new champion was not taken"
            time.sleep(0.1)
    found = solvent("lineage", cases[3]["sale"], "--json", cwd=root)
    assert found.code == 0, "a single prediction leads to all that stood behind it"
    assert solvent("verify", cwd=root).code == 0
