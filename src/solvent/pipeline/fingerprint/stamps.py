"""When a file's stat is proof that its bytes are the same."""

from __future__ import annotations

import os

import msgspec

SETTLED_NS = 2_000_000_000  # a file changed this recently may change again within one tick of its clock


class Stamp(msgspec.Struct, array_like=True, frozen=True):
    """A file's stat. The change time cannot be set back by hand, so an edit that restores the others is seen."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Stamp:
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)

    def settled(self, seen_ns: int) -> bool:
        """Was the file left alone for long enough before it was looked at?"""
        return max(self.mtime_ns, self.ctime_ns) + SETTLED_NS < seen_ns
