"""How the threads of compiled code wait for each other."""

from __future__ import annotations

# Must be in the environment before OpenMP is loaded. A thread that spins until it is woken starves the one that it
# waits for (fits beside other work took up to 40 times as long); one that sleeps at once is woken too late for the
# thousands of short loops of a small fit (7 times). So it spins for some microseconds, then sleeps.
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"}
