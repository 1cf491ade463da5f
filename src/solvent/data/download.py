"""Files behind a URL: fetched once, asked again only whether they have changed."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import msgspec

from solvent.foundation.errors import UsageError
from solvent.foundation.ids import uuid7
from solvent.lineage.digests import digest_of

TIMEOUT = 60.0  # seconds without a byte
_VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class BadDownload(UsageError):
    """The server did not give the file."""

    code = "bad-download"


def is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))


def fetch(url: str, folder: Path, *, refresh: bool) -> Path:
    """The local copy of a URL, made anew where the server has another version.

    refresh: False asks nobody if there is a copy. Raises: BadDownload.
    """
    import urllib.error  # loads the whole of http and ssl, which most projects never need
    import urllib.request

    home = folder / digest_of(url.encode())[:16]
    target = home / (PurePosixPath(urlsplit(url).path).name or "download")
    if target.exists() and not refresh:
        return target
    home.mkdir(parents=True, exist_ok=True)
    request = urllib.request.Request(url, headers=_conditions(home, target))  # noqa: S310 — only http(s) comes here
    staged = target.with_name(f".{uuid7()}.part")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, staged.open("wb") as file:  # noqa: S310 — as above
            shutil.copyfileobj(answer, file)
            _check_length(url, answer.headers["Content-Length"], file.tell())
            validators = {
                ours: answer.headers[theirs] for theirs, ours in _VALIDATORS.items() if answer.headers[theirs]
            }
    except urllib.error.HTTPError as error:
        staged.unlink(missing_ok=True)
        if error.code == 304:
            return target
        raise BadDownload(f"{url} answered {error.code} {error.reason}") from error
    except BadDownload:
        staged.unlink()
        raise
    except OSError as error:
        staged.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise BadDownload(f"{url} cannot be reached: {error}") from error
    staged.replace(target)
    (home / "validators.json").write_bytes(msgspec.json.encode(validators))
    return target


def _check_length(url: str, told: str | None, read: int) -> None:
    if told is not None and int(told) != read:
        raise BadDownload(f"{url} broke off after {read} of {told} bytes", next="repeat")


def _conditions(home: Path, target: Path) -> dict[str, str]:
    kept = home / "validators.json"
    return msgspec.json.decode(kept.read_bytes(), type=dict[str, str]) if target.exists() and kept.exists() else {}
