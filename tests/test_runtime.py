"""Memory that is freed stays with the process, and that changes no number."""

import platform
import subprocess
import sys
import textwrap

import pytest

CODE = """
    import resource, sys, torch
    from envnet_tutorial.training.runtime import keep_memory
    if sys.argv[1] == "keep":
        assert keep_memory()
    def faults():
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.ones(50_000_000).sum()  # 200 MB
    before = faults()
    for _ in range(5):
        total = torch.ones(50_000_000).sum()
    print(faults() - before, total.item())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_kept_memory_needs_no_new_pages_and_changes_no_number():
    faults = {}
    for how in ("keep", "return"):
        command = [sys.executable, "-c", textwrap.dedent(CODE), how]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        faults[how] = int(shown[0])
        assert float(shown[1]) == 50_000_000
    assert 5 * faults["keep"] + 100 < faults["return"]
