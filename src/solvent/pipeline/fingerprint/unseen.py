"""What a static look cannot follow: names from outside whose answer depends on more than code and inputs."""

from __future__ import annotations

from solvent.pipeline.fingerprint.symbols import BARE, CALLED

_CLOCK_WORDS = """
    time.time time.time_ns time.localtime time.gmtime
    time.ctime time.asctime datetime.datetime.now datetime.datetime.utcnow
    datetime.datetime.today datetime.date.today pandas.Timestamp.now pandas.Timestamp.today
    pendulum.now arrow.now
"""
CLOCK = frozenset(_CLOCK_WORDS.split())
_DYNAMIC_WORDS = """
    importlib.import_module importlib.reload importlib.util.spec_from_file_location importlib.__import__
    runpy.run_path runpy.run_module builtins.exec builtins.eval builtins.__import__ sys.modules
"""
DYNAMIC = frozenset(_DYNAMIC_WORDS.split())
DYNAMIC_BUILTINS = frozenset({"exec", "eval", "globals", "__import__", "__builtins__"})
ENVIRONMENT = ("os.environ", "os.getenv", "os.environb")
_NETWORK = (
    "requests", "httpx", "urllib.request", "urllib3", "aiohttp", "socket", "http.client", "ftplib", "smtplib",
    "boto3", "websockets", "paramiko",
)  # fmt: skip
_PROGRAM = ("subprocess", "os.system", "os.popen", "os.exec", "os.spawn", "os.fork", "pty")
_SEEDING = {"random.seed": "random", "numpy.random.seed": "numpy.random"}
_SEEDABLE_WORDS = """
    random.Random numpy.random.default_rng numpy.random.RandomState numpy.random.SeedSequence
    numpy.random.PCG64 numpy.random.Philox numpy.random.MT19937 numpy.random.SFC64
"""
_SEEDABLE = frozenset(_SEEDABLE_WORDS.split())
_NO_DRAW = frozenset(["random.seed", "numpy.random.seed", "numpy.random.Generator", "numpy.random.BitGenerator"])
_DRAWN = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"})


def unseen(dotted: str, how: int) -> str:
    """What a use of a name from outside brings in, for people; '' where its answer is the same every time."""
    if dotted in CLOCK:
        return f"reads the clock (`{dotted}`)"
    if dotted in DYNAMIC:
        return f"loads code by name (`{dotted}`)"
    if dotted in _DRAWN or dotted.startswith("secrets."):
        return f"draws at random without a seed (`{dotted}`)"
    if draws(dotted):
        seeded = dotted in _SEEDABLE and not (how & BARE)
        return (
            ""
            if seeded or (not how & CALLED and dotted in _SEEDABLE)
            else f"draws at random without a seed (`{dotted}`)"
        )
    if _under(dotted, _NETWORK):
        return f"uses the network (`{dotted}`)"
    if _under(dotted, _PROGRAM) or dotted.startswith(("os.exec", "os.spawn")):
        return f"starts a program (`{dotted}`)"
    return ""


def seeds(dotted: str, how: int) -> str:
    """The family of draws that a call fixes (`random`, `numpy.random`), '' for none."""
    return _SEEDING.get(dotted, "") if how & CALLED and not how & BARE else ""


def draws(dotted: str) -> str:
    """The family whose hidden state a name draws from, '' for none."""
    if dotted in _NO_DRAW:
        return ""
    if dotted.startswith("numpy.random."):
        return "numpy.random"
    return "random" if dotted.startswith("random.") else ""


def reads_environment(dotted: str) -> bool:
    return dotted.startswith(ENVIRONMENT)


def _under(dotted: str, names: tuple[str, ...]) -> bool:
    return any(dotted == name or dotted.startswith(f"{name}.") for name in names)
