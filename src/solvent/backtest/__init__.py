"""Backtests: how a model on a table would have aged, and what each way of retraining it would have cost.

Reads one table, trains on its past, lives the rest in order of time. Composes `statistics`; may use `monitoring`,
`registry`, `data` and what is below, but no store and no project: it is for people who have adopted nothing.
"""
