"""May a store lie here? Refuses folders that cannot be written and file systems that other machines share."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from solvent.foundation.errors import UsageError

# SQLite shares its write-ahead log between processes by memory, which no network carries: commits would be lost.
NETWORK = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afpfs", "afs", "coda", "ncpfs", "webdav", "davfs"),
        *(
            "9p",
            "drvfs",
            "acfs",
            "beegfs",
            "fhgfs",
            "ceph",
            "gfs",
            "gfs2",
            "glusterfs",
            "gpfs",
            "lustre",
            "ocfs2",
            "panfs",
        ),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
_MOUNTED_ON_MACOS = re.compile(r"^.+? on (/.*) \((\w+)")


class NetworkFileSystem(UsageError):
    code = "network-file-system"


class ReadOnlyFolder(UsageError):
    code = "read-only-folder"


def prepare_folder(folder: Path) -> None:
    """Make the folder of a store, with a `.gitignore` of its own. Raises: NetworkFileSystem, ReadOnlyFolder."""
    refuse_network(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n")
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        raise ReadOnlyFolder(
            "cannot write here, and a store keeps its facts here",
            where=str(folder),
            next="make the folder writable or choose another with `-C DIR`",
        ) from error


def refuse_network(folder: Path) -> None:
    """Raises: NetworkFileSystem, where the folder (or the nearest one above that exists) lies on one."""
    kind = kind_of_file_system(folder, mounts())
    if kind in NETWORK:
        raise NetworkFileSystem(
            f"SQLite loses commits on a network file system ({kind})",
            where=str(folder),
            next="keep the project on a local disk, or set a postgresql:// store",
        )


def kind_of_file_system(folder: Path, mounted: list[tuple[Path, str]]) -> str:
    """The type of the innermost mount that holds the folder; the last one listed covers those before it."""
    here = folder.resolve()
    holding = [
        (len(point.parts), order, kind) for order, (point, kind) in enumerate(mounted) if here.is_relative_to(point)
    ]
    return max(holding)[2] if holding else "unknown"


def mounts() -> list[tuple[Path, str]]:
    """Mount points with the types of their file systems, in the order of mounting."""
    if sys.platform == "darwin":
        listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=True).stdout
        found = (_MOUNTED_ON_MACOS.match(line) for line in listed.splitlines())
        return [(Path(match[1]), match[2]) for match in found if match]
    lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
    return [(Path(_unescaped(fields[1])), fields[2]) for fields in map(str.split, lines)]


def _unescaped(text: str) -> str:
    """`\\040` and its like, as the kernel writes a blank in a path."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)
