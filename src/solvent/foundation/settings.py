"""`solvent.toml` (or `[tool.solvent]` in pyproject.toml) as typed values.

Nothing is required. Environment variables `SOLVENT_<SECTION>_<KEY>` override the
plain sections (`SOLVENT_STORE_URL`, `SOLVENT_PIPELINE_WORKERS`); secrets belong
only there. An unknown key is an error that names the nearest known one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from solvent.foundation.clock import parse_span
from solvent.foundation.errors import UsageError, nearest
from solvent.foundation.sizes import parse_size


class BadSettings(UsageError):
    code = "bad-settings"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, unknown keys refused."""


class ProjectSettings(Section, frozen=True, kw_only=True):
    name: str = "default"
    owner: str = ""


class StoreSettings(Section, frozen=True, kw_only=True):
    """url: `sqlite` (the embedded default) or `postgresql://…`; durability: `process` or `full`."""

    url: str = "sqlite"
    durability: Literal["process", "full"] = "process"


class RemoteSettings(Section, frozen=True, kw_only=True):
    """url: `s3://BUCKET/PREFIX`, `file:///PATH` or a path; endpoint, region: of a server that speaks S3."""

    url: str = ""
    endpoint: str = ""
    region: str = ""


class GcSettings(Section, frozen=True, kw_only=True):
    """keep_runs: so many newest runs of each step keep their outputs; grace: what is younger stays."""

    keep_runs: int = 1
    grace: str = "1d"


class PipelineSettings(Section, frozen=True, kw_only=True):
    """modules: where steps live (default: `pipeline.py` or the package `pipelines`); workers: 0 = by cores.

    memory: what running steps may need together (`8GB`); empty: what is free when a run starts.
    """

    modules: list[str] = msgspec.field(default_factory=list)
    workers: int = 0
    memory: str = ""


class DataSettings(Section, frozen=True, kw_only=True):
    """link: how `data checkout` makes files; a hard link shares its bytes with the store and must not be edited."""

    link: Literal["copy", "reflink", "hardlink"] = "reflink"


class CacheSettings(Section, frozen=True, kw_only=True):
    """When a step's earlier result still counts.

    uncertain: a step of which something cannot be seen statically counts by whole modules (`module`), runs
    `always`, or is trusted (`trust`). environment: the distributions that a step's modules import (`direct`)
    or everything installed (`all`). verify: outputs are checked by `size` or by `digest`.
    """

    uncertain: Literal["module", "always", "trust"] = "module"
    environment: Literal["direct", "all"] = "direct"
    verify: Literal["size", "digest"] = "size"


class ContractSettings(Section, frozen=True, kw_only=True):
    """on_break: `record` (the run goes on, the gate closes) or `stop`."""

    on_break: Literal["record", "stop"] = "record"


class RetentionSettings(Section, frozen=True, kw_only=True):
    """How long prediction and outcome log segments are kept; decisions are kept for ever."""

    log: str = "1100d"


class Silence(Section, frozen=True, kw_only=True):
    """Alerts of models and kinds (globs) that nobody wants to hear of until a day, and why."""

    model: str = "*"
    kind: str = "*"
    until: str | None = None
    reason: str


class NotifySettings(Section, frozen=True, kw_only=True):
    """file: JSON lines appended for each alert and decision; webhook: a URL that gets the same as POST.

    urls: where text goes, as Apprise writes addresses (`mailto://…`, `slack://…`); best kept in SOLVENT_NOTIFY_URLS,
    with spaces between. quiet: an alert of the same cause is not told again within this time; silence: what is not
    told at all for now.
    """

    file: str | None = None
    webhook: str | None = None
    urls: list[str] = msgspec.field(default_factory=list)
    quiet: str = "4w"
    silence: list[Silence] = msgspec.field(default_factory=list)


class DebtSettings(Section, frozen=True, kw_only=True):
    """What `solvent audit` looks at and how it speaks of money.

    ignore: globs of paths, each for all rules or as `CODE:glob`; preview: rules in preview too; fail_on: the least
    severity (E, W, I) that makes the command exit with 1; hourly_rate: of a working hour, 0 for no money; currency.
    """

    ignore: list[str] = msgspec.field(default_factory=list)
    preview: bool = False
    fail_on: Literal["E", "W", "I"] = "I"
    hourly_rate: float = 0.0
    currency: str = ""


