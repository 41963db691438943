"""Who used the processors."""

import os
import signal
import subprocess
import sys
import time

from benchmarks.machine import Cores, Usage, Watch, busy_seconds, pinned, processor_seconds

BURN = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass"


def test_what_a_process_and_its_children_use_is_counted() -> None:
    shell = f"{sys.executable} -c '{BURN}'; sleep 60"
    with subprocess.Popen(["sh", "-c", shell], start_new_session=True) as parent:
        until = time.monotonic() + 30
        while processor_seconds(parent.pid) < 0.25 and time.monotonic() < until:
            time.sleep(0.02)
        used = processor_seconds(parent.pid)
        os.killpg(parent.pid, signal.SIGKILL)
    assert used >= 0.25


def test_what_nobody_of_ours_used_is_the_others() -> None:
    watch = Watch({"ours": time.process_time})
    before = busy_seconds()
    subprocess.run([sys.executable, "-c", BURN])
    usage = watch.end()
    assert usage.others >= 0.25
    assert busy_seconds() > before


def test_a_run_is_disturbed_by_a_share_of_the_machine() -> None:
    cores = os.cpu_count() or 1
    assert Usage(10.0, {}, others=0.41 * cores).is_disturbed
    assert not Usage(10.0, {}, others=0.39 * cores).is_disturbed


def test_what_is_started_meanwhile_runs_where_it_should() -> None:
    cores = Cores.of_this_machine()
    show = "import os; print(sorted(os.sched_getaffinity(0)))"
    with pinned(cores.server):
        printed = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True)
    assert printed.stdout.strip() == str(sorted(cores.server))
    assert os.sched_getaffinity(0) == cores.server | cores.others
