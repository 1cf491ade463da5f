"""A demonstration: two real models live through two real years, told in the terminal.

`project` writes a small ordinary project that the user keeps; `world` is what
happens outside Solvent (deliveries, cases to score, outcomes that become known,
people who make mistakes); `life` lives it week by week through the same doors
that everybody uses, the HTTP endpoint and the tick; `story` tells it. It may
import every room but the command line. Nothing in it is known to Solvent
before its time, and nothing that it tells is written beforehand.
"""
