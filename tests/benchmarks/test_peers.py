"""Everybody does the same work: two updates of each, and the losses they lead to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks import assignment as assignments
from benchmarks.__main__ import main
from benchmarks.peers import PEERS, Peer
from benchmarks.results import Results
from benchmarks.timing import measure
from benchmarks.whole_command import commands_for, loss_in
from benchmarks.works import WORKS

SAME_ORDER = ["autograd", "fused", "sliced", "dataloader", "jax", "lightning", "skorch"]
OWN_ORDER = ["sklearn", "keras"]
INSTALLED = [peer for peer in PEERS if not PEERS[peer].missing]


def short(name):
    """The work on so few samples that two updates are all there is to it."""
    work = WORKS[name]
    if work.whole_data:
        return dataclasses.replace(work, checked_epochs=2)
    return dataclasses.replace(work, samples=2 * work.batch, checked_epochs=1)


def skip_if_missing(peer):
    if PEERS[peer].missing:
        pytest.skip(f"not installed: {PEERS[peer].missing}")


def reached(peer, assignment):
    contestant = PEERS[peer].build(assignment)
    start = contestant.parameters()
    for pair, given in zip(start, assignment.layers, strict=True):
        for mine, wanted in zip(pair, given, strict=True):
            np.testing.assert_array_equal(mine, wanted)
    contestant.train(assignment.work.checked_epochs)
    return assignments.loss(assignment, contestant.parameters())


def test_the_lists_of_this_file_are_complete():
    assert sorted(SAME_ORDER + OWN_ORDER) == sorted(PEERS)
    assert {"fused", "autograd", "sliced", "dataloader", "sklearn"} <= set(INSTALLED)


@pytest.mark.parametrize("name", WORKS)
def test_two_updates_of_every_work(name):
    assignment = assignments.draw(short(name), "sgd")
    start = assignments.loss(assignment, assignment.layers)
    wanted = reached("sliced", assignment)
    assert wanted < start
    peers = ["dataloader", "autograd", "fused", "sklearn"]
    for peer in peers:
        found = reached(peer, assignment)
        # By another order the same two batches would have fallen otherwise.
        tolerance = 0.2 if peer in OWN_ORDER and not assignment.work.whole_data else 1e-5
        assert start - found == pytest.approx(start - wanted, rel=tolerance, abs=1e-7), peer


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("peer", [peer for peer in SAME_ORDER if peer != "sliced"])
def test_the_same_order_leads_to_the_same_loss(peer, optimizer):
    """Some hundred updates, the short last batch of every epoch among them."""
    skip_if_missing(peer)
    assignment = assignments.draw(WORKS["mini-batch"], optimizer)
    assert reached(peer, assignment) == pytest.approx(reached("sliced", assignment), rel=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras, of its own arrays
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("peer", OWN_ORDER)
def test_without_an_order_all_agree(peer, optimizer):
    """Over the whole data at once there is none, and what is left is the mathematics."""
    skip_if_missing(peer)
    work = dataclasses.replace(WORKS["whole-data"], checked_epochs=50)
    assignment = assignments.draw(work, optimizer)
    assert reached(peer, assignment) == pytest.approx(reached("sliced", assignment), rel=1e-4)


def test_the_first_step_is_gradient_descents():
    """torch's loop beside sigma and its chain rule by hand: -rate * gradient, mean over samples."""
    work = dataclasses.replace(WORKS["whole-data"], checked_epochs=1)
    assignment = assignments.draw(work, "sgd")
    (V, c), (W, b) = assignment.layers
    x, t, rate = assignment.inputs, assignment.targets, assignment.learning_rate
    u = 1 / (1 + np.exp(-(x @ V.T + c)))
    delta = 2 * (u @ W.T + b - t) / len(x)
    contestant = PEERS["sliced"].build(assignment)
    contestant.train(1)
    (found_V, _), (found_W, _) = contestant.parameters()
    np.testing.assert_allclose(found_W, W - rate * delta.T @ u, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found_V, V - rate * (delta @ W * u * (1 - u)).T @ x, rtol=1e-4, atol=1e-6)


