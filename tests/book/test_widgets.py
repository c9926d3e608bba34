"""explore: frames that need no kernel, sliders that use one, clear errors."""
import re

import ipywidgets
import matplotlib.pyplot as plt
import pytest

import affinepieces as ap
from affinepieces.widgets import Frames


def draw(n, kind="a"):
    figure, ax = plt.subplots()
    ax.plot([0, n])
    return figure


@pytest.fixture
def frames(monkeypatch):
    monkeypatch.setenv("AFFINEPIECES_FRAMES", "1")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("AFFINEPIECES_FRAMES", raising=False)


def pictures(shown):
    if isinstance(shown, Frames):
        return list(shown.pictures)
    if isinstance(shown, ipywidgets.HTML):
        return [shown.value]
    return [p for child in getattr(shown, "children", ()) for p in pictures(child)]


@pytest.mark.usefixtures("frames")
def test_all_frames_are_drawn_and_described():
    svgs = pictures(ap.explore(draw, n=[1, 2, 3], kind=["a", "b"], alt="A line", labels={"n": "steps"}))
    assert [re.search('aria-label="([^"]*)"', svg).group(1) for svg in svgs] == [
        f"A line; steps = {n}, kind = {kind}" for n in (1, 2, 3) for kind in ("a", "b")]


@pytest.mark.usefixtures("frames")
def test_the_page_starts_where_it_is_told_to():
    shown = ap.explore(draw, n=[1, 2, 3], kind=["a", "b"], alt="x", start={"n": 2, "kind": "b"})._repr_html_()
    visible = re.findall(r'<div class="frame"( hidden)?>', shown)
    assert [i for i, hidden in enumerate(visible) if not hidden] == [3]
    assert re.findall(r'value="(\d)" autocomplete', shown) == ["1", "1"]


@pytest.mark.usefixtures("frames")
def test_labels_and_values_are_escaped():
    shown = ap.explore(draw, n=["<b>", '"'], alt="<i>", labels={"n": "a < b"})._repr_html_()
    assert not re.search("<b>|<i>|a < b", shown)


@pytest.mark.usefixtures("frames")
def test_ids_of_different_frames_are_different():
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in pictures(ap.explore(draw, n=[1, 2], alt="x"))]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert plt.get_fignums() == []


@pytest.mark.usefixtures("live")
def test_a_kernel_draws_the_values_in_between():
    box = ap.explore(draw, n=[1, 5, 9], alt="A line")
    box.children[0].value = 4
    assert "n = 4" in pictures(box)[0]


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(("values", "kind"), [
    ([1, 2, 9], ipywidgets.IntSlider), ([0.0, 0.5, 1.0], ipywidgets.FloatSlider),
    ([0.01, 0.1, 1.0], ipywidgets.SelectionSlider), (["a", "b"], ipywidgets.SelectionSlider)])
def test_sliders_fit_their_values(values, kind):
    assert isinstance(ap.explore(lambda n: draw(1), n=values, alt="x").children[0], kind)


@pytest.mark.usefixtures("live")
def test_an_error_while_drawing_is_shown():
    def broken(n):
        if n > 1:
            raise RuntimeError("n <= 1 please")
        return draw(n)

    box = ap.explore(broken, n=[1, 2], alt="x")
    with pytest.raises(RuntimeError):
        box.children[0].value = 2
    assert "RuntimeError: n &lt;= 1 please" in pictures(box)[0]


@pytest.mark.parametrize("made", ["live", "frames"])
def test_start_is_kept_in_both_ways(made, request):
    request.getfixturevalue(made)
    shown = ap.explore(draw, n=[1, 5, 9], alt="A line", start={"n": 5})
    assert (shown.start["n"] if made == "frames" else shown.children[0].value) == 5


@pytest.mark.parametrize(("more", "message"), [
    ({"start": {"n": 3}}, r"start\['n'\] is 3, expected one of \[1, 2\]"),
    ({"start": {"m": 1}}, "start has 'm', expected one of n"), ({"labels": {"m": "x"}}, "labels has 'm'")])
def test_labels_and_starts_belong_to_controls(more, message):
    with pytest.raises(ValueError, match=message):
        ap.explore(draw, alt="x", n=[1, 2], **more)


@pytest.mark.parametrize(("controls", "message"), [
    ({}, "0 controls"), ({"n": [1]}, "control n has 1 values"), ({key: [1, 2] for key in "abc"}, "3 controls")])
def test_bad_controls(controls, message):
    with pytest.raises(ValueError, match=message):
        ap.explore(draw, alt="x", **controls)
