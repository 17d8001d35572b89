"""Where data lie; and the first import of a lesson says nothing that a reader would worry about."""

from pathlib import Path

import nbclient
import nbformat

from envnet_tutorial.datasets.locations import cache_root

ROOT = Path(__file__).parents[1]


def test_the_cache_is_the_users_own_or_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("ENVNET_CACHE", raising=False)
    assert cache_root().name == "envnet-tutorial"
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path))
    assert cache_root() == tmp_path


def test_in_a_notebook_without_widgets_the_import_is_quiet():
    """The last cell shows that the kernel would have complained."""
    cells = [
        "import sys; sys.modules['ipywidgets'] = None",
        "import envnet_tutorial.datasets.locations",
        "for name in [n for n in sys.modules if n.startswith('tqdm')]: del sys.modules[name]\nimport tqdm.auto",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook).execute(cwd=str(ROOT))
    assert notebook.cells[1].outputs == []
    assert "IProgress not found" in notebook.cells[2].outputs[0].text
