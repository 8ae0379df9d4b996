"""What two runs are compared by: everything but the time they took."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

import nnintro
from nnintro.engines.autograd import Autograd
from nnintro.engines.fused import Fused
from nnintro.runs.checkpoint import load_checkpoint
from nnintro.runs.history import read_history

TIMES = ("seconds", "speed/steps_per_second")


def parameters(directory):
    """Name -> the bytes of each parameter and buffer of the model that the run is used with."""
    state = nnintro.load(directory).model.state_dict()
    assert state
    return {name: tensor.numpy().tobytes() for name, tensor in state.items()}


def history(directory):
    columns = read_history(Path(directory) / "history.csv")
    assert len(columns["step"]) > 1
    return {name: values for name, values in columns.items() if name not in TIMES}


def saved_bits(directory):
    """The newest checkpoint as bytes, all that tells of time left out."""
    state = load_checkpoint(Path(directory)).state
    for name in ("seconds", "past", "events"):
        del state[name]
    state["history"] = {k: v for k, v in state["history"].items() if k not in TIMES}
    return hashlib.sha256(_canonical(state)).hexdigest()


def _canonical(value):
    """Equal for equal values; pickles depend on which of them are the same object."""
    if isinstance(value, torch.Tensor):
        return repr((value.dtype, value.shape)).encode() + value.numpy().tobytes()
    if isinstance(value, dict):
        return b"{" + b",".join(_canonical(k) + b":" + _canonical(v) for k, v in value.items())
    if isinstance(value, list):
        return b"[" + b",".join(map(_canonical, value))
    return repr(value).encode()


def scalar_events(directory):
    """(step, tag, value) as they stand in the event files, without TensorBoard's own mending."""
    found = []
    for path in sorted(Path(directory).glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars" and value.tag not in TIMES:
                    number = value.tensor.float_val[0] if value.tensor.float_val else value.tensor
                    found.append((event.step, value.tag, number))
    return found


def assert_same_run(found, expected):
    """Equal bits in parameters, history.csv and events; steps unique and ascending."""
    assert parameters(found) == parameters(expected)
    assert history(found) == history(expected)
    events = scalar_events(found)
    assert events == scalar_events(expected)
    assert len(events) > len(history(expected)["step"])
    steps = [step for step, _, _ in events]
    assert steps == sorted(steps)
    assert len({(step, tag) for step, tag, _ in events}) == len(events)


class Cut(BaseException):
    """The end of a process, as near as it can be had within one."""


@contextlib.contextmanager
def cut_before(monkeypatch, step, expected=1):
    """Whoever trains in here is cut off just before update ``step`` (from 0), once."""
    update, call, cut = Autograd._update, Fused._descend, []

    def cutting(self, number, *, measure):
        if number == step:
            cut.append(number)
            raise Cut
        return update(self, number, measure=measure)

    def cutting_in_between(self, start, stop, *, together):
        if start <= step < stop:
            call(self, start, step, together=together)
            cut.append(step)
            raise Cut
        return call(self, start, stop, together=together)

    with monkeypatch.context() as patch:
        patch.setattr(Autograd, "_update", cutting)
        patch.setattr(Fused, "_descend", cutting_in_between)
        with contextlib.suppress(Cut):
            yield
    assert cut == [step] * expected


def train(values, folder, **options):
    return nnintro.train(values, runs_dir=folder, **options)
