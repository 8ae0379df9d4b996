"""Damage and forge the files of a run, one random thing at a time, all of it decided by a ``random.Random``."""

from __future__ import annotations

import collections
import copy
import functools
import hashlib
import io
import json
import zipfile

import torch


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


STRANGE = [
    None, True, False, -1, 0, 1, 2, 3, 7, 2**31, 2**63, 2**64, 10**17, 10**400, 0.5, -0.0, 1e-320, 1e300, float("inf"),
    float("nan"), "", "a", "step-1.pt", "../x", "a\nb", "\ud800", "\x00", "\x1b[31m", "\u202e", "x" * 3000, "number",
    "category", "words", "class", "time", "regression", "multiclass", "diverged", "completed", "running", [], [1],
    [None], ["a", "b"], [[1, 2], [3]], {}, {"a": 1}, {"kind": "words"}, nested(150),
]  # fmt: skip


def places(value, path=()):
    """The path of every value in a tree of mappings and lists, but the root's."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield (*path, key)
        yield from places(item, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def mutated_tree(tree, source, strange):
    """A copy with one value replaced, removed, doubled, moved or nudged; returns the path to it too."""
    tree = copy.deepcopy(tree)
    path = source.choice(list(places(tree)))
    holder, key = at(tree, path[:-1]), path[-1]
    value = holder[key]
    how = source.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(value))
    elif how == 1:
        holder[source.choice(["extra", "file", "kind", "steps", ""])] = value
    elif how == 2:
        holder[key] = copy.deepcopy(at(tree, source.choice(list(places(tree)))))
    elif how == 3 and isinstance(value, int | float) and value is not True and value is not False:
        holder[key] = source.choice([value + 1, value - 1, -value, value * 1000, float(value), str(value), value // 2])
    elif how == 3 and isinstance(value, str):
        holder[key] = source.choice([value + "x", value[:-1], value.upper(), value * 2])
    else:
        holder[key] = copy.deepcopy(source.choice(strange))
    return tree, path


def mutated_text(data, source):
    """Some bytes flipped, cut off, doubled, put in, or all others."""
    how, place = source.randrange(8), source.randrange(len(data) + 1)
    if how == 0:
        return data[:place]
    if how == 1:
        return data[:place] + source.randbytes(source.randrange(1, 9)) + data[place:]
    if how == 2:
        return data[:place] + data[place // 2 :]
    if how == 3:
        foreign = [b"", b"[" * 100_000, b"\xff\xfe", b"\x00" * 5000, b"null", b'"a"', b"9" * 6000, b"," * 9999, b"{}"]
        return source.choice(foreign)
    if how == 4 and b"," in data:
        cells = data.split(b",")
        cells[source.randrange(len(cells))] = source.choice(
            [b"", b"1e999", b"nan", b"x", b"-1", b'"', b"1\n2", b"9" * 400]
        )
        return b",".join(cells)
    changed = bytearray(data)
    for _ in range(source.randrange(1, 4)):
        if changed:
            changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def as_json(value):
    return json.dumps(value, indent=1).encode()


def data_digest(held):
    """What a checkpoint says of the data that it was trained on."""
    description = held.get("description")
    if isinstance(description, dict):
        left_out = ("threshold", "point_radius", "class_weights")
        description = {key: value for key, value in description.items() if key not in left_out}
    meaning = {"task": held.get("task"), "training_samples": held.get("training_samples"), "description": description}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]


def sealed(held):
    """data.json with a right SHA-256."""
    values = {key: value for key, value in held.items() if key != "sha256"}
    return {**values, "sha256": hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()}


@functools.cache
def strange_tensors():
    bomb = ["x" * 50]
    for _ in range(18):
        bomb = [bomb] * 10
    ring = []
    ring.append(ring)
    return [
        torch.zeros(()), torch.zeros(0), torch.ones(3), torch.ones(3, dtype=torch.int64), torch.ones(2, 2),
        torch.ones(3, dtype=torch.complex64), torch.ones(3, dtype=torch.float16), torch.full((3,), torch.nan),
        torch.full((3,), torch.inf, dtype=torch.float64), torch.ones(1).expand(10**9),
        torch.ones(1).expand(10**6, 10**6),
        torch.ones(3).to_sparse(), torch.ones(3, requires_grad=True), torch.nn.Parameter(torch.ones(3)),
        torch.ones(3, device="meta"),
        torch.ones(6).as_strided((2, 3), (1, 1)), bomb, ring, nested(300), collections.OrderedDict(a=1), (1, 2), {1, 2},
        b"bytes", torch.Size([1]), torch.float32, {1: torch.ones(1)}, {"a": torch.ones(2)}, 3 + 4j,
    ]  # fmt: skip


def mutated_state(state, source):
    """A checkpoint's contents with one thing changed, and where."""
    if source.random() < 0.15:
        tensors = [path for path in places(state) if isinstance(at(state, path), torch.Tensor)]
        path = source.choice(tensors)
        holder = copy.deepcopy(state)
        tensor = at(holder, path)
        with_changes = [
            tensor.double(), tensor.long(), tensor.flatten()[:-1], tensor * torch.nan, tensor[None], -tensor,
            tensor.half(), torch.full_like(tensor, 2**62), tensor.clone().fill_(1),
        ]  # fmt: skip
        at(holder, path[:-1])[path[-1]] = source.choice(with_changes)
        return holder, path
    return mutated_tree(state, source, [*STRANGE, *strange_tensors()])


def saved(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def compressed(data):
    """The same archive with its parts packed, and a part of zeros that are none of its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part) + (b"\0" * 10**7 if part.filename.endswith("data/0") else b""))
    return buffer.getvalue()


def vouched_for(path, contents):
    """Put bytes in a checkpoint's place, and their SHA-256 and size into latest.json."""
    path.write_bytes(contents)
    manifest = path.with_name("latest.json")
    entry = {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **entry}))
