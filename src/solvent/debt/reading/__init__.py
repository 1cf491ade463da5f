"""Where the audit touches the disk: a folder, a git checkout, a revision. Only git is run, its hooks off."""
