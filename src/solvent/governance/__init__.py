"""Answers for everything that was done: what came of what, what was live when, why, and whether it is all still there.

Reads the store and writes nothing to it; the life report is a string that the
caller puts where it belongs. It may touch what lies below it: facts, objects, the
prediction log, settings. It changes no fact and opens no socket.
"""
