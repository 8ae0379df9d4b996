"""The drawing process: pictures in order, and no fault that reaches the training or outlives it."""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnintro import figures
from nnintro.recording import painter as module
from nnintro.recording.painter import Painter, draw_job, job_bytes
from tests.support import PATIENCE

STEPS = np.arange(5)
ARRAYS = {"steps": STEPS, "columns/train/loss": 1.0 / (1 + STEPS)}
TEXTS = {"title": "a run"}


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where painters put their folders; none may be left there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def painter(temporary):
    painter = Painter()
    process, thread = painter._process, painter._thread
    yield painter
    painter.kill()
    assert process.returncode is not None
    assert not thread.is_alive()
    assert process.stdin.closed
    assert process.stdout.closed
    assert painter._stderr.closed


def draw(painter, step=0, kind="learning_curves", **options):
    painter.draw(kind, "figures/curves", step, ARRAYS, TEXTS, **options)


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def wait_for_a_reply(painter):
    wait_until(lambda: painter._waiting[0].reply)


def is_running(process_id):
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


class TestPictures:
    def test_they_come_in_order_and_are_saved(self, painter, tmp_path):
        before = time.time()
        for step in range(3):
            draw(painter, step, save_as=tmp_path / "figures" / f"{step}.png")
        after = time.time()
        drawn = painter.close()
        assert painter.errors == []
        assert [(one.tag, one.step) for one in drawn] == [("figures/curves", s) for s in range(3)]
        assert all(before <= one.wall_time <= after for one in drawn)
        for one in drawn:
            assert Image.open(io.BytesIO(one.png)).size == (800, 450)
            assert (tmp_path / "figures" / f"{one.step}.png").read_bytes() == one.png
        assert len(list((tmp_path / "figures").iterdir())) == 3

    def test_finished_gives_each_picture_once_while_training_goes_on(self, painter):
        draw(painter, 1)
        found = []
        wait_until(lambda: found.extend(painter.finished()) or found)
        assert [one.step for one in found] == [1]
        assert painter.finished() == []
        draw(painter, 2)
        assert [one.step for one in painter.close()] == [2]

    def test_arrays_are_copied(self, painter):
        steps = np.array([1.0, 2.0])
        arrays = {"steps": steps, "columns/loss": steps.copy()}
        painter.draw("learning_curves", "a", 1, arrays, TEXTS)
        painter.draw("learning_curves", "a", 2, arrays, TEXTS)
        steps[:] = np.nan
        painter.draw("learning_curves", "a", 3, arrays, TEXTS)
        first, second, third = painter.close()
        assert first.png == second.png != third.png

    def test_nothing_to_draw(self, painter):
        process = painter._process
        assert painter.close() == painter.close() == painter.finished() == []
        assert process.returncode == -signal.SIGKILL  # not even its imports were waited for
        draw(painter)
        assert painter.close() == painter.errors == []

    @pytest.mark.usefixtures("temporary")
    def test_closing_waits_for_the_process(self):
        with closing(Painter()) as painter:
            process = painter._process
            draw(painter)
        assert process.returncode == 0
        assert painter.errors == []

    @pytest.mark.usefixtures("temporary")
    def test_calls_return_at_once(self):
        started = time.perf_counter()
        painter = Painter()
        for step in range(200):
            draw(painter, step)
            painter.finished()
        # Measured: 1.5 ms to start, 0.6 ms a figure; drawing takes a hundred times as long.
        assert time.perf_counter() - started < 5
        painter.kill()

    def test_a_job_survives_the_pipe(self, tmp_path, monkeypatch):
        arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(3), "c": np.empty(0, np.int8)}
        texts, path = {"title": "$ ä\n", "names": ["x", "y"]}, tmp_path / "s.png"
        seen = []
        monkeypatch.setattr(figures, "render", lambda *arguments: seen.append(arguments) or b"PNG")
        line, _, body = job_bytes(arrays, "kind", texts, str(path)).partition(b"\n")
        size, *header = json.loads(line)
        assert size == len(body)
        assert draw_job(body, *header) == ("", b"PNG")
        assert path.read_bytes() == b"PNG"
        ((kind, found, words),) = seen
        assert (kind, words) == ("kind", texts)
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


