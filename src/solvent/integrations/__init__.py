"""Doors to other systems, each one file, each optional. What they need is handed to them as values."""
