"""What a pickle would import and call, read from its opcodes. Nothing is ever loaded.

A pickle is a program. `pickletools.genops` lists its instructions; GLOBAL, STACK_GLOBAL and INST name what it imports.
Containers that carry pickles are opened within bounds: zip (torch, npz, Keras), npy, and the compressions of joblib.
Where instructions end amid the bytes (joblib's raw arrays), the rest is searched for the two forms of an import.
"""

from __future__ import annotations

import bz2
import io
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from solvent.debt.facts.types import words

LARGEST = 64 * 1024 * 1024  # bytes of one member, compressed or not, that are looked at
_MEMBERS = 200  # entries of a zip
_OPERATIONS = 2_000_000
_STREAMS = 8  # pickles one after the other, as older torch files have

MODEL_SUFFIXES = words(
    ".pkl .pickle .joblib .dill .sav .pt .pth .ckpt .bin .model .h5 .hdf5 .keras .npy .npz .pb .p .mdl .onnx .bst "
    ".cbm .tflite .safetensors"
)
KERAS_SUFFIXES = frozenset({".keras", ".h5", ".hdf5", ".pb"})
_ZIPPED = (".pkl", ".pickle", ".npy", ".joblib", ".p")

# What no model file needs. Sources: picklescan's and modelscan's lists of unsafe globals, November 2026; `getattr` and
# `functools.partial` are left out, since honest pickles of bound methods carry them.
_ANY = words("""
    os posix nt subprocess sys socket shutil runpy pty webbrowser ctypes commands pip _posixsubprocess requests.api
    urllib.request urllib2 httplib http.client aiohttp httpx ftplib telnetlib smtplib bdb pdb code codeop timeit
    profile cProfile doctest ensurepip venv marshal importlib imp pkgutil zipimport paramiko fabric
""")
_NAMES = {
    "builtins": words("eval exec compile open __import__ execfile apply breakpoint input"),
    "pickle": frozenset({"loads", "load"}),
    "_pickle": frozenset({"loads", "load"}),
    "dill": frozenset({"loads", "load"}),
    "cloudpickle": frozenset({"loads", "load"}),
    "joblib": frozenset({"load"}),
    "numpy.testing._private.utils": frozenset({"runstring"}),
    "torch.hub": frozenset({"load"}),
    "torch.serialization": frozenset({"load"}),
    "io": frozenset({"open", "FileIO"}),
    "codecs": frozenset({"open"}),
    "operator": frozenset({"methodcaller"}),
    "pydoc": frozenset({"pipepager", "locate"}),
    "logging.config": frozenset({"listen"}),
}


def dangerous(name: str) -> bool:
    """Whether a global of a pickle can run commands, read files or reach the network.

    >>> dangerous("os.system"), dangerous("builtins.eval"), dangerous("numpy.core.multiarray._reconstruct")
    (True, True, False)
    """
    module, _, function = name.rpartition(".")
    module = {"__builtin__": "builtins", "__builtins__": "builtins"}.get(module, module)
    parts = module.split(".")
    roots = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return bool(roots & _ANY) or function in _NAMES.get(module, frozenset())


def pickled_globals(content: bytes) -> set[str]:
    """Dotted names that the pickles in a file import, whatever wraps them. Damaged or endless input ends early."""
    found: set[str] = set()
    for stream in _streams(content):
        found |= _globals(stream)
    return found


