"""What a painter and its drawing process agree on: the form of a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

END = b"end\n"
"""The last line of a painter that still wants its figures; without it they are thrown away."""

LOG = "stderr.txt"
"""Where the drawing process's complaints go, in the temporary folder."""


@dataclass(frozen=True)
class Job:
    """A figure to draw: ``render(kind, arrays, texts)``, also into ``save_as`` if that is given."""

    kind: str
    arrays: Mapping[str, npt.NDArray[Any]]
    texts: Mapping[str, str | list[str]]
    save_as: Path | None = None


def write_job(path: Path, job: Job) -> None:
    """A line of JSON, then the arrays in numpy's format; a tenth of the time of an .npz file.

    Raises OSError, or TypeError and ValueError for what cannot be written this way.
    """
    header = {
        "kind": job.kind,
        "names": list(job.arrays),
        "texts": dict(job.texts),
        "save_as": None if job.save_as is None else str(job.save_as),
    }
    import numpy as np  # not above: the painter starts before anything heavy is loaded

    with path.open("xb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for array in job.arrays.values():
            np.save(file, array, allow_pickle=False)


def read_job(path: Path) -> Job:
    """The job that ``write_job`` left at ``path``."""
    import numpy as np

    with path.open("rb") as file:
        header = json.loads(file.readline())
        arrays = {name: np.load(file, allow_pickle=False) for name in header["names"]}
    save_as = header["save_as"]
    return Job(header["kind"], arrays, header["texts"], None if save_as is None else Path(save_as))
