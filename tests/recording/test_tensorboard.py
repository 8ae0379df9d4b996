"""The event file, read back by TensorBoard's own readers."""

import errno
import io
import os
import random
import struct
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.util import tensor_util

from nnintro.recording.events import EventFile
from nnintro.recording.tfrecord import crc32c, records
from nnintro.recording.tfrecord import messages as read_messages


def read(directory):
    accumulator = EventAccumulator(str(directory), size_guidance={"tensors": 0, "scalars": 0})
    return accumulator.Reload()


def raw(path):
    """Every event as written; TensorBoard's loader checks both checksums of each record."""
    return [Event.FromString(data) for data in RawEventFileLoader(str(path)).Load()]


def scalars(directory, tag):
    return {event.step: event.value for event in read(directory).Scalars(tag)}


def png(width, height):
    buffer = io.BytesIO()
    Image.new("RGBA", (width, height), "red").save(buffer, "PNG")
    return buffer.getvalue()


class FailingFile(FileIO):
    """A disk that is full from the ``last``-th write on, of which it takes a few bytes."""

    def __init__(self, path, last):
        super().__init__(path, "wb")
        self.left = last

    def write(self, data):
        self.left -= 1
        if self.left == 0:
            return super().write(bytes(data[:5]))
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


class TestRecords:
    def test_checksum_of_the_standard(self):
        # RFC 3720, appendix B.4, and the check value of every CRC catalogue.
        messages = [bytes(32), b"\xff" * 32, bytes(range(32)), b"123456789"]
        assert crc32c(messages).tolist() == [0x8A9136AA, 0x62A8AB43, 0x46DD794E, 0xE3069283]

    @pytest.mark.parametrize("lane", [8, 128, 256])
    def test_framing_agrees_with_tensorboard(self, lane):
        source = random.Random(lane)
        sizes = [*range(4, 300), 4096, 4097, 60_001]
        messages = [source.randbytes(size) for size in sizes]
        crcs = crc32c(messages, lane)
        assert crcs.tolist() == [crc32c([message])[0] for message in messages]
        expected = b""
        for message in messages:
            length = struct.pack("<Q", len(message))
            expected += length + struct.pack("<I", masked_crc32c(length))
            expected += message + struct.pack("<I", masked_crc32c(message))
        assert records(messages) == expected
        assert list(read_messages(io.BytesIO(expected))) == messages

    @pytest.mark.parametrize("damage", ["cut", "flipped", "a length beyond the file", "a length beyond all", "short"])
    def test_reading_ends_at_the_first_damage(self, damage):
        whole = records([b"12345", b"67890", b"abcde"])
        second = bytearray(whole[21:42])
        if damage == "cut":
            second = second[:-1]
        elif damage == "flipped":
            second[14] ^= 1
        elif damage == "short":
            second[0] = 3
        else:
            second[3 if damage.endswith("file") else 7] = 1
        assert list(read_messages(io.BytesIO(whole[:21] + second))) == [b"12345"]


