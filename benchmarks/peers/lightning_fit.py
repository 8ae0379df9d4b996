"""Lightning's Trainer, with everything off that writes or shows."""

from __future__ import annotations

import logging
import warnings

import lightning
import torch
from torch import Tensor

from benchmarks.assignment import Assignment, Layer
from benchmarks.peers import timed
from benchmarks.peers.torch_parts import layers_of, loader_of, loss_of, network_of, optimizer_of

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # it says hello at every fit


class Module(lightning.LightningModule):
    """The plain module in Lightning's dress."""

    def __init__(self, assignment: Assignment) -> None:
        super().__init__()
        self.network = network_of(assignment)
        self.loss = loss_of(assignment)
        self.optimizer = optimizer_of(assignment, self.network.parameters())

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        return self.loss(self.network(inputs), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer


class Fit:
    """A Trainer for each stretch, as for a run of that length; its set-up is a few milliseconds."""

    def __init__(self, assignment: Assignment) -> None:
        self.module = Module(assignment)
        self.loader = loader_of(assignment)

    @timed
    def train(self, epochs: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would have more workers
            trainer = lightning.Trainer(
                max_epochs=epochs,
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            trainer.fit(self.module, self.loader)

    def parameters(self) -> list[Layer]:
        return layers_of(self.module.network)
