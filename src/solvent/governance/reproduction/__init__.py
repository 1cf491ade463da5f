"""Reproduction: execute again what was recorded, from its commit, its data and its environment, and say what came out.

The steps run in a child process: in a clean checkout of the recorded commit, with
the recorded versions of all packages, on the data as it was, into a store of their
own, so that no cache answers. What comes of it is recorded as a run with evidence.
"""
