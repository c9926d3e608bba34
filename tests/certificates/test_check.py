"""Certificates are accepted by both checkers, and rejected with anything changed; the checkers are short and alone."""
import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.__main__ import main
from affinepieces.certificates import check, writing
from certificates import both, campaign
from certificates.mutations import mutated, places

UNIT = ap.Segment(0, 1)
SQUARE = ap.Polygon.square()


def hidden(*layers, last=None):
    """A chain of plain layers: pairs of weights and biases, and a sum at the end."""
    weights, biases = map(list, zip(*layers, strict=True)) if layers else ([], [])
    inputs = len(weights[-1]) if weights else 1
    return ap.ReLUNetwork([*weights, last or [[1.0] * inputs]], [*biases, [0.0]])


def accepted(net, domain):
    text, right = both.made(net, domain)
    assert both.verdicts([text]) == [(right, right)]
    return json.loads(text), right


def rejected(data, words):
    """By both, with this reason."""
    for said in both.verdicts([json.dumps(data)])[0]:
        assert said.startswith("rejected: ")
        assert words in said


def marked(data):
    """With the fingerprint of what it now asks: as somebody who deceives would write it."""
    return data | {"fingerprint": writing.fingerprint(data["network"], data["domain"])}


def test_random_networks_and_mutations():
    assert list(campaign.failures(range(66), 4)) == []


@pytest.mark.parametrize(("net", "domain"), [
    (hidden(([[1.0], [-1.0]], [-0.3, 0.7])), UNIT), (hidden(([[1.0, 2.0], [-1.0, 1.0]], [0.1, 0.7])), SQUARE)],
    ids=["segment", "polygon"])
def test_no_place_can_be_changed(net, domain):
    data, _ = accepted(net, domain)
    rng = np.random.default_rng(0)
    texts = [json.dumps(mutated(data, rng, at)) for at in places(data) for _ in range(4)]
    assert len(texts) > 180
    assert all(said.startswith("rejected: ") for pair in both.verdicts(texts) for said in pair)


