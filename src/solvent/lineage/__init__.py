"""The lineage graph's vocabulary: entities, digests, the decision chain, and how to read a subgraph.

Pure: values in, values out. It opens no file and no database; `store` keeps
these values and hands subgraphs back to be interpreted here.
"""