class TestTheProcess:
    def test_it_is_light_polite_and_single_threaded(self, painter):
        draw(painter)
        process_id = painter._process.pid
        wait_for_a_reply(painter)
        maps = Path(f"/proc/{process_id}/maps").read_text()
        assert "matplotlib" in maps
        assert "torch" not in maps
        assert os.getpriority(os.PRIO_PROCESS, process_id) >= os.getpriority(os.PRIO_PROCESS, 0) + 5
        environment = Path(f"/proc/{process_id}/environ").read_bytes().split(b"\0")
        assert b"OPENBLAS_NUM_THREADS=1" in environment
        assert os.getpgid(process_id) != os.getpgid(0)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_signals_of_a_terminal_leave_it_alone(self, painter, number):
        draw(painter, 1)
        wait_for_a_reply(painter)
        painter._process.send_signal(number)
        draw(painter, 2)
        assert [one.step for one in painter.close()] == [1, 2]
        assert painter.errors == []

    @pytest.mark.usefixtures("temporary")
    def test_modules_beside_the_user_do_not_get_in(self, tmp_path, monkeypatch):
        (tmp_path / "struct.py").write_text("raise RuntimeError('not the standard library')")
        monkeypatch.chdir(tmp_path)
        with closing(Painter()) as painter:
            draw(painter, 1)
            assert len(painter.close()) == 1

    @pytest.mark.usefixtures("temporary")
    def test_nothing_is_printed(self, capfd):
        with closing(Painter()) as painter:
            painter.draw("learning_curves", "a", 1, ARRAYS, {"title": "日本"})
            painter.draw("nonsense", "a", 1, ARRAYS, {})
        assert capfd.readouterr() == ("", "")


