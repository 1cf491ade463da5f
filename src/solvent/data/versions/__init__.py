"""Data under version control: files, folders, globs and URLs as immutable, content-addressed versions.

`tree` and `lockfile` fix the formats and are pure; `adding`, `checkout` and `state`
move bytes between the project's folder and the object store. Imports of this room
stay light: `data status` answers before anything heavy is loaded.
"""
