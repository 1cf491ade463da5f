"""The debt audit: facts of a repository's files, rules over them, prices, reports.

Reads any repository and never runs, imports or unpickles anything of it, nor reaches the network. `facts`, `rules`
and the pricing are pure; files and git are read in `facts/repository.py`. May use `store` and what is below.
"""