class TestFaults:
    def test_one_bad_job_does_not_lose_the_others(self, painter, tmp_path):
        draw(painter, 1)
        draw(painter, 2, kind="nonsense")
        painter.draw("curve_fit", "figures/fit", 3, {}, {})
        draw(painter, 4, save_as=tmp_path / "missing" / "folder" / "a.png")
        draw(painter, 5)
        assert [one.step for one in painter.close()] == [1, 4, 5]
        unknown, missing, unsaved = painter.errors
        assert unknown == "figure figures/curves at step 2: KeyError: 'nonsense'"
        assert missing.startswith("figure figures/fit at step 3: TypeError:")
        assert unsaved.startswith("figure figures/curves at step 4: FileNotFoundError:")
        assert list(tmp_path.rglob("*.png")) == []

    def test_what_cannot_be_sent_is_noted(self, painter):
        painter.draw("learning_curves", "a", 1, {"steps": np.array([object()])}, TEXTS)
        painter.draw("learning_curves", "b", 2, ARRAYS, {"title": Path("x")})
        draw(painter, 3)
        assert [one.step for one in painter.close()] == [3]
        assert [error[:18] for error in painter.errors] == ["figure a at step 1", "figure b at step 2"]

    def test_a_killed_process_is_noted_once_and_closes_fast(self, painter):
        draw(painter, 1)
        painter._process.kill()
        painter._process.wait()
        draw(painter, 2)
        started = time.monotonic()
        assert painter.close() == []
        assert time.monotonic() - started < 5
        assert painter.errors == [
            "the drawing process ended with status -9",
            "figure figures/curves at step 1: not drawn",
        ]

    def test_what_was_ready_before_the_death_is_kept(self, painter):
        draw(painter, 1)
        wait_for_a_reply(painter)
        painter._process.kill()
        assert [one.step for one in painter.close()] == [1]

    def test_a_process_that_hangs_is_ended(self, painter):
        painter._process.send_signal(signal.SIGSTOP)
        draw(painter, 1)
        started = time.monotonic()
        assert painter.close(timeout=0.3) == []
        assert time.monotonic() - started < 5
        assert painter.errors[0] == "drawing was ended: it took too long"
        assert len(painter.errors) == 2

    def test_a_full_pipe_never_blocks(self, painter, monkeypatch):
        monkeypatch.setattr(module, "MOST_WAITING", 2_000_000)
        painter._process.send_signal(signal.SIGSTOP)
        large = {"steps": np.arange(200_000.0)}  # 1.6 MB: a pipe holds a twentieth of it
        started = time.monotonic()
        for step in (1, 2, 3):
            painter.draw("learning_curves", "figures/curves", step, large, TEXTS)
        assert painter.errors == ["figure figures/curves at step 3: too many figures wait already"]
        painter.kill()
        assert time.monotonic() - started < 5

    @pytest.mark.usefixtures("temporary")
    def test_a_process_that_cannot_start(self, monkeypatch):
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        with closing(Painter()) as painter:
            draw(painter)
            assert painter.finished() == []
        assert len(painter.errors) == 1
        assert painter.errors[0].startswith("figures cannot be drawn:")

    @pytest.mark.usefixtures("temporary")
    def test_a_process_that_fails_at_its_first_job_says_why(self, tmp_path, monkeypatch):
        python = tmp_path / "python"
        # It waits for the job's line: how long asking takes must not decide what is found.
        script = "#!/bin/sh\nread job\necho some trouble >&2\necho no modules >&2\nexit 3\n"
        python.write_text(script)
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))
        with closing(Painter()) as painter:
            draw(painter)
            painter._process.wait(PATIENCE)
            assert painter.close() == []
        assert painter.errors[-2:] == [
            "the drawing process ended with status 3: no modules",
            "figure figures/curves at step 0: not drawn",
        ]

    def test_no_temporary_folder(self, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
        with closing(Painter()) as painter:
            draw(painter)
        assert "No such file or directory" in painter.errors[0]

    @pytest.mark.usefixtures("temporary")
    def test_no_interpreter(self, monkeypatch):
        monkeypatch.setattr(sys, "executable", None)
        with closing(Painter()) as painter:
            draw(painter)
        assert [error[:24] for error in painter.errors] == ["figures cannot be drawn:"]

    @pytest.mark.usefixtures("temporary")
    def test_no_thread(self, monkeypatch):
        def refused(_):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refused)
        with closing(Painter()) as painter:
            draw(painter)
        assert painter.errors == ["figures cannot be drawn: can't start new thread"]

    def test_a_disk_that_is_full(self, temporary, tmp_path):
        code = """
            import resource, sys
            from pathlib import Path
            import numpy as np
            from nnintro.recording.painter import Painter
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
            painter = Painter()
            small, large = np.arange(5.0), np.arange(5000.0)
            folder = Path(sys.argv[1])
            for tag, steps in {"large": large, "small": small}.items():
                arrays = {"steps": steps, "columns/a": steps}
                painter.draw("learning_curves", tag, 1, arrays, {})
                painter.draw("learning_curves", tag, 2, arrays, {}, folder / f"{tag}.png")
            print(*((one.tag, one.step) for one in painter.close()), *painter.errors, sep="|")
        """
        *drawn, large, small = run_python(code, temporary, str(tmp_path / "figures")).split("|")
        # What goes into the events needs no disk; what is to be a file does.
        assert drawn == ["('large', 1)", "('large', 2)", "('small', 1)", "('small', 2)"]
        assert large.startswith("figure large at step 2: OSError: [Errno 27] File too large")
        assert small.startswith("figure small at step 2: OSError: [Errno 27] File too large")
        assert list((tmp_path / "figures").iterdir()) == []


def run_python(code, temporary, *arguments):
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True, text=True, check=True, env=os.environ | environment,
    )  # fmt: skip
    return result.stdout.strip()


