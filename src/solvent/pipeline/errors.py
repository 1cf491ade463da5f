"""The errors of pipelines: what is wrong, in which file and line, and the way out.

UsageError
├── BadDeclaration     a call of `step`, `source` or `model` that makes no sense
├── NotImportable      a lambda, a nested function, a notebook's or `__main__`'s function as a step
├── BrokenModule       a pipeline module that cannot be imported
├── NoPipeline         no module to look in
├── BadStep            a signature that cannot be wired or serialised
├── MissingInput       a parameter that nothing produces
├── TwoProducers       a name that two things produce
├── Cycle              steps that wait for each other
├── EdgeTypes          a producer's and a consumer's annotation disagree
├── UnknownStep        a target or setting that names no step
├── BadParameter       an override of a parameter that a step does not have, or no JSON value
└── BadSource          a source's files are missing, malformed or mixed
Refusal
├── Unserialisable     an output that no serialiser can keep
├── WrongOutput        an output that is not what the annotation says
├── ContractBroken     a source breaks its contract and the settings say stop
├── NotStored          an output that the disk has no room for
├── WorkerDied         a worker process was killed
├── TimedOut           an attempt took longer than its step may
├── ChangedMeanwhile   a file of the project changed between reading and running it
└── StepFailed         the user's function raised
"""

from __future__ import annotations

from solvent.foundation.errors import Refusal, SolventError, UsageError


class BadDeclaration(UsageError):
    code = "bad-declaration"


class NotImportable(UsageError):
    code = "not-importable"


class BrokenModule(UsageError):
    code = "broken-module"


class NoPipeline(UsageError):
    code = "no-pipeline"


class BadStep(UsageError):
    code = "bad-step"


class MissingInput(UsageError):
    code = "missing-input"


class TwoProducers(UsageError):
    code = "two-producers"


class Cycle(UsageError):
    code = "cycle"


class EdgeTypes(UsageError):
    code = "edge-types"


class UnknownStep(UsageError):
    code = "unknown-step"


class BadParameter(UsageError):
    code = "bad-parameter"


class BadSource(UsageError):
    code = "bad-source"


class Unserialisable(Refusal):
    code = "unserialisable"


class WrongOutput(Refusal):
    code = "wrong-output"


class ContractBroken(Refusal):
    code = "contract-broken"


class NotStored(Refusal):
    code = "not-stored"


class WorkerDied(Refusal):
    code = "worker-died"


class TimedOut(Refusal):
    code = "timed-out"


class ChangedMeanwhile(Refusal):
    code = "changed-meanwhile"


class StepFailed(Refusal):
    code = "step-failed"


def by_code(code: str) -> type[SolventError]:
    """The class of a code that came from a child process; Refusal where it is none of these."""
    ours: list[type[SolventError]] = [*UsageError.__subclasses__(), *Refusal.__subclasses__()]
    return next((e for e in ours if e.code == code and e.__module__ == __name__), Refusal)