class TestContent:
    def test_first_event_names_the_version(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            pass
        assert [event.file_version for event in raw(events.path)] == ["brain.Event:2"]
        assert [path.name for path in tmp_path.iterdir()] == [events.path.name]
        assert events.path.name.startswith("events.out.tfevents.")

    def test_scalars_are_one_event_and_may_be_infinite(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.scalars(3, {"train/loss": 0.5, "a": float("inf")})
            events.scalars(4, {"train/loss": float("nan"), "a": 1e300})
            events.scalars(5, {})
        first, second = raw(events.path)[1:]
        assert abs(first.wall_time - time.time()) < 60
        assert first.wall_time <= second.wall_time
        assert [(value.tag, value.simple_value) for value in first.summary.value] == [
            ("train/loss", 0.5),
            ("a", float("inf")),
        ]
        loss = scalars(tmp_path, "train/loss")
        assert list(loss) == [3, 4]
        assert np.isnan(loss[4])
        assert scalars(tmp_path, "a")[4] == float("inf")

    def test_image_keeps_its_bytes_and_size(self, tmp_path):
        picture = png(80, 45)
        with closing(EventFile(tmp_path)) as events:
            events.image(7, "figures/fit", picture, 99.0)
        (event,) = read(tmp_path).Images("figures/fit")
        assert (event.step, event.wall_time, event.width, event.height) == (7, 99.0, 80, 45)
        assert event.encoded_image_string == picture

    def test_histogram_agrees_with_numpy(self, tmp_path):
        values = np.random.default_rng(0).normal(size=(40, 25)).astype(np.float32)
        with closing(EventFile(tmp_path)) as events:
            events.histogram(1, "weights", values)
        accumulator = read(tmp_path)
        (event,) = accumulator.Tensors("weights")
        buckets = tensor_util.make_ndarray(event.tensor_proto)
        counts, edges = np.histogram(values.astype(float), bins=30)
        np.testing.assert_array_equal(buckets[:, 2], counts)
        np.testing.assert_allclose(buckets[:, 0], edges[:-1])
        np.testing.assert_allclose(buckets[:, 1], edges[1:])
        metadata = accumulator.SummaryMetadata("weights")
        assert metadata.plugin_data.plugin_name == "histograms"

    @pytest.mark.parametrize(
        ("values", "count"),
        [
            ([2.0, 2.0, 2.0], 3),
            ([1.0, 1.0 + 1e-16, 1 + 4e-16], 3),
            ([np.nan, 1.0, np.inf, 3.0], 2),
            ([-1.7e308, 1.7e308], 2),
            ([5e-324, 0.0], 2),
            (np.arange(5), 5),
            (np.array([True, False]), 2),
            (np.array(3.0), 1),
        ],
    )
    def test_histogram_of_hard_values(self, tmp_path, values, count):
        with closing(EventFile(tmp_path)) as events:
            events.histogram(1, "w", np.asarray(values))
        (event,) = read(tmp_path).Tensors("w")
        buckets = tensor_util.make_ndarray(event.tensor_proto)
        assert buckets.shape == (30, 3)
        assert np.isfinite(buckets).all()
        assert buckets[:, 2].sum() == count
        assert (buckets[:, 0] <= buckets[:, 1]).all()

    @pytest.mark.parametrize("values", [np.empty(0), np.array([np.nan, np.inf])])
    def test_histogram_of_nothing_is_left_out(self, tmp_path, values):
        with closing(EventFile(tmp_path)) as events:
            events.histogram(1, "w", values)
        assert len(raw(events.path)) == 1
        assert events.error is None

    def test_text(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.text("config", "# ä\n`x`", step=2)
        accumulator = read(tmp_path)
        (event,) = accumulator.Tensors("config")
        assert event.step == 2
        assert event.tensor_proto.string_val[0].decode() == "# ä\n`x`"
        assert accumulator.SummaryMetadata("config").plugin_data.plugin_name == "text"

    def test_layout_matches_exactly_its_tags(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.layout({"training": {"loss": ["train/loss", "a.b"]}, "speed": {}})
        (event,) = read(tmp_path).Tensors("custom_scalars__config__")
        layout = Layout.FromString(event.tensor_proto.string_val[0])
        assert [category.title for category in layout.category] == ["training", "speed"]
        (chart,) = layout.category[0].chart
        assert chart.title == "loss"
        assert list(chart.multiline.tag) == ["train/loss$", r"a\.b$"]

    def test_purge_step_hides_what_older_files_say(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            for step in range(10):
                events.scalars(step, {"loss": 1.0})
        with closing(EventFile(tmp_path, purge_step=6)) as again:
            again.scalars(6, {"loss": 2.0})
        restart = raw(again.path)[1]
        assert restart.session_log.status == SessionLog.START
        assert restart.step == 6
        assert scalars(tmp_path, "loss") == {**dict.fromkeys(range(6), 1.0), 6: 2.0}


VALUES = {"descent.learning_rate": 0.1, "epochs": 3, "shuffle": True, "model.hidden": "[64]"}


class TestHyperparameters:
    def content(self, directory, name):
        metadata = read(directory).SummaryMetadata(f"_hparams_/{name}")
        assert metadata.plugin_data.plugin_name == "hparams"
        return HParamsPluginData.FromString(metadata.plugin_data.content)

    def test_start_and_end_of_the_session(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.hyperparameters(VALUES)
            events.finish("completed")
        start = self.content(tmp_path, "session_start_info").session_start_info
        found = {key: getattr(v, v.WhichOneof("kind")) for key, v in start.hparams.items()}
        assert found == VALUES
        assert start.hparams["shuffle"].WhichOneof("kind") == "bool_value"
        end = self.content(tmp_path, "session_end_info").session_end_info
        assert end.status == 1  # STATUS_SUCCESS
        assert end.end_time_secs >= start.start_time_secs
        assert len(list(tmp_path.iterdir())) == 1
        assert "_hparams_/experiment" not in read(tmp_path).Tags()["tensors"]

    @pytest.mark.parametrize(("status", "count"), [("diverged", 2), ("stopped", 2), ("interrupted", 1)])
    def test_an_interrupted_session_has_no_end(self, tmp_path, status, count):
        with closing(EventFile(tmp_path)) as events:
            events.finish(status)
        assert len(raw(events.path)) == count


class TestFaults:
    @pytest.mark.parametrize("last", [1, 2, 3])
    def test_a_full_disk_turns_it_off_and_leaves_whole_records(self, tmp_path, last):
        events = EventFile(tmp_path)
        events._file.close()
        events._file = FailingFile(events.path, last)
        for step in range(5):
            events.scalars(step, {"loss": 1.0})
            events.flush()
        assert events.error == (f"{events.path}: cannot write TensorBoard events any more: No space left on device")
        events.image(1, "a", png(2, 2))
        events.histogram(1, "b", np.ones(3))
        events.text("c", "d")
        events.hyperparameters({"e": 1})
        events.finish("completed")
        events.flush(durable=True)
        events.close()
        assert len(raw(events.path)) == (last if last > 1 else 0)

    def test_a_device_without_space(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events._file.close()
            events._file = FileIO("/dev/full", "wb")
            events.scalars(1, {"loss": 1.0})
        assert "No space left" in events.error

    def test_a_limit_on_the_size_of_files(self, tmp_path):
        code = f"""
            import resource
            from contextlib import closing
            from pathlib import Path
            from nnintro.recording.events import EventFile
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
            with closing(EventFile(Path({str(tmp_path)!r}))) as events:
                for step in range(1000):
                    events.scalars(step, {{"loss": step}})
                    if step % 50 == 0:
                        events.flush()
            print(events.path, events.error, sep="|")
        """
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        path, error = result.stdout.strip().split("|")
        assert "File too large" in error
        found = raw(path)
        assert 50 < len(found) < 1000
        assert [event.step for event in found[1:]] == list(range(len(found) - 1))

    def test_no_directory_can_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        events = EventFile(tmp_path / "file" / "run", purge_step=3)
        events.scalars(1, {"loss": 1.0})
        events.close()
        assert "Not a directory" in events.error

    def test_a_deleted_file_is_noticed(self, tmp_path):
        events = EventFile(tmp_path / "run")
        events.path.unlink()
        events.scalars(1, {"loss": 1.0})
        events.flush()
        assert "deleted" in events.error
        events.close()

    def test_closed_is_closed(self, tmp_path):
        events = EventFile(tmp_path)
        events.close()
        events.close()
        events.scalars(1, {"loss": 1.0})
        events.flush(durable=True)
        assert len(raw(events.path)) == 1
        assert events.error is None


class TestCost:
    def test_flush_makes_events_visible(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.scalars(1, {"loss": 1.0})
            events.flush(durable=True)
            assert len(raw(events.path)) == 2

    def test_events_reach_the_file_without_a_flush(self, tmp_path):
        with closing(EventFile(tmp_path)) as events:
            events.text("long", "x" * 300_000)
            assert events.path.stat().st_size > 300_000
            size = events.path.stat().st_size
            events.scalars(1, {"loss": 1.0})
            assert events.path.stat().st_size == size
            events._flushed -= 10
            events.scalars(2, {"loss": 1.0})
            assert events.path.stat().st_size > size

    def test_ten_thousand_scalars(self, tmp_path):
        values = {f"validation/metric_{number}": 0.1 * number for number in range(10)}
        started = time.process_time()
        with closing(EventFile(tmp_path)) as events:
            for step in range(1000):
                events.scalars(step, values)
        # Measured: 0.02 to 0.03 s.
        assert time.process_time() - started < 0.2
        assert len(raw(events.path)) == 1001

    def test_import_is_light(self):
        code = (
            "import sys, nnintro.recording.events\n"
            "heavy = {'torch', 'matplotlib', 'tensorflow', 'tensorboard.compat.tensorflow_stub'}\n"
            "print(sorted(heavy & set(sys.modules)))"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert result.stdout.strip() == "[]"


def test_path_is_in_the_directory(tmp_path):
    with closing(EventFile(Path(tmp_path / "a" / "b"))) as events:
        assert events.path.parent == tmp_path / "a" / "b"