def keras_lambda(path: str, content: bytes) -> bool:
    """Whether a Keras model (HDF5, `.keras`, SavedModel metadata) has a Lambda layer, which is marshalled code."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in KERAS_SUFFIXES:
        return False
    zipped = suffix == ".keras"
    texts = [text for name, text in _members(content) if name == "config.json"] if zipped else [content[:LARGEST]]
    return any(_LAMBDA.search(text) for text in texts)


_LAMBDA = re.compile(rb'"class_name"\s*:\s*"Lambda"')


def _streams(content: bytes) -> Iterator[bytes]:
    """The pickles within bytes of a file."""
    if content[:4] == b"PK\x03\x04":
        for name, member in _members(content):
            if name.endswith(_ZIPPED):
                yield from _plain(member)
        return
    yield from _plain(_decompressed(content))


def _plain(content: bytes) -> Iterator[bytes]:
    if content[:6] == b"\x93NUMPY":
        yield from _of_npy(content)
    elif content[:1] == b"\x80" or content[:1] in b"(ci]}d":
        yield content


def _of_npy(content: bytes) -> Iterator[bytes]:
    """An array of objects is a pickle behind npy's header."""
    wide = content[6:7] >= b"\x02"
    length = int.from_bytes(content[8:12] if wide else content[8:10], "little")
    start = (12 if wide else 10) + length
    if b"|O" in content[:start] or b"'O'" in content[:start]:
        yield content[start:]


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """First bytes of a zip's entries, within bounds; encrypted and damaged ones are left out."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        left = LARGEST
        for info in archive.infolist()[:_MEMBERS]:
            wanted = info.filename.endswith(_ZIPPED) or info.filename == "config.json"
            if not wanted or info.flag_bits & 1 or left <= 0:
                continue
            with archive.open(info) as member:
                read = member.read(left)
            left -= len(read)
            yield info.filename, read
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        OSError,
        ValueError,
        NotImplementedError,
        EOFError,
        RuntimeError,
    ):
        return


def _decompressed(content: bytes) -> bytes:
    """As joblib compresses: zlib, gzip, bz2, xz and lzma; at most `LARGEST` bytes come out."""
    try:
        if content[:2] == b"\x1f\x8b":
            return zlib.decompressobj(31).decompress(content, LARGEST)
        if content[:1] == b"\x78" and content[1:2] in b"\x01\x5e\x9c\xda":
            return zlib.decompressobj().decompress(content, LARGEST)
        if content[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(content, LARGEST)
        if content[:6] == b"\xfd7zXZ\x00" or content[:3] == b"\x5d\x00\x00":
            return lzma.LZMADecompressor().decompress(content, LARGEST)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return b""
    return content


def _globals(stream: bytes) -> set[str]:
    """Names that a run of pickles imports; past the first byte that is no instruction, what looks like an import."""
    found: set[str] = set()
    reader = io.BytesIO(stream[:LARGEST])
    for _ in range(_STREAMS):
        machine = _Machine()
        try:
            for count, (opcode, argument, _) in enumerate(pickletools.genops(reader)):
                found.update(machine.step(opcode.name, argument))
                if count > _OPERATIONS:
                    return found
        except Exception:  # noqa: BLE001 - bytes are somebody's: genops raises whatever their decoding raises
            return found | {f"{match[1]}.{match[2]}" for match in _IMPORT.finditer(_tail(stream, reader.tell()))}
    return found


_IMPORT = re.compile(
    r"(?:c|\x8c.)([A-Za-z_][\w.]*)(?:\n|\x94?\x8c.)([A-Za-z_]\w*)(?:\n|\x94?\x93)", re.ASCII | re.DOTALL
)


def _tail(stream: bytes, start: int) -> str:
    return stream[start:LARGEST].decode("latin-1")


class _Machine:
    """As much of pickle's stack as STACK_GLOBAL needs: strings, and where the memo keeps them."""

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._memo: dict[int, str] = {}

    def step(self, opcode: str, argument: Any) -> Iterator[str]:
        if opcode in {"GLOBAL", "INST"}:
            yield str(argument).replace(" ", ".", 1)
            self._push("")
        elif opcode == "STACK_GLOBAL":
            if len(self._strings) >= 2 and all(self._strings[-2:]):
                yield ".".join(self._strings[-2:])
            self._push("")
        elif "UNICODE" in opcode or "STRING" in opcode:
            self._push(argument if isinstance(argument, str) else "")
        elif opcode == "MEMOIZE":
            self._memo[len(self._memo)] = self._strings[-1] if self._strings else ""
        elif opcode in {"PUT", "BINPUT", "LONG_BINPUT"}:
            self._memo[int(argument)] = self._strings[-1] if self._strings else ""
        elif opcode in {"GET", "BINGET", "LONG_BINGET"}:
            self._push(self._memo.get(int(argument), ""))
        elif opcode not in _QUIET:
            self._push("")

    def _push(self, text: str) -> None:
        self._strings.append(text)
        del self._strings[:-4]


_QUIET = words("PROTO FRAME STOP MARK POP POP_MARK")
