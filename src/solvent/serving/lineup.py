"""Who answers a request: the version in service, or the canary beside it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from solvent.foundation.errors import SolventError
from solvent.serving.scorer import Answer, Scorer
from solvent.serving.served import Request, ServedModel

logger = logging.getLogger("solvent.serving")


@dataclass(frozen=True)
class Lineup:
    """champion: answers what the canary does not; share: of the requests that the canary takes, in [0, 1)."""

    champion: ServedModel
    canary: ServedModel | None = None
    share: float = 0.0

    @property
    def inline_rows(self) -> int:
        """How many rows each of them answers at once (`ServedModel`)."""
        return min(one.inline_rows for one in (self.champion, self.canary) if one is not None)

    def to_canary(self, request: Request) -> bool:
        """Whether the canary takes a request: by its first case's id, so that a case asked again meets it again."""
        if self.canary is None:
            return False
        ids = request.columns.get(self.champion.signature.id or "")
        key = str(ids[0]) if ids else request.id
        return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) < self.share * 2**64

    def score(self, scorer: Scorer, requests: Sequence[Request]) -> list[Answer | SolventError]:
        """One answer or error per request, in order; what the canary cannot answer, the champion does."""
        answers: dict[int, Answer | SolventError] = {}
        if self.canary is not None:
            taken = [at for at, request in enumerate(requests) if self.to_canary(request)]
            answers = dict(zip(taken, self._tried(scorer, [requests[at] for at in taken]), strict=False))
        left = [at for at in range(len(requests)) if not isinstance(answers.get(at), Answer)]
        if left:
            answers |= zip(left, scorer.score(self.champion, [requests[at] for at in left]), strict=True)
        return [answers[at] for at in range(len(requests))]

    def _tried(self, scorer: Scorer, requests: Sequence[Request]) -> list[Answer | SolventError]:
        if self.canary is None or not requests:
            return []
        try:
            return scorer.score(self.canary, requests)
        except Exception:  # whatever a version on trial does, its callers are answered
            logger.exception("%s failed; %s answers for it", self.canary.name, self.champion.name)
            return []
