"""Serialisers, one file per family: how a step's value becomes an artifact and comes back.

A family is found by the dotted name of an annotation, without importing what it
names; the value's real type decides at saving. Modules here are found by walking
the folder, others by the entry point group `solvent.plugins`, names `serialiser.*`.
"""
