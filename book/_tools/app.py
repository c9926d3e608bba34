"""Serve the built book to this machine only, and say where its playground and its explorations are."""
from __future__ import annotations

import functools
import http.server
import sys
import webbrowser
from pathlib import Path

from labels import title
from pages import BOOK, ROOT

HTML = ROOT / "_build" / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing about each request."""

    def log_message(self, *_: object) -> None: ...


def server(folder: Path, port: int = 8000) -> http.server.ThreadingHTTPServer:
    """Bound to the loopback address, at the port or, where that is taken, at a free one."""
    handler = functools.partial(Quiet, directory=str(folder))
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


def places(address: str, book: Path = BOOK) -> str:
    """Where to play, a line for each page."""
    texts = {page.stem: page.read_text("utf8") for page in sorted(book.glob("*.md"))}
    lines = [f"The playground:  {address}/book/playground.html", "Explorations:"]
    lines += [f"  {address}/book/{stem}.html#explore  {title(text)}" for stem, text in texts.items()
              if "ap.explore(" in text]
    return "\n".join([*lines, "Ctrl-C ends it."])


def main() -> None:
    with server(HTML) as serving:
        address = f"http://127.0.0.1:{serving.server_port}"
        print(places(address), flush=True)
        if "--no-browser" not in sys.argv:
            webbrowser.open(f"{address}/book/playground.html")
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
