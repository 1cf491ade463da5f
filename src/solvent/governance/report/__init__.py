"""The life report: a self-contained HTML page about a project's models, made from the store's facts alone.

`gather` reads the store into the values of `life`; everything else is pure. The
page needs no network and no script to be read.
"""

from solvent.governance.report.gather import life_report, model_life
from solvent.governance.report.html import render_html
from solvent.governance.report.life import LifeReport, ModelLife
from solvent.governance.report.terminal import render_life

__all__ = ["LifeReport", "ModelLife", "life_report", "model_life", "render_html", "render_life"]
