"""A model endpoint: requests in, checked against the contract, answered, logged before the answer leaves.

Serves one model by name over HTTP, takes a new champion between two requests, and
scores files the same way. It reads versions through `registry`, writes the
prediction log through `store`, and never loads anything that arrives by network.
"""
