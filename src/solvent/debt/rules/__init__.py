"""The rules, one file a theme, one function a rule; its docstring is its page.

A rule is found because it stands in this folder under `@rule`, or because the entry point group `solvent.plugins`
names its module under `rule.*`. Its case file `tests/debt/cases/CODE.md` holds spellings and near misses.
"""
