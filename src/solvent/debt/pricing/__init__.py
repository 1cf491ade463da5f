"""What debts cost: principal once, interest every month, each as a distribution (minutes). Pure.

Nothing here is measured unless a ledger says so: the defaults stand in `assumptions.py` and call themselves that.
"""
