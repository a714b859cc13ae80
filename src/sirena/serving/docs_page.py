"""The page at ``/docs``: the OpenAPI document as plain HTML.

Swagger's page loads its program from a public network, which a hospital's server often cannot reach and should not
trust. This page loads nothing.
"""

import html
import json
from typing import Any, Final

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
section{border-top:1px solid #c9d1da;padding:.5rem 0}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f3f5f8;padding:.7rem;overflow:auto}h2 code{background:none}.method{color:#fff;background:#2b6cb0;
padding:.1rem .5rem;border-radius:.2rem;font-size:.8em}.post{background:#2f855a}
td{padding:.1rem 1rem .1rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#14181f;color:#dde3ea}pre{background:#1f2630}}
"""


def render_docs(openapi: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    operations = "".join(
        _operation(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    info = openapi["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_escape(info["title"])}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{_escape(info['title'])} {_escape(info['version'])}</h1>"
        f"<p>{_escape(info.get('description', ''))}</p>"
        '<p>Machine-readable: <a href="openapi.json">openapi.json</a></p>'
        f"{operations}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    answers = "".join(
        f"<tr><td><code>{_escape(status)}</code></td><td>{_escape(answer.get('description', ''))}</td></tr>"
        for status, answer in operation.get("responses", {}).items()
    )
    bodies = "".join(
        _body(path, media, content) for media, content in operation.get("requestBody", {}).get("content", {}).items()
    )
    return (
        f'<section><h2><span class="method {_escape(method)}">{_escape(method.upper())}</span> '
        f"<code>{_escape(path)}</code></h2><p>{_escape(operation.get('description', ''))}</p>{bodies}"
        f"<table>{answers}</table></section>"
    )


def _body(path: str, media: str, content: dict[str, Any]) -> str:
    examples = content.get("examples") or {"": {"value": content.get("example", "")}}
    parts = []
    for name, example in examples.items():
        value = example["value"]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        parts.append(
            f"<p>{_escape(media)} {_escape(name)}</p><pre>curl -H 'Content-Type: {_escape(media)}' "
            f"--data-binary '{_escape(text)}' http://127.0.0.1:5000{_escape(path)}</pre>"
        )
    return "".join(parts)


def _escape(text: str) -> str:
    return html.escape(str(text), quote=True)
