"""Statistics: arrays in, figures out.

Profiles, distances, drift with natural variation, performance without labels,
anytime-valid tests, resampling, costs. Pure: no frame, no file, no clock; every
random draw takes a generator. Carried state is a value that JSON can hold.
May use `foundation` only.
"""
