"""nnintro dashboard: a TensorBoard that serves our runs, and ends when told."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

import nnintro
from nnintro.cli.dashboard import dashboard
from nnintro.errors import CheckpointError
from tests.support import PATIENCE, config

LOGGED = {"figures": "auto", "histograms": "auto"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard") / "runs"
    return folder, [
        nnintro.train(config(logging=LOGGED, name="first"), runs_dir=folder),
        nnintro.train(config(descent={"learning_rate": 0.01}, name="second"), runs_dir=folder),
    ]


class Board:
    """A dashboard that runs, and its HTTP side."""

    def __init__(self, running):
        self.running = running
        self.address = running.stdout.readline().strip()

    def get(self, path, body=None, **query):
        url = f"{self.address}{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def loaded(self, path, condition):
        """The answer once TensorBoard has read what it is about."""
        deadline = time.monotonic() + PATIENCE
        while not condition(answer := self.get(path)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        return answer

    def end(self, number):
        self.running.send_signal(number)
        out, err = self.running.communicate(timeout=PATIENCE)
        return self.running.returncode, out, err

    def status(self, host):
        request = urllib.request.Request(f"{self.address}data/runs", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


def children(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def test_it_serves_the_runs_until_ctrl_c(process, runs):
    folder, (first, second) = runs
    with process("dashboard", "--runs-dir", folder, "--port", 0) as running:
        board = Board(running)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", board.address)
        names = board.loaded("data/runs", lambda names: len(names) == 2)
        # The hyperparameters make no run of their own.
        assert sorted(names) == ["first", "second"]

        known = ("127.0.0.1", "localhost:6006", "LOCALHOST", "[::1]:6006")
        unknown = (
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org:6006",
            "[::2]",
            "10.0.0.1",
            "127.0.0.1@a.b",
        )
        assert {host: board.status(host) for host in known} == dict.fromkeys(known, 200)
        assert {host: board.status(host) for host in unknown} == dict.fromkeys(unknown, 421)

        views = board.get("data/plugins_listing")
        for view in ("timeseries", "scalars", "custom_scalars", "images", "histograms", "hparams"):
            assert views[view]["enabled"], view
        assert views["text"]["enabled"]

        tags = board.loaded(
            "data/plugin/timeseries/tags",
            lambda tags: "second" in tags["scalars"]["runTagInfo"] and tags["images"]["tagRunSampledInfo"],
        )
        columns = set(first.history) - {"step", "epoch", "samples", "seconds"}
        assert set(tags["scalars"]["runTagInfo"]["first"]) == columns
        assert set(tags["images"]["tagRunSampledInfo"]) == {"figures/fit", "figures/curves"}
        assert "parameters/layers.0.weight" in tags["histograms"]["runTagInfo"]["first"]

        points = board.get("data/plugin/scalars/scalars", run="second", tag="validation/sup_error")
        assert [step for _, step, _ in points] == second.history["step"]
        shown = [value for _, _, value in points]
        assert shown == pytest.approx(second.history["validation/sup_error"], rel=1e-6)

        layout = board.get("data/plugin/custom_scalars/layout")
        charts = {chart["title"]: chart["multiline"]["tag"] for chart in layout["category"][0]["chart"]}
        for pattern, tag in zip(charts["loss"], ("train/loss", "validation/loss"), strict=True):
            assert re.search(pattern, tag)

        texts = board.get("data/plugin/text/text", run="first", tag="config")
        assert "sin(3*x)" in texts[0]["text"]

        every = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]
        groups = board.get(
            "data/plugin/hparams/session_groups",
            {"experimentName": "", "allowedStatuses": every, "colParams": [], "startIndex": 0,
             "sliceSize": 10},
        )["sessionGroups"]  # fmt: skip
        rates = {group["name"]: group["hparams"]["descent.learning_rate"] for group in groups}
        assert rates == {"first": 0.05, "second": 0.01}
        assert all(group["sessions"][0]["status"] == "STATUS_SUCCESS" for group in groups)
        metrics = {
            value["name"]["tag"]: value["value"]
            for group in groups if group["name"] == "first" for value in group["metricValues"]
        }  # fmt: skip
        wanted = first.summary["metrics"]["validation/sup_error"]
        assert metrics["validation/sup_error"] == pytest.approx(wanted, rel=1e-6)

        begun = children(running.pid)
        code, out, err = board.end(signal.SIGINT)
    assert (code, out) == (0, "")
    assert err == "TensorBoard runs until Ctrl-C\nstopped\n"
    for child in begun:
        deadline = time.monotonic() + PATIENCE
        while _alive(child):
            assert time.monotonic() < deadline, "a child of the dashboard is left running"
            time.sleep(0.05)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def listening():
    """Addresses and ports, as Linux writes them, that some process of this machine listens on."""
    lines = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    fields = [line.split() for line in lines.splitlines()]
    return [field[1] for field in fields if field[3] == "0A"]


def test_it_serves_this_machine_alone_and_ends_when_terminated(process, tmp_path):
    (tmp_path / "runs").mkdir()
    with process("dashboard", "--port", 0) as running:
        board = Board(running)
        assert board.get("data/runs") == []
        port = f"{int(board.address.rsplit(':', 1)[1].strip('/')):04X}"
        assert [at for at in listening() if at.endswith(f":{port}")] == [f"0100007F:{port}"]
        assert board.end(signal.SIGTERM) == (0, "", "TensorBoard runs until Ctrl-C\nstopped\n")


def test_an_occupied_port_is_one_line(process, tmp_path):
    (tmp_path / "runs").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process("dashboard", "--port", port) as running:
            out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert str(port) in err


def test_a_folder_that_is_not_there(command):
    done = command("dashboard", "--runs-dir", "nowhere")
    assert (done.code, done.out) == (6, "")
    assert done.err == "nowhere: no such folder of runs; train something first\n"


def test_the_error_names_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere: no such folder of runs; train something"):
        dashboard(tmp_path / "nowhere", None)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="no such folder of runs"):
        dashboard(tmp_path / "file", None)
