"""One file, one command. Each module has `command`: a function, or a cyclopts App for a group."""
