"""What differs between two things: datasets here, and runs, revisions and versions; said in lines and as a page.

Names become values (`data`, `sides`), values are compared by pure functions, and
the same answer is printed as JSON, as lines of at most 96 columns, or as one
self-contained HTML page in the language of the life report.
"""