class MonitorSettings(Section, frozen=True, kw_only=True):
    """window: the width of a monitoring window, by time; threshold: the loss that must not be crossed."""

    window: str = "1w"
    unit: str = ""
    threshold: float | None = None
    false_alarms_per_year: float = 1.0
    effect_floor: float = 0.2
    tolerance: float = 0.1
    cycle: str = "365d"
    event_time_slack: str = "36h"


class PolicySettings(Section, frozen=True, kw_only=True):
    """What a retraining costs and what it must win.

    rule: `plan` foretells the next windows from the models that there are, and trains a shadow only where it pays;
    `compare` weighs the model in service against shadows of every span, trained at every tick. loss: price of one unit
    of loss on one prediction. rollout, fit: price of one roll-out (review, risk) and one fit (compute), as a number,
    or in windows' loss ("2 windows" of the first version's). spans: training spans to choose from. shadow: how long a
    challenger is tried beside the champion before it is promoted; canary: the share of requests that it answers
    meanwhile. leave_out: whether a model may be proposed that does not know a feature that wanders.
    """

    name: str = "default"
    version: int = 1
    enabled: bool = True
    rule: Literal["plan", "compare"] = "plan"
    loss: float = 1.0
    rollout: float | str = "0.3 windows"
    fit: float | str = "0.005 windows"
    spans: list[str] = msgspec.field(default_factory=lambda: ["all", "10w"])
    leave_out: bool = True
    horizon: int = 8
    cooldown: str = "1w"
    shadow: str = "0d"
    canary: float = 0.0
    trial: str = "8w"
    retrainings_per_year: int = 26
    margin: float = 0.02
    slice_margin: float = 0.25
    slices: list[str] = msgspec.field(default_factory=list)
    approval: bool = False

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


class ModelSettings(Section, frozen=True, kw_only=True):
    monitor: MonitorSettings = MonitorSettings()
    policy: PolicySettings = PolicySettings()


class Settings(Section, frozen=True, kw_only=True):
    """The whole file. `parameters.<step>.<name>` overrides a step's keyword-only defaults."""

    project: ProjectSettings = ProjectSettings()
    store: StoreSettings = StoreSettings()
    remote: RemoteSettings = RemoteSettings()
    gc: GcSettings = GcSettings()
    pipeline: PipelineSettings = PipelineSettings()
    data: DataSettings = DataSettings()
    cache: CacheSettings = CacheSettings()
    contracts: ContractSettings = ContractSettings()
    retention: RetentionSettings = RetentionSettings()
    notify: NotifySettings = NotifySettings()
    debt: DebtSettings = DebtSettings()
    monitor: MonitorSettings = MonitorSettings()
    policy: PolicySettings = PolicySettings()
    models: dict[str, ModelSettings] = msgspec.field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)

    @property
    def pipeline_modules(self) -> list[str]:
        return self.pipeline.modules

    @property
    def workers(self) -> int | None:
        return self.pipeline.workers or None

    @property
    def memory(self) -> int | None:
        """Bytes that running steps may need together; None: by what is free. Raises: BadSettings."""
        if not self.pipeline.memory:
            return None
        try:
            return parse_size(self.pipeline.memory)
        except UsageError as error:
            raise BadSettings(error.what, where="pipeline.memory", next=error.next) from None

    @property
    def contracts_on_break(self) -> str:
        return self.contracts.on_break

    def model(self, name: str) -> ModelSettings:
        """Settings of one model: its own section, else the project's `[monitor]` and `[policy]`."""
        return self.models.get(name) or ModelSettings(monitor=self.monitor, policy=self.policy)


