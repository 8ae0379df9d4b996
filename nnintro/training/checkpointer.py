"""Decide when to save a checkpoint, collect its contents, and restore them."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nnintro.config.training import Checkpoints
from nnintro.descent.optimizers import OPTIMIZERS, kind_of, memories_of
from nnintro.errors import CheckpointError
from nnintro.models.build import load_parameters
from nnintro.runs.checkpoint import save_checkpoint
from nnintro.runs.folder import MovedError, RunLock
from nnintro.runs.state import Checkpoint, Origin, Outcome, Past, Records, complete
from nnintro.runs.summary import OVER
from nnintro.training.setup import Parts


@dataclass
class Checkpointer:
    """Saves a training every so often, and at its end.

    A disk that fails while training runs costs a warning, once, and training goes on; at the end it
    is an error, for then there would be no run.
    """

    directory: Path
    settings: Checkpoints
    capture: Callable[[Outcome], Checkpoint]
    warn: Callable[[str], None]
    lock: RunLock
    """On the run's folder."""
    useless: frozenset[str] = frozenset()
    """Files of checkpoints that were passed over when the run was taken up again."""
    step: int = field(default=-1, init=False)
    """The update that the newest checkpoint stands at; -1 before the first."""
    failure: str | None = field(default=None, init=False)
    """Why the newest attempt failed, if it did."""
    _saved_at: float = field(default_factory=time.monotonic, init=False)

    def next_stop(self, step: int) -> int | None:
        """The update to come back at for a checkpoint, where updates are counted for it."""
        return self.settings.next_stop(step)

    def offer(self, outcome: Outcome) -> None:
        """Save, if it is time to."""
        if not self._due(outcome.step):
            return
        try:
            self.save(outcome)
        except MovedError:
            raise
        except CheckpointError as error:
            if self.failure is None:
                self.warn(f"no checkpoint at update {outcome.step:,}, training goes on: {error}")
            self.failure = str(error)
            self._saved_at = time.monotonic()

    def _due(self, step: int) -> bool:
        if step == self.step:
            return False
        if self.settings.steps is not None:
            return step % self.settings.steps == 0
        return self.settings.seconds is not None and time.monotonic() - self._saved_at >= self.settings.seconds

    def save(self, outcome: Outcome) -> None:
        """Save now.

        Raises:
            CheckpointError: the checkpoint cannot be written; the one before it is intact.
            MovedError: the run's folder is elsewhere, where this one was saved, if it is known.
        """
        moved = self.lock.moved(self.directory)
        # Nobody can go on from where training diverged: the one before that has to stay.
        keep = max(self.settings.keep, 2) if outcome.status == "diverged" else self.settings.keep
        state = self.capture(outcome).to_plain()
        save_checkpoint(moved or self.directory, outcome.step, state, keep, self.useless)
        if moved is not None:
            raise MovedError(
                f"{self.directory} was moved to {moved} while training; it is saved there at update {outcome.step:,}: "
                f"go on with --resume {shlex.quote(str(moved))}"
            )
        self.step, self._saved_at, self.failure = outcome.step, time.monotonic(), None


def capture(parts: Parts, origin: Origin, outcome: Outcome, records: Records, past: Past) -> Checkpoint:
    """Everything that training on needs, copied to the CPU."""
    patience = parts.patience
    best = patience.parameters if patience is not None and outcome.status in OVER else {}
    live = on_cpu(parts.network.state_dict())
    return Checkpoint(
        origin,
        outcome,
        model=_model(parts, on_cpu(best) if best else live),
        network=live if best else None,
        optimizer=on_cpu(parts.optimizer.state_dict()["state"]),
        patience=None if patience is None else on_cpu(patience.state()),
        records=records,
        past=past,
    )


def _model(parts: Parts, network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of the model that is saved, which may hold a standardisation around the network."""
    if parts.model is parts.network:
        return dict(network)
    around = {name: tensor.cpu() for name, tensor in parts.model.named_buffers(recurse=False)}
    return {**around, **{f"network.{name}": tensor for name, tensor in network.items()}}


def on_cpu(value: Any) -> Any:
    """A copy of a tensor, or of a dict or list of them, on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: on_cpu(item) for key, item in value.items()}
    return [on_cpu(item) for item in value] if isinstance(value, list) else value


