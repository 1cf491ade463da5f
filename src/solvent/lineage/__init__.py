"""The lineage graph's vocabulary: entities, digests, the decision chain.

Pure: values in, values out. It opens no file and no database; `store` keeps
these values, `governance` interprets them.
"""
