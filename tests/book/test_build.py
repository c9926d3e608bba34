"""The build stops at what is wrong and says so; pages are never taken from an earlier build."""
from subprocess import CompletedProcess

import pytest

import build
from book.chapters import repository


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository with the given pages in place of the real one; what Sphinx found when it was called."""
    calls = []

    def sphinx(command, cwd, **rest):
        calls.append(sorted(path.name for path in (tmp_path / "_build").iterdir()))
        return CompletedProcess(command, 3)

    def prepare(**pages):
        monkeypatch.setattr(build, "chapters", lambda: repository(tmp_path, **pages))
        return calls

    runs = build.Runs(tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(build, "Runs", lambda: runs)
    monkeypatch.setattr(build, "fetch", lambda: None)
    monkeypatch.setattr(build, "conflicts", lambda: [])
    monkeypatch.setattr(build.subprocess, "run", sphinx)
    return prepare


def test_pages_are_made_afresh_and_the_status_is_that_of_sphinx(book, tmp_path):
    calls = book(a=["print(1)"])
    for folder in (".doctrees", "html"):
        (tmp_path / "_build" / folder).mkdir(parents=True)
    assert build.main() == 3
    assert calls == [[".jupyter_cache"]]


def test_every_failing_chapter_is_shown_and_no_page_is_made(book):
    calls = book(a=["1 / 0"], b=["x = 1"], c=["import os; os._exit(9)"])
    with pytest.raises(SystemExit) as stopped:
        build.main()
    assert "a.md:15, cell 0\n    | 1 / 0\n" in stopped.value.code
    assert "ZeroDivisionError: division by zero" in stopped.value.code
    assert "c.md:15, cell 0\n    | import os; os._exit(9)\nthe kernel died, exit status 9" in stopped.value.code
    assert calls == []


def test_markers_of_a_conflict_stop_the_build(book, monkeypatch):
    calls = book(a=["print(1)"])
    monkeypatch.setattr(build, "conflicts", lambda: ["book/a.md:2: marker", "book/b.md:3: marker"])
    with pytest.raises(SystemExit) as stopped:
        build.main()
    assert stopped.value.code == "book/a.md:2: marker\nbook/b.md:3: marker"
    assert calls == []
