"""Data: versions, differences, contracts."""

from __future__ import annotations

import cyclopts

from solvent.cli.program import add_files

command = add_files(cyclopts.App(name="data", help="Data: versions, differences, contracts."), "data")
