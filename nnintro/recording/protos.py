"""Build TensorBoard's protobuf values: images, histograms, text, HPARAMS, layouts.

Everything is written in the form TensorBoard itself converts old event files to, except pictures,
whose old form is the smaller one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_TENSOR, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_FLOAT, DT_STRING

from nnintro.wording import plain

BUCKETS = 30
"""TensorBoard's own number; its loaders resample to it."""
LARGEST = 1e307
"""Histogram values are clipped here, so that the width of the range stays finite."""
STATUSES = {"completed": "STATUS_SUCCESS", "stopped": "STATUS_SUCCESS", "diverged": "STATUS_FAILURE"}
"""How HPARAMS names the ends of a run; an interrupted run may go on, so it has no end yet."""


def image_value(tag: str, png: bytes) -> Any:
    """A PNG under ``tag``; its header has the width and the height."""
    width, height = struct.unpack(">II", png[16:24])
    picture = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
    return Summary.Value(tag=tag, image=picture)


def histogram_value(tag: str, values: npt.NDArray[Any]) -> Any | None:
    """30 buckets from the smallest to the largest finite value; None when there is no such value.

    Equal values all go to the last bucket, which is how TensorBoard stores a single value.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    finite = np.clip(flat[np.isfinite(flat)], -LARGEST, LARGEST)
    if finite.size == 0:
        return None
    edges = np.linspace(finite.min(), finite.max(), BUCKETS + 1)
    # numpy.histogram refuses ranges of a few rounding errors; a search among the edges does not.
    buckets = np.searchsorted(edges[1:-1], finite, side="right")
    counts = np.bincount(buckets, minlength=BUCKETS)
    triples = np.stack([edges[:-1], edges[1:], counts], axis=1)  # (buckets, 3)
    content = triples.astype("<f8").tobytes()
    tensor = TensorProto(dtype=DT_DOUBLE, tensor_shape=_shape(BUCKETS, 3), tensor_content=content)
    return _tensor_value(tag, "histograms", tensor)


def text_value(tag: str, markdown: str) -> Any:
    """Markdown under ``tag``."""
    return _tensor_value(tag, "text", _string(plain(markdown).encode()))


def layout_value(charts: Mapping[str, Mapping[str, Sequence[str]]]) -> Any:
    """The CUSTOM SCALARS view: category -> title of a chart -> the tags drawn in it."""
    from tensorboard.plugins.custom_scalar import layout_pb2

    layout = layout_pb2.Layout()
    for category, titles in charts.items():
        group = layout.category.add(title=category)
        for title, tags in titles.items():
            # TensorBoard matches each tag as a regular expression, from its start.
            exact = [f"{re.escape(tag)}$" for tag in tags]
            group.chart.add(title=title, multiline=layout_pb2.MultilineChartContent(tag=exact))
    tensor = _string(layout.SerializeToString())
    return _tensor_value("custom_scalars__config__", "custom_scalars", tensor)


def session_start_value(values: Mapping[str, str | float | bool], seconds: float) -> Any:
    """The hyperparameters of a session that started at ``seconds`` (Unix time)."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    data = HParamsPluginData()
    data.session_start_info.start_time_secs = seconds
    for key, value in values.items():
        kind = {bool: "bool", str: "string"}.get(type(value), "number")
        shown = plain(value) if isinstance(value, str) else value
        setattr(data.session_start_info.hparams[key], f"{kind}_value", shown)
    return _hparams_value("session_start_info", data)


def session_end_value(status: str, seconds: float) -> Any | None:
    """How the session ended; None for an interrupted one."""
    from tensorboard.plugins.hparams.api_pb2 import Status
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    if status not in STATUSES:
        return None
    data = HParamsPluginData()
    data.session_end_info.status = Status.Value(STATUSES[status])
    data.session_end_info.end_time_secs = seconds
    return _hparams_value("session_end_info", data)


def _hparams_value(name: str, data: Any) -> Any:
    """HPARAMS reads only the metadata; the tensor is there because a value must have one."""
    nothing = TensorProto(dtype=DT_FLOAT, tensor_shape=_shape(0))
    return _tensor_value(f"_hparams_/{name}", "hparams", nothing, data.SerializeToString())


def _tensor_value(tag: str, plugin: str, tensor: Any, content: bytes = b"") -> Any:
    """A tensor for one of TensorBoard's views; empty ``content`` is version 0 of each of them."""
    owner = SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    metadata = SummaryMetadata(plugin_data=owner, data_class=DATA_CLASS_TENSOR)
    return Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def _string(data: bytes) -> Any:
    return TensorProto(dtype=DT_STRING, tensor_shape=_shape(), string_val=[data])


def _shape(*sizes: int) -> Any:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])