def test_the_loss_of_classes_is_torchs():
    import torch

    assignment = assignments.draw(short("classes"), "sgd")
    from benchmarks.peers.torch_parts import data_of, network_of

    inputs, targets = data_of(assignment)
    with torch.no_grad():
        wanted = torch.nn.functional.cross_entropy(network_of(assignment)(inputs), targets)
    assert assignments.loss(assignment, assignment.layers) == pytest.approx(float(wanted), rel=1e-6)


def test_a_round_has_everybody_once():
    results = Results()
    assignment = assignments.draw(short("mini-batch"), "sgd")
    work = measure(assignment, ["sliced", "fused"], 3, 0.001, lambda _: None, results)
    assert [(timed.peer, len(timed.rates)) for timed in work.contestants] == [
        ("sliced", 3), ("fused", 3),
    ]  # fmt: skip
    assert all(rate > 0 for timed in work.contestants for rate in timed.rates)
    assert work.checked_updates == 2
    assert work.contestants[0].loss == pytest.approx(work.contestants[1].loss, rel=1e-5)


def test_who_breaks_or_is_not_installed_is_left_out_by_name(monkeypatch):
    broken = Peer("Nobody", "plain_torch:Nothing", ("torch",))
    monkeypatch.setitem(PEERS, "nobody", broken)
    results = Results()
    assignment = assignments.draw(short("mini-batch"), "sgd")
    work = measure(assignment, ["nobody", "sliced"], 1, 0.001, lambda _: None, results)
    assert [timed.peer for timed in work.contestants] == ["sliced"]
    assert "AttributeError" in results.left_out["Nobody"]
    assert Peer("Absent", "x:X", ("torch", "no_such_module")).missing == ["no_such_module"]


def test_a_u_nets_engine_makes_the_updates_of_the_usual_loop(tmp_path, monkeypatch):
    import torch

    from benchmarks import unet

    monkeypatch.setattr(unet, "CHANNELS", [2, 4])
    unet.write_images(tmp_path, 2, 16)
    fitted = unet.fit(tmp_path, 2, 0, 1, [])
    images, masks = fitted.training.rows(torch.arange(2))
    assert (images.shape, masks.shape) == ((2, 3, 16, 16), (2, 1, 16, 16))
    engine = unet.fitting(tmp_path, fitted.model, images, masks)
    loop = unet.plain_loop("", fitted.model, images, masks)
    assert engine.loss == pytest.approx(loop.loss, rel=1e-5)
    assert 0 < engine.train(2) < 60
    assert 0 < loop.train(2) < 60


def test_a_kept_assignment_is_the_same(tmp_path):
    assignment = assignments.draw(short("mini-batch"), "sgd")
    assignments.save(assignment, tmp_path / "data.npz")
    kept = assignments.load(assignment.work, "sgd", tmp_path / "data.npz")
    np.testing.assert_array_equal(kept.inputs, assignment.inputs)
    assert assignments.loss(kept, kept.layers) == assignments.loss(assignment, assignment.layers)
    assert sorted(kept.order(3)) == list(range(assignment.work.samples))
    assert not np.array_equal(kept.order(3), kept.order(4))


def test_the_commands_of_a_job(tmp_path):
    title, commands = commands_for("sgd", ["jax"], tmp_path / "a.yaml", tmp_path / "a.npz", 200)
    assert "6,400 updates" in title
    assert list(commands) == ["import torch, nothing else", "nnintro train", "JAX, lax.scan"]
    assert loss_in('{"metrics": {"train/loss": 0.25}}') == 0.25
    assert loss_in("hello\n0.125") == 0.125


def test_bad_options_are_refused(capsys):
    for words in (["--rounds", "0"], ["--works", "nothing"], ["--peers", "nobody"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
    assert "expected 1 or more" in capsys.readouterr().err
