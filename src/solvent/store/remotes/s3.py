"""A remote in a bucket that speaks S3: AWS, MinIO, Ceph, R2 and their like, through obstore.

Credentials come from the environment alone (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_SESSION_TOKEN`, or the machine's role). Uploads carry a SHA-256, which the server
compares with what arrived; one that breaks off is aborted, and never becomes an object.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from solvent.store.remotes.errors import Interrupted, MissingExtra, NoBucket, NotOnRemote, RemoteDenied
from solvent.store.remotes.protocol import Stored

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

PART = 8 << 20  # bytes; S3 allows 10,000 parts, so larger objects get larger ones
MOST_PARTS = 9_000
PARTS_AT_ONCE = 4
_REGION = "us-east-1"
_ROLE_SERVER = "169.254.169.254"  # where a machine in the cloud asks for its credentials


class S3Remote:
    """Objects below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str, url: str, *, endpoint: str = "", region: str = "") -> None:
        self.bucket = bucket
        self.url = url
        self._store = _open(bucket, prefix, endpoint, region)

    def list(self, folder: str) -> Iterator[Stored]:
        import obstore

        with self._told(folder):
            for page in obstore.list(self._store, f"{folder}/", chunk_size=1000):
                for entry in page:
                    yield Stored(entry["path"], entry["size"])

    def size(self, name: str) -> int | None:
        import obstore

        try:
            with self._told(name):
                return obstore.head(self._store, name)["size"]
        except NotOnRemote:
            return None

    def read(self, name: str) -> Iterator[bytes]:
        import obstore

        with self._told(name):
            answer = obstore.get(self._store, name)
            for chunk in answer.stream(min_chunk_size=PART // 2):
                yield bytes(chunk)

    def write(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        import obstore

        with self._told(name):
            if size <= PART:
                obstore.put(self._store, name, b"".join(chunks), use_multipart=False)
            else:
                part = max(PART, -(-size // MOST_PARTS))
                obstore.put(self._store, name, chunks, chunk_size=part, max_concurrency=PARTS_AT_ONCE)
            arrived = obstore.head(self._store, name)["size"]
        if arrived != size:
            raise Interrupted(f"{arrived} of {size} bytes of {name} arrived")

    def tidy(self) -> None:
        """Nothing: parts of a killed upload are no objects; a lifecycle rule of the bucket removes them."""

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn obstore's errors into ours."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (FileNotFoundError, BaseError) as error:
            raise self._ours(error, name) from error

    def _ours(self, error: Exception, name: str) -> Exception:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        text = str(error)
        if "NoSuchBucket" in text:
            return NoBucket(f"there is no bucket `{self.bucket}`", where=self.url, next="create it")
        if isinstance(error, FileNotFoundError):
            return NotOnRemote(name, self.url)
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            hint = "check the AWS_* credentials and their rights"
            return RemoteDenied(f"the remote refused: {_first_line(error)}", where=self.url, next=hint)
        if _ROLE_SERVER in text:
            hint = "set AWS_ACCESS_KEY_ID and its like"
            return RemoteDenied("no credentials for the remote", where=self.url, next=hint)
        return Interrupted(_first_line(error))


def _open(bucket: str, prefix: str, endpoint: str, region: str) -> S3Store:
    try:
        from obstore.store import S3Store
    except ModuleNotFoundError as error:
        raise MissingExtra("obstore is not installed", next="pip install 'solvent[s3]'") from error
    endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _REGION
    config: S3Config = {"region": region, "checksum_algorithm": "SHA256"}
    if endpoint:
        config["endpoint"] = endpoint
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=10),
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(hours=12),
        },
        retry_config={
            "max_retries": 4,
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
            "retry_timeout": timedelta(minutes=2),
        },
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].partition(": <?xml")[0]
