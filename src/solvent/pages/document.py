"""The document around a page: its head, our style, and a policy that lets it load nothing from anywhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from solvent.pages.markup import Child, Html, tag


def document(title: str, body: Child, *, style: str = "", script: bool = False) -> str:
    """One self-contained HTML document, in UTF-8.

    style: CSS beside the pages' common one. script: with the common script, which finds and moves by keys.
    """
    code = packaged("page.js") if script else ""
    allowed = f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'" if script else "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("title", f"{title} · Solvent"),
        tag("style", Html(packaged("page.css") + style)),
    )
    inside = tag("body", body, tag("script", Html(code)) if script else None)
    return f"<!doctype html>\n{tag('html', head, inside, lang='en')}\n"


def packaged(name: str) -> str:
    """A file of this package as text."""
    return files("solvent.pages").joinpath(name).read_text("utf-8")
