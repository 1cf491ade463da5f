"""What the debt audit is measured by: seeded programs, and verdicts on real code."""
