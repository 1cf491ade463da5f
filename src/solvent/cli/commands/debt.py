"""The rules of the audit, and what the ledger shows."""

from __future__ import annotations

import cyclopts

from solvent.cli.program import add_files

command = add_files(cyclopts.App(name="debt", help="The rules of the audit, and what the ledger shows."), "debt")
