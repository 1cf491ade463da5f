"""Tell people of alerts and of decisions that change something: a file, a webhook, and as text by Apprise.

A notifier never stops a tick: what could not be delivered is returned, and the
tick reports it. Delivery is at least once; `effect` in each message is its
identity, so a receiver can drop repeats.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from solvent.foundation.settings import NotifySettings

TIMEOUT_SECONDS = 5.0
Message = dict[str, Any]
Notifier = Callable[[Sequence[Message]], list[str]]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def notifiers(settings: NotifySettings, root: Path) -> list[Notifier]:
    """The notifiers that the settings name, ready to call with a batch of messages.

    Each returns the problems that it met, as sentences; none raises.
    """
    found: list[Notifier] = []
    if settings.file:
        found.append(partial(to_file, path=root / settings.file))
    if settings.webhook:
        found.append(partial(to_webhook, url=settings.webhook))
    if settings.urls:
        found.append(partial(to_apprise, urls=settings.urls))
    return found


def to_apprise(messages: Sequence[Message], urls: Sequence[str]) -> list[str]:
    """One text for all messages to every address: mail, Slack and what speaks like it, Teams, and a hundred others.

    Addresses hold secrets: no problem quotes more of one than its scheme.
    """
    if not messages:
        return []
    try:
        import apprise
    except ModuleNotFoundError:
        return ["apprise is not installed: pip install 'solvent[notify]'"]
    title, body = as_text(messages)
    problems = []
    sender = apprise.AppriseAsset(app_id="Solvent", app_desc="Solvent", image_url_mask="")
    for url in urls:
        scheme = url.partition("://")[0]
        one = apprise.Apprise(asset=sender)
        if not one.add(url):
            problems.append(f"the address {scheme}://… is not understood")
        elif not one.notify(title=title, body=body):
            problems.append(f"{scheme}://… could not be told")
    return problems


def as_text(messages: Sequence[Message]) -> tuple[str, str]:
    """Title and body for people: decisions first, since they changed something, then alerts."""
    decisions = [m for m in messages if m["type"] == "decision"]
    alerts = [m for m in messages if m["type"] == "alert"]
    models = sorted({str(m["model"]) for m in messages})
    counts = [
        f"{len(mine)} {word if len(mine) == 1 else word + 's'}"
        for mine, word in ((decisions, "decision"), (alerts, "alert"))
        if mine
    ]
    lines = [f"{m['model']}: {m['action']}{_version(m)}: {m['reason']}" for m in decisions]
    lines += [f"{m['model']}{_version(m)}: {m['title']}" for m in alerts]
    return f"{', '.join(models)}: {' and '.join(counts)}", "\n".join(lines)


def _version(message: Message) -> str:
    return f" version {message['version']}" if message["version"] is not None else ""


def to_file(messages: Sequence[Message], path: Path) -> list[str]:
    """Append one JSON line a message, in one write, durably."""
    if not messages:
        return []
    lines = "".join(json.dumps(message, sort_keys=True) + "\n" for message in messages)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return [f"could not write {path.name}: {error.strerror}"]
    return []


def to_webhook(messages: Sequence[Message], url: str) -> list[str]:
    """POST {"messages": […]} as JSON; redirects are not followed, the answer's body is not shown."""
    if not messages:
        return []
    if not url.startswith(("https://", "http://")):
        return ["the webhook is no http(s) address"]
    request = urllib.request.Request(  # noqa: S310  the scheme is checked above
        url, data=json.dumps({"messages": list(messages)}).encode(), headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            return []
    except urllib.error.HTTPError as error:
        return [f"the webhook answered {error.code}"]
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        return [f"the webhook could not be reached: {getattr(error, 'reason', error)}"]
