"""Memory that is freed stays with the process, and that changes no number."""

import platform
import subprocess
import sys
import textwrap

import pytest

CODE = """
    import resource, torch
    from envnet_tutorial.training.runtime import keep_memory

    def new_pages():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        totals = [torch.ones(10_000_000).sum().item() for _ in range(10)]  # 40 MB each
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, set(totals)

    new_pages()
    returned = new_pages()
    assert keep_memory()
    new_pages()
    kept = new_pages()
    assert returned[1] == kept[1] == {1e7}
    print(returned[0], kept[0])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_kept_memory_needs_no_new_pages_and_changes_no_number():
    shown = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], check=True, capture_output=True, text=True)
    returned, kept = map(int, shown.stdout.split())
    assert 2 * kept < returned
