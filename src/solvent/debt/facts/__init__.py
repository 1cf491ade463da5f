"""What can be known of a repository without running it: documents, syntax, names, types, rows, other files.

Everything that is read of one Python file depends on its bytes alone, so that it can be cached by their digest.
"""
