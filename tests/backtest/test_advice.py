"""What a backtest recommends."""

import msgspec

from backtest.small_tables import sales
from solvent.backtest.advice import advise
from solvent.backtest.options import Options
from solvent.backtest.policies import AHEAD, CARA, FORECAST, SHOWN_ONLY
from solvent.backtest.run import backtest


def test_only_what_settings_can_put_to_work_is_recommended(tmp_path):
    """However cheap they were: nothing in `solvent.toml` turns the future, or a rival's policy, on."""
    sales(1500, drift=3.0).write_parquet(tmp_path / "aging.parquet")
    options = Options(
        path=tmp_path / "aging.parquet", time="time", target="units", windows=8, windows_given=True, prices=(0.1,)
    )
    found = backtest(options, lambda _: None)
    assert {AHEAD, CARA, FORECAST} <= {outcome.name for outcome in found.asked.outcomes}
    free = [
        msgspec.structs.replace(outcome, cost=1e-9) if outcome.name in SHOWN_ONLY else outcome
        for outcome in found.asked.outcomes
    ]
    asked = msgspec.structs.replace(found.asked, outcomes=free)
    assert advise(asked, found.curve, found.lifetime, found.matrix, found.course).policy not in SHOWN_ONLY
