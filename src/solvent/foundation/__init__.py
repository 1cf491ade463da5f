"""What every room stands on: errors, the clock, identifiers, settings, plugins.

Holds no knowledge of machine learning and touches nothing but the files that
`settings` reads. Every other room may import it; it imports none of them.
"""