def load_settings(root: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of the project in `root`; defaults where there is no file.

    Raises: BadSettings for malformed TOML, unknown keys, wrong types or bad spans.
    """
    raw, place = _read(root)
    _override(raw, environ)
    return parse_settings(raw, place)


def parse_settings(raw: dict[str, Any], place: str) -> Settings:
    """Check and type a parsed table; `place` names it in errors."""
    _refuse_unknown(raw, Settings, place, "")
    for model in raw.get("models", {}).values():
        for section in ("monitor", "policy"):
            if isinstance(raw.get(section), dict) and isinstance(model, dict):
                model[section] = {**raw[section], **model.get(section, {})}
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise BadSettings(str(error).replace("`$.", "`"), where=place) from None
    _check_spans(settings, place)
    return settings


def _read(root: Path) -> tuple[dict[str, Any], str]:
    own, shared = root / "solvent.toml", root / "pyproject.toml"
    if own.exists():
        return _parse(own), "solvent.toml"
    if shared.exists():
        return _parse(shared).get("tool", {}).get("solvent", {}), "pyproject.toml [tool.solvent]"
    return {}, "solvent.toml"


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"not valid TOML: {error}", where=path.name) from None


def _override(raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    plain = {name: hint for name, hint in get_type_hints(Settings).items() if _is_section(hint)}
    for section, struct in plain.items():
        for field in msgspec.structs.fields(struct):
            text = environ.get(f"SOLVENT_{section}_{field.name}".upper())
            if text is not None:
                raw.setdefault(section, {})[field.name] = _from_text(text, field.type)


def _from_text(text: str, hint: Any) -> Any:
    """A value of the environment; lists of texts stand with spaces between."""
    if hint in (int, float, bool):
        return msgspec.convert(text, hint, strict=False)
    return text.split() if hint == list[str] else text


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Section)


def _refuse_unknown(raw: Any, struct: Any, place: str, path: str) -> None:
    if not isinstance(raw, dict):
        return
    hints = get_type_hints(struct)
    for key, value in raw.items():
        if key not in hints:
            where = f"{place}: [{path}]" if path else place
            raise BadSettings(
                f"unknown setting `{key}`",
                where=where,
                next=nearest(key, list(hints), f"known here: {', '.join(sorted(hints))}"),
            )
        inside = f"{path}.{key}".lstrip(".")
        if _is_section(hints[key]):
            _refuse_unknown(value, hints[key], place, inside)
        elif get_origin(hints[key]) is dict and _is_section(get_args(hints[key])[1]) and isinstance(value, dict):
            for name, table in value.items():
                _refuse_unknown(table, get_args(hints[key])[1], place, f"{inside}.{name}")
        elif get_origin(hints[key]) is list and _is_section(get_args(hints[key])[0]) and isinstance(value, list):
            for table in value:
                _refuse_unknown(table, get_args(hints[key])[0], place, inside)


def _check_spans(settings: Settings, place: str) -> None:
    _check_span(settings.gc.grace, f"{place}: [gc]")
    _check_span(settings.notify.quiet, f"{place}: [notify]")
    for silence in settings.notify.silence:
        _check_day(silence.until, f"{place}: [[notify.silence]]")
    for name, model in {"": ModelSettings(monitor=settings.monitor, policy=settings.policy), **settings.models}.items():
        at = f"{place}: [models.{name}]" if name else place
        policy, monitor = model.policy, model.monitor
        for text in (
            monitor.window,
            monitor.event_time_slack,
            policy.cooldown,
            policy.shadow,
            policy.trial,
            monitor.cycle,
            *(s for s in policy.spans if s != "all"),
        ):
            _check_span(text, at)
        _check_canary(policy, at)
        for key in ("rollout", "fit"):
            price(getattr(policy, key), 1.0, f"{at}: {key}")


def _check_canary(policy: PolicySettings, at: str) -> None:
    if not 0 <= policy.canary < 1:
        raise BadSettings(
            f"`canary` is a share of requests, not {policy.canary:g}", where=at, next="0 to less than 1, such as 0.1"
        )
    if policy.canary and not parse_span(policy.shadow):
        raise BadSettings("`canary` needs a time to run", where=at, next='set `shadow`, such as "2w"')


def _check_span(text: str, at: str) -> None:
    try:
        parse_span(text)
    except UsageError as error:
        raise BadSettings(error.what, where=at, next=error.next) from None


def _check_day(text: str | None, at: str) -> None:
    try:
        date.fromisoformat(text or "2000-01-01")
    except ValueError:
        raise BadSettings(f"`{text}` is no day", where=at, next='write it as "2026-12-31"') from None


def price(setting: float | str, window_loss: float, place: str = "solvent.toml") -> float:
    """A price in units of loss; `"2 windows"` is twice `window_loss`.

    Raises: BadSettings.

    >>> price("2 windows", 30.0)
    60.0
    """
    if isinstance(setting, int | float):
        return float(setting)
    number, _, unit = setting.partition(" ")
    try:
        if unit not in ("window", "windows"):
            raise ValueError(unit)
        return float(number) * window_loss
    except ValueError:
        raise BadSettings(f"`{setting}` is no price", where=place, next='write a number, or "2 windows"') from None
