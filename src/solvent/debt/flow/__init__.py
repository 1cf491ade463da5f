"""The rows dataflow: which rows a variable holds, which part of which split, and what was learnt from which rows.

`values` and `parts` say what can be believed, `tables` what libraries do, `interpreter` follows a program in order
without running it, `events` is what rules read, `explain` prints the beliefs. All pure; nothing knows of rules.
"""
