"""Monitoring: what a model's windows of predictions say, and what should be done about it.

Functions over frames of one model's rows: measurements, alerts with their cause,
and (in `policy`) proposed decisions. Pure but for the frames it is handed: state is
carried as values, the clock is a parameter. May use `data`, `lineage`, `statistics`
and `foundation`; reads no store and acts on nothing.
"""