class TestNoOrphans:
    """The painter's process and its folder go when their parent does, however it goes."""

    START = textwrap.dedent("""
        import os, sys, time
        import numpy as np
        from nnintro.recording.painter import Painter
        painter = Painter()
        for step in range(1000):
            painter.draw("learning_curves", "a", step, {"steps": np.arange(9)}, {})
        print(painter._process.pid, flush=True)
    """)

    @pytest.mark.parametrize(
        "ending", ["os.kill(os.getpid(), 9)", "os._exit(0)", "os.fork() or time.sleep(3); os.kill(os.getpid(), 9)"]
    )
    def test_of_a_parent_that_dies(self, temporary, ending):
        environment = {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)}
        parent = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", self.START + ending],
            stdout=subprocess.PIPE, check=False, env=os.environ | environment,
        )  # fmt: skip
        process_id = int(parent.stdout)
        # All of its figures would keep it for minutes.
        wait_until(lambda: not is_running(process_id), 30)
        wait_until(lambda: list(temporary.iterdir()) == [], 30)


@pytest.mark.usefixtures("temporary")
class TestTheProgramAround:
    """Whatever calls a painter, and however: the process never runs the caller's own code."""

    # No guard; torch is on board; and it tells apart who runs it.
    SCRIPT = textwrap.dedent("""
        import sys
        from contextlib import closing
        from pathlib import Path
        from nnintro.recording.painter import Painter
        assert not {"numpy", "torch", "matplotlib"} & set(sys.modules)
        print("once", __name__, flush=True)
        painter = Painter()
        import numpy as np
        import torch
        arrays = {"steps": torch.arange(3), "columns/a": np.ones(3)}
        painter.draw("learning_curves", "a", 1, arrays, {})
        with closing(painter):
            while not painter._waiting[0].reply:
                pass
            maps = Path(f"/proc/{painter._process.pid}/maps").read_text()
            print("torch" in maps, len(painter.close()), painter.errors)
    """)  # fmt: skip

    @pytest.mark.parametrize("way", ["file", "-c", "stdin"])
    def test_a_script_without_a_guard(self, way, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(self.SCRIPT)
        arguments = {"file": [str(script)], "-c": ["-c", self.SCRIPT], "stdin": ["-"]}[way]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, *arguments], input=self.SCRIPT if way == "stdin" else "",
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.stdout == "once __main__\nFalse 1 []\n"

    def test_start_up_files_that_print_do_not_disturb_the_replies(self, tmp_path, monkeypatch):
        (tmp_path / "sitecustomize.py").write_text("print('welcome to', end='')")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        with closing(Painter()) as painter:
            draw(painter, 1)
            assert [one.step for one in painter.close()] == [1]
        assert painter.errors == []

    def test_painters_in_several_threads(self):
        drawn = {}

        def use(first):
            with closing(Painter()) as painter:
                draw(painter, first)
                draw(painter, first + 1)
                drawn[first] = [one.step for one in painter.close()] + painter.errors

        threads = [threading.Thread(target=use, args=(first,)) for first in (10, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert drawn == {10: [10, 11], 20: [20, 21]}

    def test_nothing_stays_open(self):
        def count_open():
            return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

        Painter().kill()
        before = count_open()
        for drawing in (True, False):
            painter = Painter()
            if drawing:
                draw(painter)
            painter.close()
            Painter().kill()
        assert count_open() == before

    def test_a_hurried_end_does_not_wait_long(self, monkeypatch):
        monkeypatch.setattr(module, "HURRIED_SECONDS", 0.2)
        painter = Painter()
        painter._process.send_signal(signal.SIGSTOP)
        draw(painter)
        started = time.monotonic()
        assert painter.close(timeout=60, hurried=lambda: True) == []
        assert time.monotonic() - started < 5
        assert len(painter.errors) == 2

    def test_a_program_ends_without_having_closed_its_painter(self, temporary):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", TestNoOrphans.START],
            capture_output=True, text=True, check=True, timeout=PATIENCE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)},
        )  # fmt: skip
        assert done.stderr == ""
        wait_until(lambda: not is_running(int(done.stdout)), 30)
