"""Explain a rule of the audit: what is wrong, why it costs, how to mend it."""

from __future__ import annotations

from solvent.cli.program import Exit
from solvent.cli.show import next_step, paint, show


def command(code: str = "", *, json: bool = False) -> Exit:
    """Explain a rule of the audit: what is wrong, why it costs, how to mend it.

    Parameters
    ----------
    code:
        Such as DAT101, or its name; all rules are listed without.
    """
    from solvent.debt.report.rules import as_document, explained, listed, rule_named
    from solvent.debt.rules.base import all_rules

    if not code:
        document = [as_document(one) for one in all_rules()]
        show(document, [*listed(all_rules()), "", next_step("`solvent debt explain CODE` tells one")], json=json)
        return Exit.FINE
    rule = rule_named(code)
    todo = next_step(f"`solvent audit --rule {rule.code}` looks for it")
    show(as_document(rule), [*explained(rule, paint=paint), "", todo], json=json)
    return Exit.FINE
