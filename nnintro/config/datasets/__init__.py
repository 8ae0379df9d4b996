"""The ``dataset`` section: where the samples come from; one file a kind."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nnintro.config.datasets.bundled import BundledDataset
from nnintro.config.datasets.function import FunctionDataset
from nnintro.config.datasets.generated import ClassificationDataset, RegressionDataset
from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.datasets.table import TableDataset
from nnintro.config.datasets.table_rules import RULES as TABLE_RULES

TableDataset.rules = TABLE_RULES

Dataset = Annotated[
    FunctionDataset | RegressionDataset | ClassificationDataset | BundledDataset | TableDataset | ImagesDataset,
    Field(discriminator="kind"),
]
