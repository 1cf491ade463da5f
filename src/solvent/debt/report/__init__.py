"""An audit as people and programs read it: terminal, JSON, SARIF, GitHub, Markdown, HTML. Pure: values in, text out."""
