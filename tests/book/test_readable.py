"""Chapters as notebooks that any program shows: nothing is lost, and no directive or role is left."""
import re
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
import take_along
from sphinx.errors import ConfigError

from book.browser import HTML
from book.chapters import HEAD
from pages import chapters
from readable import readable

PAGE = HEAD + r"""
(here)=
See {doc}`other`, {prf:ref}`thm-a`, {eq}`eq-a`, {ref}`an exercise <ex-b>`, {cite:t}`Key2020` and {cite:p}`Key2020`.

```{prf:theorem} Name · paper
:label: thm-a

$$
x
= y
$$ (eq-a)
```

```{admonition} Proof
:class: dropdown

Clear.
```

```{exercise} Try
:label: ex-b

Do it.
```

````{solution-start} ex-b
:class: dropdown
````

So.

```{code-cell}
solved = 1
```

````{solution-end}
````

## End
"""


@pytest.fixture
def notebook(tmp_path):
    (tmp_path / "other.md").write_text(HEAD.replace("A chapter", "The other"), "utf8")
    (tmp_path / "03_page.md").write_text(PAGE, "utf8")
    (tmp_path / "references.bib").write_text(
        "@article{Key2020, author={Key, Ann}, title={T}, year={2020}, doi={10.1/x}}", "utf8")
    return readable(tmp_path / "03_page.md")


def test_everything_is_told_in_ordinary_markdown(notebook):
    assert [cell.source for cell in notebook.cells] == [r"""# A chapter

<a id="here"></a>

See [The other](other.ipynb), [Theorem 3.1](#thm-a), [(3.1)](#eq-a), [an exercise](#ex-b), """
        r"""[Key (2020)](https://doi.org/10.1/x) and ([Key, 2020](https://doi.org/10.1/x)).

<a id="thm-a"></a>

> **Theorem 3.1** (Name · paper)
>
> $$ x = y \tag{3.1} $$

<details>
<summary>Proof</summary>


Clear.

</details>

<a id="ex-b"></a>

> **Exercise 3.1** (Try)
>
> Do it.

<details>
<summary>Solution to Exercise 3.1</summary>

So.

</details>""", "solved = 1", "## End"]
    assert notebook.cells[1].metadata["jupyter"] == {"source_hidden": True}


@pytest.mark.parametrize("page", chapters(), ids=lambda page: page.stem)
def test_a_chapter_keeps_its_code_and_has_no_directive_left(page):
    notebook = readable(page)
    nbformat.validate(notebook)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"\{[\w:-]+\}`|^`{3,}\{.*|^:\w+:.*|^\([\w-]+\)=$|\$\$ \(.*", told, re.MULTILINE) == []
    assert told.count("<details>") == told.count("</details>")
    code = [cell.source for cell in jupytext.read(page, fmt="md:myst").cells if cell.cell_type == "code"]
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == code
    with_place = readable(page, "https://github.com/a/b")
    assert "git clone --quiet --depth 1 https://github.com/a/b " in with_place.cells[1].source


@pytest.mark.skipif(not HTML.exists(), reason="missing: the built book (make book)")
@pytest.mark.parametrize("page", chapters(), ids=lambda page: page.stem)
def test_a_page_offers_its_notebook(page):
    html = (HTML / "book" / f"{page.stem}.html").read_text("utf8")
    assert f'<a href="{page.stem}.ipynb"' in html
    made = nbformat.read(HTML / "book" / f"{page.stem}.ipynb", 4)
    assert [cell.source for cell in made.cells] == [cell.source for cell in readable(page).cells]


def links(url, page="book/08_one_step"):
    options, context = {"repository_url": url, "repository_branch": "main"}, {"header_buttons": []}
    app = SimpleNamespace(config=SimpleNamespace(html_theme_options=options))
    take_along.configure(app, app.config)
    take_along.buttons(app, page, "", context, None)
    return options["use_repository_button"], [button["url"] for button in context["header_buttons"]]


def test_without_an_address_there_is_the_notebook_alone():
    assert links("") == (False, ["08_one_step.ipynb"])
    assert links("", "book/notation") == (False, [])


def test_with_an_address_there_are_binder_and_colab():
    assert links("https://github.com/a/b.git") == (True, [
        "08_one_step.ipynb", "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/notebooks/08_one_step.ipynb",
        "https://colab.research.google.com/github/a/b/blob/notebooks/08_one_step.ipynb"])


def test_an_address_of_another_form_is_refused():
    with pytest.raises(ConfigError, match="OWNER/NAME"):
        links("https://example.org/x")