def put_back(checkpoint: Checkpoint, parts: Parts, where: str) -> Outcome:
    """Put a training back to where the checkpoint was made, its model being loaded already.

    Raises:
        CheckpointError: the checkpoint lacks something, or it is of another training.
    """
    with complete(where):
        if checkpoint.network is not None:
            load_parameters(parts.network, checkpoint.network, where)
        _check_optimizer(checkpoint.optimizer, parts.optimizer, begun=checkpoint.outcome.step > 0)
        # The saved state with the config's own settings: those may have been changed on purpose.
        groups = parts.optimizer.state_dict()["param_groups"]
        parts.optimizer.load_state_dict({"state": checkpoint.optimizer, "param_groups": groups})
    put_back_patience(checkpoint, parts, where)
    return replace(checkpoint.outcome)  # a copy: the loop counts on in it


def put_back_patience(checkpoint: Checkpoint, parts: Parts, where: str) -> None:
    """What early stopping knew, where there was and is one.

    Raises:
        CheckpointError: the checkpoint lacks something, or it is of another training.
    """
    with complete(where):
        if parts.patience is not None and checkpoint.patience is not None:
            _check_tensors(checkpoint.patience["parameters"], parts.network.state_dict())
            parts.patience.load(checkpoint.patience)


def _check_tensors(saved: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless these are tensors of those names, shapes and types, or none."""
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in saved.items()}
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in wanted.items()}
    if shapes and shapes != expected:
        raise ValueError("parameters of another network")


def _check_optimizer(saved: Mapping[Any, Any], optimizer: torch.optim.Optimizer, *, begun: bool) -> None:
    """Raise ValueError unless this is a state that the optimizer could have left.

    Args:
        begun: whether there was an update; before the first one nothing is remembered.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    names = memories_of(optimizer)
    if names is None:
        _check_lbfgs(saved, parameters, optimizer.param_groups[0]["history_size"])
        return
    if names and set(saved) != set(range(len(parameters))) and (begun or saved):
        raise ValueError("optimizer: no state for every parameter")
    for index, memory in saved.items():
        for name in names:
            _check_memory(memory[name], parameters[index].shape, parameters[index].dtype, f"optimizer.{index}.{name}")
        if "step" in memory or (names and OPTIMIZERS[kind_of(optimizer)].counts_updates):
            _check_memory(memory["step"], torch.Size(), torch.float32, f"optimizer.{index}.step")


def _check_memory(value: Any, shape: torch.Size, dtype: torch.dtype, field: str) -> None:
    if not isinstance(value, Tensor) or (value.shape, value.dtype) != (shape, dtype):
        raise ValueError(f"{field}: expected numbers of shape {tuple(shape)} and type {dtype}")


def _check_lbfgs(saved: Mapping[Any, Any], parameters: list[Tensor], history: int) -> None:
    """The same of L-BFGS, which has one state for all parameters, of vectors as long as they are together."""
    if not saved:
        return
    memory, shape, dtype = saved[0], torch.Size([sum(p.numel() for p in parameters)]), parameters[0].dtype
    if not all(type(memory[name]) is int and memory[name] >= 0 for name in ("func_evals", "n_iter")):
        raise ValueError("optimizer: expected whole numbers of iterations and of evaluations")
    if memory["n_iter"] == 0:
        return  # it begins anew
    pairs = [memory[name] for name in ("old_dirs", "old_stps", "ro")]
    if not all(isinstance(part, list) and len(part) == len(pairs[0]) <= history for part in pairs):
        raise ValueError(f"optimizer: expected a history of {history} steps at most")
    for vector in (memory["d"], memory["prev_flat_grad"], *pairs[0], *pairs[1]):
        _check_memory(vector, shape, dtype, "optimizer: of L-BFGS")
    for number in (memory["H_diag"], memory["t"], memory["prev_loss"], *pairs[2]):
        if not (type(number) in (int, float) or (isinstance(number, Tensor) and number.shape == ())):
            raise ValueError("optimizer: expected numbers of L-BFGS")
    if "al" in memory and not (isinstance(memory["al"], list) and len(memory["al"]) == history):
        raise ValueError("optimizer: expected a history of L-BFGS")
