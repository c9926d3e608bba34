"""Tables of results, comparisons, and the command line."""
import numpy as np
import pytest
from scipy.stats import wilcoxon

from affinepieces.__main__ import main
from affinepieces.study.comparisons import by_block, holm, paired
from affinepieces.study.experiments import EXPERIMENTS
from affinepieces.study.summaries import Summary


def table():
    return Summary({"t": [3, 3, 8], "seed": [0, 1000, 0], "pieces": [5, 6, 7], "list": [[1, 2], [3, 4], [5, 6]],
                    "loss": [0.1, None, 1 / 3]}, {"runs": 3})


def test_a_summary_comes_back_with_all_its_bits(tmp_path):
    table().save(tmp_path / "one.parquet")
    table().save(tmp_path / "two.parquet")
    back = Summary.load(tmp_path / "one.parquet")
    assert (back.columns, back.provenance) == (table().columns, {"runs": 3})
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_selections():
    assert table().where(t=3)["pieces"].tolist() == [5, 6]
    assert table().where(t=[3, 8], seed=0)["list"].tolist() == [[1, 2], [5, 6]]
    with pytest.raises(ValueError, match=r"no run has the settings .*'t': 5.*\[3, 8\]"):
        table().where(t=5)
    with pytest.raises(ValueError, match="name is 'width', expected a column: t, seed"):
        table()["width"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"garbage" * 100])
def test_files_that_are_no_summaries(tmp_path, content):
    (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(ValueError, match="is no summary of a study"):
        Summary.load(tmp_path / "bad.parquet")


def test_paired_comparisons():
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 100, (2, 50))
    found = paired(a, b)
    assert (found.less, found.more) == (np.sum(a < b), np.sum(a > b))
    assert found.pairs == 50
    assert found.p == wilcoxon(np.log2(a) - np.log2(b)).pvalue
    assert paired(a, a).p == 1.0
    assert paired(a, a).effect == 0
    assert holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert [x.tolist() for x, in by_block([0, 5, 1000, 3001], [1, 2, 3, 4])] == [[1, 2], [3], [4]]


def test_the_command_line_makes_keeps_and_summarises(tmp_path, capsys):
    where = ["--store", str(tmp_path / "store"), "--only", "triangles", "--preset", "quick"]
    count = len(list(EXPERIMENTS["triangles"].cases("quick")))
    assert main(["study", "run", *where, "--workers", "1"]) == 0
    assert f"0 runs were there, {count} made, 0 failed" in capsys.readouterr().out
    assert main(["study", "run", *where, "--dask", "local:1"]) == 0
    assert f"{count} runs were there, 0 made" in capsys.readouterr().out
    assert main(["study", "status", *where]) == 0
    assert f"{count} of {count}" in " ".join(capsys.readouterr().out.split())
    assert main(["study", "summarise", *where, "--to", str(tmp_path / "results")]) == 0
    assert len(Summary.load(tmp_path / "results" / "triangles.parquet")) == count
    assert main(["study", "show", *where]) == 0
    assert "Do compositions of triangles" in capsys.readouterr().out


def test_the_command_line_names_what_is_wrong(tmp_path, capsys):
    (tmp_path / "file").write_text("precious")
    assert main(["study", "status", "--store", str(tmp_path)]) == 2
    assert "a store, or a folder that is empty" in capsys.readouterr().err
    assert main(["study", "run", "--store", str(tmp_path / "s"), "--dask", "local:none", "--only", "noise"]) == 2
    assert "address is 'local:none', expected local:2" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["study", "run", "--only", "nothing"])
