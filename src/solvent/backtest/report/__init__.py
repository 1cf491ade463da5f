"""The backtest as one self-contained HTML page: pure, from what was found to text."""
