"""The processes that tests share tell of crashes, hangs and errors as processes of their own would."""

import os
import signal
import subprocess

import pytest

from support import shared_process
from support.shared_process import own, shared


@pytest.fixture
def script(tmp_path):
    """Return a function that runs a script, in a shared process on that many ranks."""

    def run(text, ranks=None, timeout_s=60):
        (tmp_path / "s.py").write_text(text)
        return shared("script", ["s.py"], tmp_path, ranks, timeout_s)

    return run


def test_output_status_and_folder(script, tmp_path):
    text = (
        "import os, sys\nprint(os.getcwd(), flush=True)\nos.system('echo child')\nsys.stderr.write('bad')\n"
    )
    for status in (0, 3):
        done = script(f"{text}sys.exit({status})")
        assert (done.returncode, done.stdout, done.stderr) == (status, f"{tmp_path}\nchild\n", "bad")
    assert script("import sys; sys.exit('a word')").stderr == "a word\n"
    assert script("print(1)").stdout == "1\n"


def test_one_process_for_many_requests(script):
    first, second = (script("import os; print(os.getpid())").stdout for _ in range(2))
    assert first == second != f"{os.getpid()}\n"


def test_what_a_request_changes_is_put_back(script, monkeypatch):
    script(
        "import os, signal, logging\nos.environ['LEFT'] = '1'\nos.chdir('/')\nlogging.basicConfig(level=10)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    )
    monkeypatch.setenv("GIVEN", "2")
    done = script(
        "import os, signal, logging\n"
        "print(os.environ.get('LEFT'), os.environ.get('GIVEN'), os.getcwd() == '/',"
        " logging.getLogger().handlers, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    )
    assert done.stdout == "None 2 False [] True\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("import os; os.kill(os.getpid(), 11)", -signal.SIGSEGV),
        ("import os; print('said', flush=True); os._exit(7)", 7),
        ("raise KeyError('lost')", 1),
    ],
)
def test_a_process_that_ends_is_replaced(script, text, status):
    before = script("import os; print(os.getpid())").stdout
    done = script(text)
    assert done.returncode == status
    assert ("said" in done.stdout) == ("said" in text)
    assert ("Traceback" in done.stderr) == ("KeyError" in text)
    assert script("import os; print(os.getpid())").stdout != before


def test_a_hang_ends_at_the_time_out(script):
    with pytest.raises(subprocess.TimeoutExpired):
        script("print('here', flush=True)\nimport time\ntime.sleep(1000)", timeout_s=1)
    assert script("print(1)").stdout == "1\n"


def test_one_rank_that_aborts_ends_all(script):
    text = "from mpi4py import MPI\nprint(MPI.COMM_WORLD.size, flush=True)\n"
    abort = "MPI.COMM_WORLD.rank == 1 and MPI.COMM_WORLD.Abort(5)\n"
    wait = "MPI.COMM_WORLD.barrier()\n"  # until the other has written, and until it is ended
    done = script(text + wait + abort + wait, 2)
    assert (done.returncode, done.stdout) == (5, "2\n2\n")
    assert script(text, 2).returncode == 0


def test_variables_that_may_have_been_read_want_a_process_of_their_own(script, monkeypatch):
    before = script("import os; print(os.getpid())").stdout
    monkeypatch.setenv("LPSNMR_SIMD", "portable")
    done = script("import os; print(os.environ['LPSNMR_SIMD'], os.getpid())")
    assert done.stdout.split()[0] == "portable"
    assert done.stdout.split()[1] != before.strip()


def test_processes_are_few(script):
    for ranks in (None, 1, 2, 3, 4):
        assert script("print(1)", ranks).stdout == "1\n" * (ranks or 1)
    assert len(shared_process.WORKERS) == shared_process.MOST


def test_the_console_script_says_the_same(tmp_path):
    words = ["run", "absent.toml"]
    one = shared("command", words, tmp_path)
    two = own([shared_process.BIN / "lpsnmr", *words], tmp_path)
    assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
    assert one.returncode == 2