@pytest.mark.parametrize(("net", "domain", "right"), [
    (hidden(last=[[2.0]]), UNIT, "1 regions, 1 pieces"),
    (hidden(([[0.0], [0.0]], [0.0, 1.0])), UNIT, "1 regions, 1 pieces"),
    (hidden(([[1.0], [2.0], [-3.0]], [-0.5, -1.0, 1.5])), UNIT, "2 regions, 2 pieces"),
    (hidden(([[1.0], [-1.0]], [-0.5, 0.5]), ([[1.0, 1.0]], [0.0])), UNIT, "2 regions, 2 pieces"),
    (hidden(([[1.0], [1.0]], [-0.5, -0.5]), last=[[1.0, -1.0]]), UNIT, "2 regions, 1 pieces"),
    (hidden(([[1.0]], [-1.0])), UNIT, "1 regions, 1 pieces"),
    (hidden(([[1e300]], [-5e299])), UNIT, "2 regions, 2 pieces"),
    (hidden(([[5e-324]], [0.0])), ap.Segment(-1, 1), "2 regions, 2 pieces"),
    (hidden(([[1.0]], [-1e16])), ap.Segment(1e16 - 2, 1e16 + 2), "2 regions, 2 pieces"),
    (hidden(([[1.0]], [-1e-310])), ap.Segment(0, 1e-309), "2 regions, 2 pieces"),
    (hidden(([[1.0], [1.0]], [-0.1, -float(np.nextafter(0.1, 1))])), UNIT, "3 regions, 3 pieces"),
    (hidden(([[1.0, 1.0], [2.0, 2.0], [1.0, -1.0]], [0.0, 0.0, 0.0])), SQUARE, "4 regions, 4 pieces"),
    (hidden(([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), last=[[1.0, 0.0]]), SQUARE, "4 regions, 2 pieces"),
    (hidden(([[1.0, 1.0]], [-2.0])), SQUARE, "1 regions, 1 pieces")])
def test_degenerate_networks(net, domain, right):
    assert accepted(net, domain)[1] == f"accepted: {right}"


def test_carried_rows_have_no_bit():
    kinds = [[ap.Kind.NEURON, ap.Kind.CARRIED]]
    data, _ = accepted(ap.Chain([[[1.0], [1.0]], [[2.0, -1.0]]], [[-0.5, 0.0], [0.0]], kinds), UNIT)
    assert data["patterns"] == ["0", "1"]
    assert [row.startswith("relu") for row in data["network"][0]["rows"]] == [True, False]


def test_the_place_of_a_boundary():
    data, _ = accepted(hidden(([[3.0], [1.0]], [-1.0, -0.75])), UNIT)
    assert [one["at"] for one in data["boundaries"]] == ["0." + "3" * 20, "0.75" + "0" * 18]


# --- deceit: the fingerprint is always right -------------------------------------------------------------------------

def cross():
    """Two neurons on the square, four regions, four boundaries."""
    return accepted(hidden(([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0])), SQUARE)[0]


def saw():
    return accepted(ap.constructions.sawtooth(2), UNIT)[0]


def test_a_region_is_left_out():
    for data in (cross(), saw()):
        rejected(data | {"patterns": data["patterns"][1:], "regions": len(data["patterns"]) - 1}, "patterns: gap")


def test_a_pattern_is_given_twice_or_has_no_region():
    for data in (cross(), saw()):
        patterns = data["patterns"]
        for wrong in ([patterns[0], *patterns], [patterns[1], patterns[0], *patterns[2:]]):
            rejected(data | {"patterns": wrong, "regions": len(wrong)}, "patterns[1]: no region, or not in order")
    rejected(saw() | {"patterns": ["0100"]}, "patterns[0]: no region")


def test_a_region_without_length():
    data, _ = accepted(hidden(([[1.0], [-1.0]], [-0.5, 0.5])), UNIT)
    assert data["patterns"] == ["01", "10"]
    rejected(data | {"patterns": ["01", "10", "11"], "regions": 3}, "patterns[2]: no region")  # the point 1/2 alone
    rejected(data | {"patterns": ["00", "01", "10"], "regions": 3}, "patterns[0]: no region")


def test_a_neuron_that_is_zero_everywhere_is_not_active():
    data, _ = accepted(hidden(([[0.0]], [0.0])), UNIT)
    assert data["patterns"] == ["0"]
    rejected(data | {"patterns": ["1"]}, "patterns[0]: no region")


def test_counts_and_boundaries_are_computed():
    for data in (cross(), saw()):
        rejected(data | {"pieces": data["pieces"] - 1}, '"pieces"')
        rejected(data | {"regions": data["regions"] + 1}, '"regions"')
        first, *rest = data["boundaries"]
        rejected(data | {"boundaries": rest}, "boundaries")
        rejected(data | {"boundaries": [first | {"kink": not first["kink"]}, *rest]}, '"kink"')
        rejected(data | {"boundaries": [first | {"neuron": [0, 9]}, *rest]}, '"neuron"')


def test_another_network_or_domain():
    data = saw()
    smaller = [data["network"][0] | {"rows": ["relu -1 0:2", *data["network"][0]["rows"][1:]]}, *data["network"][1:]]
    rejected(data | {"network": smaller}, "")
    rejected(data | {"network": [*data["network"], {"bits": 0, "rows": ["0 0:1"]}]}, '"fingerprint"')
    rejected(marked(data | {"domain": data["domain"] | {"corners": ["0", "4"]}}), "")
    for corners in (["1", "0"], ["0", "0"], ["0"], [], ["0 0", "1 1"], ["0", "1", "2"], ["0", "1", "2", "3"]):
        rejected(marked(data | {"domain": data["domain"] | {"corners": corners}}), "corners")


@pytest.mark.parametrize("corners", [["-1 -1", "1 1", "1 -1", "-1 1"], ["-1 -1", "-1 1", "1 1", "1 -1"],
                                     ["0 0", "0 0", "0 0"], ["0 0", "1 1", "2 2"], ["0 0", "1 0", "2 0", "0 2"],
                                     ["0 3", "-2 -3", "3 1", "-3 1", "2 -3"]])  # the last is a star
def test_polygons_that_are_none(corners):
    data = cross()
    rejected(marked(data | {"domain": data["domain"] | {"corners": corners}}), "corners: wrong order")


@pytest.mark.parametrize("layer", [
    {"bits": 1075, "rows": ["0 0:1"]}, {"bits": -1, "rows": ["0 0:1"]}, {"bits": True, "rows": ["0 0:1"]},
    {"bits": 1e400, "rows": ["0 0:1"]}, {"bits": 10**12, "rows": ["0 0:1"]}, {"bits": 0, "rows": ["0 1:1"]},
    {"bits": 0, "rows": ["0 -1:1"]}, {"bits": 0, "rows": ["0  0:1"]}, {"bits": 0, "rows": ["0 0:1e9"]},
    {"bits": 0, "rows": ["0 0:1_0"]}, {"bits": 0, "rows": ["0 0:0x1"]}, {"bits": 0, "rows": ["0 0:\u0661"]},
    {"bits": 0, "rows": ["00 0:1"]}, {"bits": 0, "rows": []}, {"bits": 0}, {}, [], None, 0, "0",
    {"bits": 0, "rows": "0"}, {"bits": 0, "rows": {"0": "0 0:1"}}, {"bits": 0, "rows": [["0 0:1"]]}])
def test_layers_that_are_none(layer):
    data = accepted(hidden(last=[[1.0]]), UNIT)[0]
    for said in both.verdicts([json.dumps(marked(data | {"network": [layer]}))])[0]:
        assert said.startswith("rejected: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "0", '"x"', "{}", "[" * 100_000, "{" * 9, "\x00", "NaN", "1e9",
                                  '{"network": [], "domain": {"corners": []}}', "\ud800", "\ufeff{}"])
def test_garbage(text):
    assert check.check(text).startswith("rejected: ")
    assert both.verdicts([text])[0][1].startswith("rejected: ")
    assert check.check(text.encode("utf8", "surrogatepass") + b"\xff").startswith("rejected: ")


def test_a_domain_that_is_bent():
    data = saw()
    rejected(marked(data | {"domain": data["domain"] | {"rows": ["relu 0 0:1"]}}), "domain.rows[0]")


# --- the files -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["check.py", "check.js"])
def test_a_checker_has_a_hundred_lines_and_stands_alone(name):
    text = Path(check.__file__).with_name(name).read_text("utf8")
    assert len(text.splitlines()) <= 100
    assert max(map(len, text.splitlines())) <= 120
    if name == "check.js":
        assert "import" not in text
        return
    tree = ast.parse(text)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)]


