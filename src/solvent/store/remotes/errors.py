"""What can go wrong between a store and its remote, each with the way out."""

from __future__ import annotations

from solvent.foundation.errors import Refusal, Unexpected, UsageError
from solvent.lineage.digests import Digest


class NoRemote(UsageError):
    """Nothing says where the remote is."""

    code = "no-remote"

    def __init__(self) -> None:
        super().__init__(
            "this project has no remote", next='set `[remote] url = "s3://BUCKET/PREFIX"` or a folder in solvent.toml'
        )


class BadRemoteUrl(UsageError):
    code = "bad-remote-url"

    def __init__(self, url: str) -> None:
        super().__init__(f"`{url}` is no remote", next="write s3://BUCKET/PREFIX, file:///PATH or a folder's path")


class MissingExtra(UsageError):
    """The library that a backend stands on is not installed."""

    code = "missing-extra"


class RemoteDenied(UsageError):
    """The remote knows us and says no, or does not know us."""

    code = "remote-denied"


class NoBucket(UsageError):
    code = "no-bucket"


class Unreachable(Refusal):
    """The remote did not answer, again and again."""

    code = "remote-unreachable"

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"the remote does not answer: {cause}", where=url, next="everything else works without it; repeat later"
        )


class NotOnRemote(Unexpected):
    """The remote has nothing under this name."""

    code = "not-on-remote"

    def __init__(self, name: str, url: str) -> None:
        super().__init__(f"the remote has no {name}", where=url, next="`solvent push` where it was made")


class CorruptOnRemote(Unexpected):
    """The remote's bytes are not the ones that were sent."""

    code = "corrupt-on-remote"

    def __init__(self, name: str, url: str, found: Digest) -> None:
        super().__init__(
            f"{name} has other bytes on the remote than were sent: their digest is {found}",
            where=url,
            next="`solvent verify --remote --repair` in a clone that has it sends it again",
        )


class Interrupted(Exception):
    """A transfer broke off and may be tried again; never leaves this folder."""
