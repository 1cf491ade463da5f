"""Pieces of self-contained pages: markup that cannot be injected into, figures and dates in words, scales, tables.

Pure: values in, text out. May use `foundation` only; what a page says is for the rooms above.
"""