def test_alone_as_a_script(tmp_path):
    script = shutil.copy(check.__file__, tmp_path / "check.py")
    ap.trace(ap.constructions.hat(), UNIT).certificate.save(tmp_path / "hat.json")
    (tmp_path / "bad.json").write_text((tmp_path / "hat.json").read_text().replace("true", "false"))
    for name, status, said in (("hat.json", 0, "accepted: 2 regions, 2 pieces\n"), ("bad.json", 1, "rejected: ")):
        done = subprocess.run([sys.executable, "-I", "-W", "error", str(script), str(tmp_path / name)],
                              capture_output=True, text=True)
        assert (done.returncode, done.stderr, done.stdout.startswith(said)) == (status, "", True)


def test_save(tmp_path):
    for exact in (False, True):
        certificate = ap.trace(ap.constructions.sawtooth(3), UNIT, exact=exact).certificate
        certificate.save(tmp_path / "c.json")
        assert check.check((tmp_path / "c.json").read_bytes()) == "accepted: 8 regions, 8 pieces"
        ap.trace(hidden(([[1.0, 1.0]], [0.0])), SQUARE, exact=exact).certificate.save(tmp_path / "plane.json")
        assert check.check((tmp_path / "plane.json").read_bytes()) == "accepted: 2 regions, 2 pieces"
    with pytest.raises(ValueError, match=r"belongs to no trace.*save ap.trace\(net, segment\).certificate"):
        ap.Certificate().save(tmp_path / "d.json")
    with pytest.raises(FileNotFoundError):
        certificate.save(tmp_path / "none" / "c.json")
    with pytest.raises(TypeError, match="path is 3"):
        certificate.save(3)


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ap.constructions.sawtooth(3).save("saw.npz")
    ap.constructions.hat().save("hat.npz")
    changed = ap.constructions.sawtooth(3)
    weights = [changed.weights[0], changed.weights[1] * [[1.0, 1.0], [1.0, 1.25]], *changed.weights[2:]]
    ap.ReLUNetwork(weights, changed.biases).save("changed.npz")
    ends = ["--from", "0", "--to", "1"]
    assert main(["trace", "saw.npz", *ends, "--certificate", "c.json"]) == 0
    assert capsys.readouterr().out.endswith("the certificate is c.json\n")
    Path("bad.json").write_text(Path("c.json").read_text().replace('"pieces":8', '"pieces":7'))
    for arguments, status, said in ((["c.json"], 0, "accepted: 8 regions, 8 pieces\n"),
                                    (["c.json", "saw.npz"], 0, "accepted: 8 regions, 8 pieces\n"),
                                    (["c.json", "saw.npz", "--output", "1"], 0, "accepted: 8 regions, 8 pieces\n"),
                                    (["c.json", "hat.npz"], 1, "rejected: network has 4 layers, but hat.npz has 2\n"),
                                    (["c.json", "changed.npz"], 1,
                                     "rejected: network[1].rows[1] is not that of changed.npz\n"),
                                    (["bad.json", "saw.npz"], 1, None), (["saw.npz"], 1, None)):
        assert main(["check", *arguments]) == status
        assert capsys.readouterr().out == said if said else capsys.readouterr().out.startswith("rejected: ")
    assert main(["check", "c.json", "saw.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] is True
    for arguments, said in ((["check", "none.json"], "none.json cannot be opened"),
                            (["check", "c.json", "--layers", "a"], "no MODEL: give it after FILE"),
                            (["trace", "saw.npz", *ends, "--certificate", "no/c.json"], "--certificate is no/c.json")):
        assert main(arguments) == 2
        assert said in capsys.readouterr().err
