"""The code fingerprint: everything of a project that can change a step's result, symbol by symbol.

`modules` splits a file into its top-level symbols, `scan` reads what each uses,
`resolve` finds what those names mean across modules, `graph` hashes a symbol with
all that it reaches, `code` puts them together for the steps of a pipeline. Where a
name cannot be followed, more is taken in rather than less, and the step says so.
"""

from __future__ import annotations

from solvent.pipeline.fingerprint.digests import file_digest

__all__ = ["file_digest"]
