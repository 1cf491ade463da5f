"""The life report: a self-contained HTML page about a project's models, made from the store's facts alone.

`gather` reads the store into the values of `life`; everything else is pure. The
page needs no network and no script to be read.
"""
