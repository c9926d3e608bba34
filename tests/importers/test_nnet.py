"""Networks in .nnet files, held against the format's own rule written out with numpy."""
import itertools
import re

import numpy as np
import pytest

import affinepieces as ap
from affinepieces.importers.nnet import from_nnet

WIDTHS = (2, 3, 4, 2)


def row(values):
    return ",".join(repr(float(v)) for v in values) + ","


def parameters(widths=WIDTHS, seed=0):
    rng = np.random.default_rng([17, seed])
    maps = [(rng.standard_normal((n, m)), rng.standard_normal(n)) for m, n in itertools.pairwise(widths)]
    return maps, rng.standard_normal(widths[0] + 1), rng.uniform(0.5, 3, widths[0] + 1)


def nnet(widths=WIDTHS, seed=0):
    """The lines of a file."""
    maps, means, ranges = parameters(widths, seed)
    counts = [len(widths) - 1, widths[0], widths[-1], max(widths)]
    lines = ["// A network", "//", ",".join(map(str, counts)) + ",", ",".join(map(str, widths)) + ",", "0,",
             row([-5] * widths[0]), row([5] * widths[0]), row(means), row(ranges)]
    for weight, bias in maps:
        lines += [*map(row, weight), *(row([b]) for b in bias)]
    return lines


def written(path, lines, end="\n"):
    path.write_text(end.join(lines) + end, "utf8")
    return path


@pytest.mark.parametrize("widths", [WIDTHS, (1, 1), (3, 5, 1), (5, 4, 4, 4, 5)])
@pytest.mark.parametrize("normalise", [True, False])
def test_the_function_of_the_file(tmp_path, widths, normalise):
    chain = from_nnet(written(tmp_path / "a.nnet", nnet(widths)), normalise=normalise)
    maps, means, ranges = parameters(widths)
    x = np.random.default_rng(1).standard_normal((20, widths[0]))
    y = (x - means[:-1]) / ranges[:-1] if normalise else x
    for j, (weight, bias) in enumerate(maps):
        y = y @ weight.T + bias
        y = np.maximum(y, 0) if j < len(maps) - 1 else y
    expected = y * ranges[-1] + means[-1] if normalise else y
    assert np.allclose(chain(x), expected, rtol=1e-12, atol=1e-12)


def test_without_normalising_the_numbers_are_those_of_the_file(tmp_path):
    chain = from_nnet(written(tmp_path / "a.nnet", nnet()), normalise=False)
    assert chain.widths == WIDTHS
    for (weight, bias), a, b in zip(parameters()[0], chain.weights, chain.biases, strict=True):
        assert np.array_equal(a, weight)
        assert np.array_equal(b, bias)


def test_normalising_changes_the_places_of_pieces_but_not_their_number(tmp_path):
    path = written(tmp_path / "a.nnet", nnet((1, 6, 6, 1)))
    _, means, ranges = parameters((1, 6, 6, 1))
    inner = ap.count_pieces(from_nnet(path, normalise=False), ap.Segment(-2, 2))
    outer = ap.Segment(-2 * ranges[0] + means[0], 2 * ranges[0] + means[0])
    assert ap.count_pieces(from_nnet(path), outer) == inner


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_no_commas_at_the_ends_and_empty_lines_and_comments_between(tmp_path, end):
    lines = [part for line in nnet() for part in (line.rstrip(","), "", "// more")]
    found = from_nnet(written(tmp_path / "a.nnet", lines, end))
    expected = from_nnet(written(tmp_path / "b.nnet", nnet()))
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, expected.weights, strict=True))


@pytest.mark.parametrize(("line", "value", "match"), [
    (3, "3,2,2,", "numbers of layers.*found 3 numbers, expected 4"), (3, "0,2,2,4,", "whole numbers from 1"),
    (3, "3.5,2,2,4,", "whole numbers"), (3, "3,3,2,4,", "expected 3 first and 2 last"),
    (3, "999999999999,2,2,4,", "whole numbers from 1 to"), (4, "2,3,4,", "sizes of the layers: found 3 numbers"),
    (5, "x,", "flag: could not convert string to float: 'x'"), (6, "1,", "minimums of the inputs: found 1 numbers"),
    (8, "1,2,", "means of inputs and output"), (9, "1,0,1,", "away from 0"), (9, "1,nan,1,", "expected 3 finite ones"),
    (10, "1,2,3,", "weights of layer 1: found 3 numbers, expected 2 finite"), (13, "1,2,", "biases of layer 1"),
    (14, "one,", "biases of layer 1.*'one'"), (16, "1,2,1e999,", "weights of layer 2")])
def test_errors_name_the_line(tmp_path, line, value, match):
    lines = nnet()
    lines[line - 1] = value
    path = written(tmp_path / "a.nnet", lines)
    where = line if "first and" not in match else line + 1
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}, line {where}: .*{match}.*again"):
        from_nnet(path)


def test_every_truncated_file_is_refused(tmp_path):
    lines = nnet()
    for n in range(len(lines)):
        with pytest.raises(ValueError, match=r"a\.nnet, line \d+: .*the end of the file"):
            from_nnet(written(tmp_path / "a.nnet", lines[:n]))
    with pytest.raises(ValueError, match=rf"line {len(lines) + 1}: the file goes on after the last layer"):
        from_nnet(written(tmp_path / "a.nnet", [*lines, "1,"]))


def test_no_text_and_no_file(tmp_path):
    path = tmp_path / "a.nnet"
    for content, match in ((b"\xff\xfe\x00", "is no text"), (b"", "the end of the file"), (bytes(50), "line 1")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=match):
            from_nnet(path)
    with pytest.raises(FileNotFoundError):
        from_nnet(tmp_path / "none.nnet")


def test_damaged_files(tmp_path):
    rng, path, whole = np.random.default_rng(6), tmp_path / "a.nnet", "\n".join(nnet()).encode()
    read = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 3)):
            content[at] = rng.choice(list(b"0123456789.,-e x\n"))
        path.write_bytes(bytes(content))
        try:
            read += isinstance(from_nnet(path), ap.Chain)
        except ValueError as error:
            if str(path) not in str(error):
                raise
    assert 50 < read < 290
