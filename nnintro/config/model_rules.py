"""Rules about the ``model`` section and the loss (see ``rules``)."""

from __future__ import annotations

from collections.abc import Iterator

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.experiment import Experiment
from nnintro.config.models import Layered
from nnintro.config.models.mlp import MlpModel, SpreadInitialization
from nnintro.config.models.unet import UnetModel
from nnintro.config.section import Complaint
from nnintro.config.task import TaskKind
from nnintro.wording import listing

Complaints = Iterator[Complaint]


def one_activation_per_hidden_layer(experiment: Experiment) -> Complaints:
    """A list of activations is as long as the list of widths."""
    model = experiment.model
    if not isinstance(model, Layered):
        return
    layers, names = len(model.hidden), model.activation
    if isinstance(names, list) and len(names) != layers:
        yield Complaint(
            "model.activation",
            f"expected one name, or one per hidden layer ({layers}), got a list of {len(names)}",
        )


def dropout_has_units_to_drop(experiment: Experiment) -> Complaints:
    """Dropout needs a hidden layer."""
    model = experiment.model
    if isinstance(model, Layered) and model.dropout > 0 and not model.hidden:
        yield Complaint("model.dropout", "there is no hidden layer to drop units from; expected 0")


def spread_has_units_to_place(experiment: Experiment) -> Complaints:
    """The spread initialization needs a hidden layer."""
    model = experiment.model
    if not isinstance(model, MlpModel) or model.hidden:
        return
    if isinstance(model.initialization, SpreadInitialization):
        yield Complaint(
            "model.initialization",
            "spread places hidden units, and there are none; expected torch, xavier, he or zeros",
        )


LOSSES: dict[TaskKind, tuple[str, ...]] = {
    "regression": ("mse", "mae", "huber"),
    "binary": ("cross_entropy", "bce", "mse", "mae", "huber"),
    "multiclass": ("cross_entropy", "mse", "mae", "huber"),
    "segmentation": ("cross_entropy", "bce", "dice", "bce+dice"),
}


def loss_fits_the_task(experiment: Experiment) -> Complaints:
    """Cross entropy compares classes, Dice areas; bce knows two classes."""
    loss, task = experiment.loss, experiment.task
    fitting = [name for name in LOSSES[task.kind] if len(task.classes) <= 2 or "bce" not in name]
    if loss is None or loss in fitting:
        return
    needs = {"cross_entropy": "classes", "bce": "two classes"}.get(loss, "images with masks")
    if task.is_segmentation and loss not in LOSSES["segmentation"]:
        needs = "one answer for each sample"
    elif loss == "bce+dice" and task.is_segmentation:
        needs = "two classes"
    kinds = {"regression": "is a regression", "segmentation": "has a class for each pixel"}
    this = kinds.get(task.kind, f"has {len(task.classes)} classes")
    if task.is_segmentation and len(task.classes) > 2:
        this = f"has {len(task.classes)} classes of pixels"
    message = f"{loss} needs {needs}, and this dataset {this}; expected {listing(fitting)}"
    yield Complaint("loss", message)


def logits_stay_logits(experiment: Experiment) -> Complaints:
    """Cross entropy contains the sigmoid or softmax already."""
    model, loss = experiment.model, experiment.loss_name
    if not isinstance(model, Layered) or not experiment.logits or not experiment.task.classes:
        return
    name = model.output_activation
    if name != "identity":
        why = "contains the sigmoid already" if name == "sigmoid" else "takes logits as they are"
        yield Complaint("model.output_activation", f"{loss} {why}; expected identity, got '{name}'")


def images_go_through_a_unet(experiment: Experiment) -> Complaints:
    """A U-Net takes images and gives maps; the other models take rows of numbers."""
    is_unet = isinstance(experiment.model, UnetModel)
    if is_unet is isinstance(experiment.dataset, ImagesDataset):
        return
    if is_unet:
        this = f"this dataset is of kind {experiment.dataset.kind}"
        message = f"unet takes images, and {this}; expected mlp"
    else:
        this = f"{experiment.model.kind} takes rows of numbers"
        message = f"{this}, and this dataset has images; expected unet"
    yield Complaint("model.kind", message)
