"""make app serves the pages to this machine only and says where they are."""
import threading
import urllib.request

import app
from book.browser import ROOT


def test_bound_to_loopback_at_a_free_port():
    with app.server(ROOT, 0) as first, app.server(ROOT, first.server_port) as second:
        assert {first.server_address[0], second.server_address[0]} == {"127.0.0.1"}
        assert first.server_port != second.server_port


def test_every_exploration_is_listed():
    said = app.places("http://127.0.0.1:8000")
    assert "http://127.0.0.1:8000/book/playground.html\n" in said
    for page in (ROOT / "book").glob("*.md"):
        assert (f"/{page.stem}.html#explore" in said) == ("ap.explore(" in page.read_text("utf8"))


def test_pages_are_served(tmp_path):
    (tmp_path / "index.html").write_text("<p>here</p>", "utf8")
    with app.server(tmp_path, 0) as serving:
        thread = threading.Thread(target=serving.handle_request)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{serving.server_port}/") as answer:
            assert answer.read() == b"<p>here</p>"
        thread.join()
