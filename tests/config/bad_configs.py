"""Bad configs, each with every line that it is answered with.  ``FINE`` fills lines 1 and 2."""

# ruff: noqa: E501

from __future__ import annotations

from tests.config.bad_data import DATA

FINE = """\
dataset: {kind: function, formula: x}
model: {kind: mlp}
"""
FUNCTION = "dataset: {kind: function, formula: x}\n"
PLANE = "dataset: {kind: function, formula: x1, domain: [[0, 1], [0, 1]], samples: 100}\n"


YAML_ITSELF: dict[str, tuple[str, list[str]]] = {
    "an empty file": ("", ["bad.yaml:1:1: the config is empty; expected a mapping of sections (dataset, model, ...)"]),
    "comments alone": (
        "# later\n",
        ["bad.yaml:1:1: the config is empty; expected a mapping of sections (dataset, model, ...)"],
    ),
    "an empty document": (
        "---\n",
        ["bad.yaml:2:1: the config is empty; expected a mapping of sections (dataset, model, ...)"],
    ),
    "null": ("null\n", ["bad.yaml:1:1: the config is empty; expected a mapping of sections (dataset, model, ...)"]),
    "a list at the top": ("- a\n- b\n", ["bad.yaml:1:1: expected a mapping of sections (dataset, model, ...)"]),
    "a text at the top": ("hello\n", ["bad.yaml:1:1: expected a mapping of sections (dataset, model, ...)"]),
    "two documents": (FINE + "---\nseed: 1\n", ["bad.yaml:3:1: a second document begins; a config is one document"]),
    "a tab for indentation": (
        "dataset:\n\tkind: function\n",
        ["bad.yaml:2:1: not valid YAML: a tab; YAML is indented with spaces"],
    ),
    "a second colon": (
        FINE + "name: a: b\n",
        [
            "bad.yaml:3:8: not valid YAML: a ':' is not allowed here; indent this line like its neighbours, or put a text that contains ': ' in quotes"
        ],
    ),
    "a line indented too far": (
        FINE + "  seed: 1\n",
        ["bad.yaml:3:3: not valid YAML: this does not go with the lines above; check the indentation"],
    ),
    "a key indented under a value": (
        "seed: 1\n  loss: mse\n",
        [
            "bad.yaml:2:7: not valid YAML: a ':' is not allowed here; indent this line like its neighbours, or put a text that contains ': ' in quotes"
        ],
    ),
    "a missing space after the colon": (
        FINE
        + """\
descent:
  variant: batch
  shuffle:true
  batch_size: 1
""",
        ["bad.yaml:5:3: not valid YAML: no key and value; a ':' followed by a space is missing"],
    ),
    "a list never closed": (
        FINE + "descent: {optimizer: {kind: adam, betas: [0.9, 0.99\n",
        ["bad.yaml:3:42: not valid YAML: a list is opened with '[', never closed"],
    ),
    "a mapping never closed": (
        FINE + "descent: {variant: batch\n",
        ["bad.yaml:3:10: not valid YAML: a mapping is opened with '{', never closed"],
    ),
    "a quote never closed": (
        FINE + "name: 'a\n",
        ["bad.yaml:3:7: not valid YAML: a text is opened with a quote, never closed"],
    ),
    "a closing bracket alone": (FINE + "name: ]\n", ["bad.yaml:3:7: not valid YAML: a value is missing before this"]),
    "a forbidden first character": (
        FINE + "name: @home\n",
        ["bad.yaml:3:7: not valid YAML: a text that begins with this character needs quotes"],
    ),
    "an unknown escape": (
        FINE + 'name: "a\\qb"\n',
        ["bad.yaml:3:10: not valid YAML: an unknown escape; in single quotes a backslash is itself"],
    ),
    "an escape out of range": (
        FINE + 'name: "\\UFFFFFFFF"\n',
        ["bad.yaml:3:1: not valid YAML: behind this, a number in an escape or directive is out of range"],
    ),
    "a wrong YAML version": (
        """\
%YAML 3.0
---
seed: 1
""",
        ["bad.yaml:1:1: not valid YAML: found incompatible YAML document (version 1.* is required)"],
    ),
    "a control character": (
        FINE + "name: a\x07b\n",
        ["bad.yaml:3:8: not valid YAML: the character U+0007 is not allowed"],
    ),
    "a NUL": (FINE + "name: a\x00b\n", ["bad.yaml:3:8: not valid YAML: the character U+0000 is not allowed"]),
    "a repeated key": (
        FINE
        + """\
seed: 1
loss: mse
seed: 2
""",
        ["bad.yaml:5:1: seed: duplicate key; already defined in line 3"],
    ),
    "a repeated key in braces": (
        "dataset: {kind: function, formula: x, samples: 10, samples: 20}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:52: dataset.samples: duplicate key; already defined in line 1"],
    ),
    "a tag on a scalar": (
        FINE + "seed: !!int '5'\n",
        ["bad.yaml:3:7: seed: tags are not allowed, got !!int; write the plain value"],
    ),
    "a tag on a mapping": (
        FINE + "descent: !!python/object:os.path {learning_rat: 1}\n",
        ["bad.yaml:3:10: descent: tags are not allowed, got !!python/object:os.path; write the plain value"],
    ),
    "a tag on a list": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: !!python/object/apply:os.system [rm]}\n",
        [
            "bad.yaml:2:28: model.hidden: tags are not allowed, got !!python/object/apply:os.system; write the plain value"
        ],
    ),
    "a tag of one's own": (
        FINE + "seed: !mine 5\n",
        ["bad.yaml:3:7: seed: tags are not allowed, got !mine; write the plain value"],
    ),
    "a tag on a key": (
        FINE + "!!str seed: 5\n",
        ["bad.yaml:3:1: tags are not allowed, got !!str; write the plain value"],
    ),
    "an alias without anchor": (FINE + "seed: *s\n", ["bad.yaml:3:7: alias *s has no anchor &s before it"]),
    "an alias inside its own anchor": (
        "dataset: &d {kind: function, formula: *d}\n",
        ["bad.yaml:1:39: alias *d is used inside its own value"],
    ),
    "an alias bomb": (
        """\
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
dataset: {kind: function, formula: x}
model: {kind: mlp}
""",
        ["bad.yaml:6:16: more than 250,000 keys and values, aliases written out"],
    ),
    "deep nesting": ("[" * 2000, ["bad.yaml:1:34: nested more than 32 levels deep"]),
    "deep nesting of keys": ("{a: " * 2000, ["bad.yaml:1:133: nested more than 32 levels deep"]),
    "deep nesting in blocks": ("- " * 100 + "\n", ["bad.yaml:1:67: nested more than 32 levels deep"]),
    "a merge key": (
        """\
base: &b {kind: function, formula: x}
dataset: {<<: *b, samples: 100}
model: {kind: mlp}
""",
        [
            "bad.yaml:1:1: base: unknown key; expected name, seed, device, precision, loss, descent, training, logging or sweep",
            "bad.yaml:2:11: dataset.<<: merge keys are not supported; write the keys out",
        ],
    ),
    "a list as a key": (FINE + "? [a, b]\n: 1\n", ["bad.yaml:3:3: a key must be a plain text, such as 'samples'"]),
    "a mapping as a key": (FINE + "{a: 1}: 2\n", ["bad.yaml:3:1: a key must be a plain text, such as 'samples'"]),
    "no key at all": (FINE + ": 5\n", ["bad.yaml:3:1: not valid YAML: a key is missing before ':'"]),
    "a number as a key": (
        FINE + "1: 5\n",
        [
            "bad.yaml:3:1: 1: unknown key; expected name, seed, device, precision, loss, descent, training, logging or sweep"
        ],
    ),
    "a line end in a key": (
        FINE + '"a\\nb": 5\n',
        [
            "bad.yaml:3:1: 'a\\nb': unknown key; expected name, seed, device, precision, loss, descent, training, logging or sweep"
        ],
    ),
}


SCALARS: dict[str, tuple[str, list[str]]] = {
    "no is a text": (
        FINE + "descent: {shuffle: no}\n",
        ["bad.yaml:3:20: descent.shuffle: expected true or false, got 'no'; write false"],
    ),
    "on is a text": (
        FINE + "descent: {optimizer: {kind: sgd, momentum: 0.9, nesterov: on}}\n",
        ["bad.yaml:3:59: descent.optimizer.nesterov: expected true or false, got 'on'; write true"],
    ),
    "012 is twelve, and 12:30:00 is a text": (
        FINE + "seed: 12:30:00\ndescent: {batch_size: 012, learning_rate: 12:30}\n",
        [
            "bad.yaml:3:7: seed: expected a whole number, got '12:30:00'",
            "bad.yaml:4:43: descent.learning_rate: expected a number, got '12:30'",
        ],
    ),
    "1e3 is no whole number": (
        "dataset: {kind: function, formula: x, samples: 1e3}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.samples: expected a whole number, got 1000.0; write 1000"],
    ),
    "100.0 is no whole number": (
        FINE + "training:\n  epochs: 100.0\n",
        ["bad.yaml:4:11: training.epochs: expected a whole number, got 100.0; write 100"],
    ),
    "a fraction where a whole number is wanted": (
        FINE + "training: {epochs: 1.5}\n",
        ["bad.yaml:3:20: training.epochs: expected a whole number, got 1.5"],
    ),
    "a number in quotes": (
        FINE + "descent: {learning_rate: '1e-3'}\n",
        ["bad.yaml:3:26: descent.learning_rate: expected a number, got '1e-3'; write 0.001"],
    ),
    "underscores": (
        "dataset: {kind: function, formula: x, samples: 1_000}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.samples: expected a whole number, got '1_000'; write 1000"],
    ),
    "a decimal comma": (
        FINE + "descent:\n  learning_rate: 0,5\n",
        ["bad.yaml:4:18: descent.learning_rate: expected a number, got '0,5'; write 0.5"],
    ),
    "per cent": (
        "dataset: {kind: regression, validation: 20%}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:41: dataset.validation: expected a number, got '20%'; write 0.2"],
    ),
    "infinity and nan": (
        FINE + "descent: {learning_rate: .inf, weight_decay: .nan, clip_norm: -.inf}\n",
        [
            "bad.yaml:3:26: descent.learning_rate: expected a finite number, got inf",
            "bad.yaml:3:46: descent.weight_decay: expected a finite number, got nan",
            "bad.yaml:3:63: descent.clip_norm: expected a finite number, got -inf",
        ],
    ),
    "1e999": (
        FINE + "descent: {learning_rate: 1e999}\n",
        ["bad.yaml:3:26: descent.learning_rate: expected a finite number, got inf"],
    ),
    "a huge integer": (FINE + "seed: " + "9" * 5000 + "\n", ["bad.yaml:3:7: seed: expected a whole number, got inf"]),
    "a large integer": (
        FINE + "seed: 9223372036854775808\n",
        ["bad.yaml:3:7: seed: expected a number below 9223372036854775808, got 9223372036854775808"],
    ),
    "a huge integer for a float": (
        FINE + "descent: {learning_rate: " + "9" * 390 + "}\n",
        ["bad.yaml:3:26: descent.learning_rate: expected a finite number, got inf"],
    ),
    "true is no number": (
        FINE + "seed: true\ndescent: {learning_rate: false}\n",
        [
            "bad.yaml:3:7: seed: expected a whole number, got true",
            "bad.yaml:4:26: descent.learning_rate: expected a number, got false",
        ],
    ),
}


KEYS: dict[str, tuple[str, list[str]]] = {
    "a misspelt key": (
        FINE
        + """\
descent:

  learning_rat: 0.1
""",
        ["bad.yaml:5:3: descent.learning_rat: unknown key; did you mean 'learning_rate'?"],
    ),
    "a misspelt section": (
        FINE + "trainig: {epochs: 3}\n",
        ["bad.yaml:3:1: trainig: unknown key; did you mean 'training'?"],
    ),
    "a key in capitals": (
        FINE + "descent: {Learning_Rate: 0.1}\n",
        ["bad.yaml:3:11: descent.Learning_Rate: unknown key; did you mean 'learning_rate'?"],
    ),
    "another word for a key": (
        FINE + "descent: {lr: 0.1}\n",
        ["bad.yaml:3:11: descent.lr: unknown key; did you mean 'learning_rate'?"],
    ),
    "the beginning of a key": (
        FINE + "descent: {batch: 10}\n",
        ["bad.yaml:3:11: descent.batch: unknown key; did you mean 'batch_size'?"],
    ),
    "a key of another section": (
        FINE + "learning_rate: 0.1\ndescent: {epochs: 5}\n",
        [
            "bad.yaml:3:1: learning_rate: unknown key; it belongs in descent",
            "bad.yaml:4:11: descent.epochs: unknown key; it belongs in training",
        ],
    ),
    "a misspelt key of another section": (
        FINE + "descent: {early_stoping: {}}\n",
        ["bad.yaml:3:11: descent.early_stoping: unknown key; did you mean 'early_stopping' in training?"],
    ),
    "a key of another kind": (
        FINE + "descent: {optimizer: {kind: adam, momentum: 0.9}}\n",
        ["bad.yaml:3:35: descent.optimizer.momentum: unknown key for adam; sgd and rmsprop have it"],
    ),
    "a dotted key": (
        FINE + "descent.learning_rate: 0.1\n",
        ["bad.yaml:3:1: descent.learning_rate: unknown key; did you mean 'learning_rate' inside 'descent'?"],
    ),
    "a key unlike any other": (
        FINE + "training: {banana: 1}\n",
        [
            "bad.yaml:3:12: training.banana: unknown key; expected epochs, steps, engine, stop_when, early_stopping or checkpoint"
        ],
    ),
    "a misspelling beside the right key": (
        FINE + "descent: {learning_rate: 0.1, learning_rat: 0.2}\n",
        ["bad.yaml:3:31: descent.learning_rat: unknown key; 'learning_rate' is already given"],
    ),
    "a misspelt required key": (
        "dataset: {kind: function, formla: sin(x)}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:27: dataset.formla: unknown key; did you mean 'formula'?"],
    ),
    "a misspelt key with a wrong value": (
        FINE + "descent: {learning_rat: fast}\n",
        [
            "bad.yaml:3:11: descent.learning_rat: unknown key; did you mean 'learning_rate'?",
            "bad.yaml:3:25: descent.learning_rate: expected a number, got 'fast'",
        ],
    ),
    "a missing section": ("model: {kind: mlp}\n", ["bad.yaml:1:1: dataset: required key is missing"]),
    "nothing but a seed": (
        "seed: 1\n",
        ["bad.yaml:1:1: dataset: required key is missing", "bad.yaml:1:1: model: required key is missing"],
    ),
    "a missing kind": (
        "dataset: {formula: x}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:1: dataset.kind: required key is missing; expected function, regression, classification, bundled, table or images"
        ],
    ),
    "a missing kind of model": (
        "dataset: {kind: function, formula: x}\nmodel: {hidden: [3]}\n",
        ["bad.yaml:2:1: model.kind: required key is missing; expected mlp, steps or unet"],
    ),
    "a misspelt kind key": (
        FINE + "descent: {optimizer: {knd: adam, eps: 1e-8}}\n",
        [
            "bad.yaml:3:23: descent.optimizer.knd: unknown key; did you mean 'kind'?",
            "bad.yaml:3:34: descent.optimizer.eps: unknown key; did you mean 'epsilon'?",
        ],
    ),
    "type for kind": (
        "dataset: {type: function, formula: x}\nmodel: {type: mlp}\n",
        [
            "bad.yaml:1:11: dataset.type: unknown key; did you mean 'kind'?",
            "bad.yaml:2:9: model.type: unknown key; did you mean 'kind'?",
        ],
    ),
    "a missing formula": (
        "dataset: {kind: function}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:1: dataset.formula: required key is missing"],
    ),
    "a misspelt kind": (
        "dataset: {kind: functon, formula: x, samples: 0}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:17: dataset.kind: expected function, regression, classification, bundled, table or images, got 'functon'; did you mean 'function'?",
            "bad.yaml:1:47: dataset.samples: expected a number of at least 1, got 0",
        ],
    ),
    "a kind there is not": (
        "dataset: {kind: spreadsheet, path: a.csv}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:17: dataset.kind: expected function, regression, classification, bundled, table or images, got 'spreadsheet'"
        ],
    ),
    "a generator for a kind": (
        "dataset: {kind: moons}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:17: dataset.kind: expected function, regression, classification, bundled, table or images, got 'moons'; write kind: classification, generator: moons"
        ],
    ),
    "a kind that is a list": (
        "dataset: {kind: [function]}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:17: dataset.kind: expected function, regression, classification, bundled, table or images, got ['function']"
        ],
    ),
    "a kind that is null": (
        "dataset: {kind: }\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:16: dataset.kind: expected function, regression, classification, bundled, table or images, got nothing"
        ],
    ),
    "a decimal comma": (
        FINE + "descent: {learning_rate: 1,5}\n",
        ["bad.yaml:3:28: descent.5: unknown key; if it is part of a number, that is written with a point, such as 0.1"],
    ),
    "a softmax behind the last layer": (
        FUNCTION + "model: {kind: mlp, output_activation: log_softmax}\n",
        [
            "bad.yaml:2:39: model.output_activation: expected identity, step, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus or sine, got 'log_softmax'; cross_entropy contains the softmax already, so the last layer needs none (output_activation: identity)"
        ],
    ),
    "a misspelt optimizer": (
        FINE + "descent: {optimizer: adm}\n",
        [
            "bad.yaml:3:22: descent.optimizer: expected sgd, adagrad, rmsprop, adam, adamw or lbfgs, got 'adm'; did you mean 'adam'?"
        ],
    ),
    "a misspelt optimizer kind": (
        FINE + "descent: {optimizer: {kind: rmspop, smoothing: 2}}\n",
        [
            "bad.yaml:3:29: descent.optimizer.kind: expected sgd, adagrad, rmsprop, adam, adamw or lbfgs, got 'rmspop'; did you mean 'rmsprop'?",
            "bad.yaml:3:48: descent.optimizer.smoothing: expected a number below 1, got 2",
        ],
    ),
    "an unknown schedule": (
        FINE + "descent: {schedule: warmup}\n",
        ["bad.yaml:3:21: descent.schedule: expected constant, step, exponential or cosine, got 'warmup'"],
    ),
    "an unknown initialization": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, initialization: orthogonal}\n",
        [
            "bad.yaml:2:36: model.initialization: expected torch, xavier, he, zeros, spread, steps or given, got 'orthogonal'"
        ],
    ),
    "a missing kind of optimizer": (
        FINE + "descent: {optimizer: {momentum: 0.9}}\n",
        [
            "bad.yaml:3:11: descent.optimizer.kind: required key is missing; expected sgd, adagrad, rmsprop, adam, adamw or lbfgs"
        ],
    ),
    "a misspelt activation": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, activation: rleu}\n",
        [
            "bad.yaml:2:32: model.activation: expected identity, step, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus or sine, got 'rleu'; did you mean 'relu'?"
        ],
    ),
    "a misspelt activation in a list": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [2, 2], activation: [relu, tahn]}\n",
        [
            "bad.yaml:2:55: model.activation.1: expected identity, step, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus or sine, got 'tahn'; did you mean 'tanh'?"
        ],
    ),
    "a misspelt generator": (
        "dataset: {kind: classification, generator: mooons}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:44: dataset.generator: expected moons, circles, xor, spirals, blobs, gaussian_quantiles, hypercube or formula, got 'mooons'; did you mean 'moons'?"
        ],
    ),
    "a misspelt variant": (
        FINE + "descent: {variant: minibatch}\n",
        [
            "bad.yaml:3:20: descent.variant: expected batch, mini-batch or stochastic, got 'minibatch'; did you mean 'mini-batch'?"
        ],
    ),
}


VALUES: dict[str, tuple[str, list[str]]] = {
    "a number for a section": (
        "dataset: 5\nmodel: 6\n",
        [
            "bad.yaml:1:10: dataset: expected a mapping with a kind (function, regression, classification, bundled, table or images), got 5",
            "bad.yaml:2:8: model: expected a mapping with a kind (mlp, steps or unet), got 6",
        ],
    ),
    "nothing for a section": (
        FINE + "descent:\n",
        ["bad.yaml:3:9: descent: expected a mapping (variant, batch_size, shuffle...), got nothing"],
    ),
    "a list for a section": (
        FINE + "training: [1]\n",
        ["bad.yaml:3:11: training: expected a mapping (epochs, steps, engine...), got [1]"],
    ),
    "a name for a section": (
        "dataset: moons\nmodel: mlp\n",
        [
            "bad.yaml:1:10: dataset: expected a mapping with a kind (function, regression, classification, bundled, table or images), got 'moons'",
            "bad.yaml:2:8: model: expected a mapping with a kind (mlp, steps or unet), got 'mlp'; write {kind: mlp}",
        ],
    ),
    "a number for a name or mapping": (
        FINE + "descent: {optimizer: 5, schedule: []}\n",
        [
            "bad.yaml:3:22: descent.optimizer: expected sgd, adagrad, rmsprop, adam, adamw, lbfgs, or a mapping with a kind, got 5",
            "bad.yaml:3:35: descent.schedule: expected constant, step, exponential, cosine, or a mapping with a kind, got an empty list",
        ],
    ),
    "a number for a list": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: 64}\n",
        ["bad.yaml:2:28: model.hidden: expected a list, got 64; write [64]"],
    ),
    "a text in a list": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [64, many]}\n",
        ["bad.yaml:2:33: model.hidden.1: expected a whole number, got 'many'"],
    ),
    "a list in a list": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [[64]]}\n",
        ["bad.yaml:2:29: model.hidden.0: expected a whole number, got [64]"],
    ),
    "a mapping for a name": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, activation: {kind: relu}}\n",
        [
            "bad.yaml:2:32: model.activation: expected identity, step, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus or sine, got a mapping"
        ],
    ),
    "a number for a text": (
        FINE + "name: 2024\n",
        ["bad.yaml:3:7: name: expected a text, got 2024; put it in quotes: '2024'"],
    ),
    "a list for a number": (FINE + "seed: [1, 2]\n", ["bad.yaml:3:7: seed: expected a whole number, got [1, 2]"]),
    "nothing for a number": (FINE + "seed:\n", ["bad.yaml:3:6: seed: expected a whole number, got nothing"]),
    "a number below its range": (
        "dataset: {kind: function, formula: x, samples: 0, noise: -0.5}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:48: dataset.samples: expected a number of at least 1, got 0",
            "bad.yaml:1:58: dataset.noise: expected a number of at least 0, got -0.5",
        ],
    ),
    "a number above its range": (
        "dataset: {kind: function, formula: x, samples: 1000000000}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.samples: expected a number of at most 100000000, got 1000000000"],
    ),
    "a learning rate of zero": (
        FINE + "descent: {learning_rate: 0}\n",
        ["bad.yaml:3:26: descent.learning_rate: expected a number above 0, got 0"],
    ),
    "a dropout of one": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, dropout: 1}\n",
        ["bad.yaml:2:29: model.dropout: expected a number below 1, got 1"],
    ),
    "a width of zero": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [0]}\n",
        ["bad.yaml:2:29: model.hidden.0: expected a number of at least 1, got 0"],
    ),
    "too many layers": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [" + "1, " * 256 + "1]}\n",
        ["bad.yaml:2:28: model.hidden: expected at most 256 entries, got a list of 257"],
    ),
    "a negative number of epochs": (
        FINE + "training: {epochs: -1}\n",
        ["bad.yaml:3:20: training.epochs: expected a number of at least 0, got -1"],
    ),
    "three betas": (
        FINE + "descent: {optimizer: {kind: adam, betas: [0.9, 0.99, 0.999]}}\n",
        ["bad.yaml:3:42: descent.optimizer.betas: expected two numbers [beta1, beta2], got [0.9, 0.99, 0.999]"],
    ),
    "a beta of one": (
        FINE + "descent: {optimizer: {kind: adam, betas: [0.9, 1]}}\n",
        ["bad.yaml:3:48: descent.optimizer.betas.1: expected a number below 1, got 1"],
    ),
    "a validation part of nothing": (
        "dataset: {kind: regression, validation: 0}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:41: dataset.validation: expected a number above 0, got 0"],
    ),
    "a name that is a path": (
        FINE + "name: ../../etc\n",
        [
            "bad.yaml:3:7: name: expected letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit, got '../../etc'"
        ],
    ),
    "an absolute name": (
        FINE + "name: /tmp/x\n",
        [
            "bad.yaml:3:7: name: expected letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit, got '/tmp/x'"
        ],
    ),
    "a hidden name": (
        FINE + "name: .git\n",
        [
            "bad.yaml:3:7: name: expected letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit, got '.git'"
        ],
    ),
    "a name with a line end": (
        FINE + 'name: "a\\n"\n',
        [
            "bad.yaml:3:7: name: expected letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit, got 'a\\n'"
        ],
    ),
    "a name too long": (
        FINE
        + "name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        [
            "bad.yaml:3:7: name: expected a text of at most 100 characters, got 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"
        ],
    ),
    "an empty name": (
        FINE + "name: ''\n",
        [
            "bad.yaml:3:7: name: expected letters (of any alphabet), digits, '.', '_' and '-', the first a letter or digit, got ''"
        ],
    ),
    "a device there is not": (
        FINE + "device: gpu\n",
        ["bad.yaml:3:9: device: expected auto, cpu, cuda or cuda:<index>, got 'gpu'; did you mean 'cuda'?"],
    ),
    "a device with a wrong index": (
        FINE + "device: cuda:x\n",
        ["bad.yaml:3:9: device: expected auto, cpu, cuda or cuda:<index>, got 'cuda:x'; did you mean 'cuda'?"],
    ),
    "a precision there is not": (
        FINE + "precision: double\n",
        ["bad.yaml:3:12: precision: expected float32, float64 or bfloat16, got 'double'; did you mean 'float64'?"],
    ),
    "a wrong logging interval": (
        FINE + "logging: {scalars: every 0 steps, figures: always}\n",
        [
            "bad.yaml:3:20: logging.scalars: expected auto, off or 'every N steps', got 'every 0 steps'",
            "bad.yaml:3:44: logging.figures: expected auto or off, got 'always'",
        ],
    ),
    "more rows than memory holds": (
        FINE + "training: {steps: 10000000000}\nlogging: {scalars: every 3 steps}\n",
        [
            "bad.yaml:4:20: logging.scalars: the 10,000,000,000 updates give 3,333,333,333 rows, and the history holds 10,000,000; expected auto, off, or at least every 1000 steps"
        ],
    ),
    "a formula that is nowhere within a sign": (
        "dataset: {kind: function, formula: sign(log(x)), domain: [[-1, 1]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: not a finite number at x = -1, which is in the domain"],
    ),
    "an empty stop_when": (
        FINE + "training: {stop_when: {}}\n",
        ["bad.yaml:3:23: training.stop_when: expected 1 or more entries, got an empty mapping"],
    ),
    "a goal that is a text": (
        FINE + "training: {stop_when: {validation/mse: low}}\n",
        ["bad.yaml:3:40: training.stop_when.validation/mse: expected a number, got 'low'"],
    ),
    "an interval for a domain": (
        "dataset: {kind: function, formula: x, domain: [0, 1]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:47: dataset.domain: expected one [low, high] per input, such as [[0, 1]], got [0, 1]"],
    ),
    "an interval backwards": (
        "dataset: {kind: function, formula: x, domain: [[1, -1]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.domain.0: expected [low, high] with low below high, got [1, -1]"],
    ),
    "an interval of one point": (
        "dataset: {kind: function, formula: x, domain: [[1, 1]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.domain.0: expected [low, high] with low below high, got [1, 1]"],
    ),
    "half an interval": (
        "dataset: {kind: function, formula: x, domain: [[0]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.domain.0: expected [low, high], got [0]"],
    ),
    "an empty domain": (
        "dataset: {kind: function, formula: x, domain: []}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:47: dataset.domain: expected one [low, high] per input, such as [[0, 1]], got an empty list"],
    ),
    "an endless interval": (
        "dataset: {kind: function, formula: x, domain: [[-1.5e308, 1.5e308]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:48: dataset.domain.0: the interval is too long for floating point"],
    ),
}


FORMULAS: dict[str, tuple[str, list[str]]] = {
    "an empty formula": (
        "dataset: {kind: function, formula: ''}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: expected a text that is not empty, got ''"],
    ),
    "an unknown name": (
        "dataset: {kind: function, formula: x + sinn(x)}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: column 5: unknown name 'sinn'; did you mean 'sin'?"],
    ),
    "x among several inputs": (
        "dataset: {kind: function, formula: x, domain: [[0, 1], [0, 1]], samples: 100}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: column 1: unknown name 'x'; with 2 inputs the variables are x1 and x2"],
    ),
    "too many inputs in the formula": (
        "dataset: {kind: function, formula: x1 + x2}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: column 1: unknown name 'x1'; with 1 input the variable is x"],
    ),
    "code": (
        "dataset: {kind: function, formula: \"__import__('os').system('ls')\"}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: column 1: unknown name '__import__'; with 1 input the variable is x"],
    ),
    "a formula never closed": (
        "dataset: {kind: function, formula: sin(x}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: column 4: this '(' is never closed"],
    ),
    "a pole in the domain": (
        "dataset: {kind: function, formula: 1/x}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: not a finite number at x = 0, which is in the domain"],
    ),
    "a root of negative numbers": (
        "dataset: {kind: function, formula: 'sqrt(x)', domain: [[-2, 2]]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: not a finite number at x = -2, which is in the domain"],
    ),
    "a pole in two dimensions": (
        "dataset: {kind: function, formula: log(x1*x2), domain: [[0, 1], [0, 1]], samples: 100}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: not a finite number at x1 = 0, x2 = 0, which is in the domain"],
    ),
    "an endless formula": (
        "dataset: {kind: function, formula: " + "x+" * 2000 + "x}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: longer than 2,000 characters"],
    ),
    "a formula that is a number": (
        "dataset: {kind: function, formula: 1}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:36: dataset.formula: expected a text, got 1; put it in quotes: '1'"],
    ),
}


RULES: dict[str, tuple[str, list[str]]] = {
    "a grid that is no square": (
        "dataset: {kind: function, formula: x1, domain: [[0, 1], [0, 1]], samples: 500}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:75: dataset.samples: a grid over 2 inputs has equally many points along each; expected 484 or 529 (or sampling: uniform), got 500"
        ],
    ),
    "a grid of the default size in eleven dimensions": (
        "dataset: {kind: function, formula: x1, domain: [" + ", ".join(["[0, 1]"] * 11) + "]}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:1: dataset.samples: a grid over 11 inputs has equally many points along each; expected 1 or 2048 (or sampling: uniform), got 1000"
        ],
    ),
    "steps for a network of another form": (
        "dataset: {kind: function, formula: x}\n"
        "model: {kind: mlp, hidden: [8], activation: tanh, initialization: steps}\n",
        ["bad.yaml:2:67: model.initialization: steps become sigmoids: the network must have one hidden layer of them"],
    ),
    "steps for a standardised input": (
        "dataset: {kind: function, formula: x, standardize: inputs}\n"
        "model: {kind: mlp, hidden: [8], activation: sigmoid, initialization: steps}\n",
        [
            "bad.yaml:2:70: model.initialization: steps are placed in the input's own units: dataset.standardize must be none"
        ],
    ),
    "steps for two inputs": (
        "dataset: {kind: function, formula: x1, domain: [[0, 1], [0, 1]]}\n"
        "model: {kind: mlp, hidden: [8], activation: sigmoid, initialization: {kind: steps, error: 0.1}}\n",
        ["bad.yaml:2:70: model.initialization: steps follow a formula of one input"],
    ),
    "steps behind a sigmoid": (
        "dataset: {kind: function, formula: x}\n"
        "model: {kind: mlp, hidden: [8], activation: sigmoid, output_activation: sigmoid, initialization: steps}\n",
        [
            "bad.yaml:2:98: model.initialization: steps add up to the output itself: model.output_activation must be identity"
        ],
    ),
    "too few features": (
        "dataset: {kind: regression, generator: friedman1, features: 4}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:61: dataset.features: friedman1 needs at least 5, got 4"],
    ),
    "a fixed number of features": (
        "dataset: {kind: regression, generator: sine, features: 2}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:56: dataset.features: sine needs 1, got 2"],
    ),
    "weights that are no features": (
        "dataset: {kind: regression, features: 3, weights: [1, 2]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:51: dataset.weights: expected one weight per feature (3), got 2"],
    ),
    "weights of friedman1": (
        "dataset: {kind: regression, generator: friedman1, weights: [1], bias: 0, outputs: 2}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:60: dataset.weights: only generator: linear has it, not friedman1",
            "bad.yaml:1:71: dataset.bias: only generator: linear has it, not friedman1",
            "bad.yaml:1:83: dataset.outputs: friedman1 has one output; expected 1, got 2",
        ],
    ),
    "weights for two outputs": (
        "dataset: {kind: regression, outputs: 2, weights: [1], bias: 1}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:50: dataset.weights: needs outputs: 1, got outputs: 2",
            "bad.yaml:1:61: dataset.bias: needs outputs: 1, got outputs: 2",
        ],
    ),
    "moons in space": (
        "dataset: {kind: classification, features: 3, classes: 3}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:43: dataset.features: moons needs 2, got 3",
            "bad.yaml:1:55: dataset.classes: moons needs 2, got 3",
        ],
    ),
    "a cube with too few corners": (
        "dataset: {kind: classification, generator: hypercube, classes: 5}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:64: dataset.classes: 2 features give a cube of 4 corners, too few for 5 classes"],
    ),
    "proportions for other classes": (
        "dataset: {kind: classification, generator: blobs, classes: 3, proportions: [0.5, 0.5]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:76: dataset.proportions: expected one share per class (3), got 2"],
    ),
    "proportions that are no shares": (
        "dataset: {kind: classification, proportions: [0.9, 0.2]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:46: dataset.proportions: shares must add up to 1, not 1.1"],
    ),
    "a share of zero": (
        "dataset: {kind: classification, proportions: [1, 0]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:50: dataset.proportions.1: expected a number above 0, got 0"],
    ),
    "too few samples for the classes": (
        "dataset: {kind: classification, generator: blobs, classes: 10, samples: 20}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:73: dataset.samples: too few: 16 for training and 4 for validation cannot both hold all 10 classes"
        ],
    ),
    "one activation too many": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [8, 8], activation: [relu, relu, relu]}\n",
        ["bad.yaml:2:48: model.activation: expected one name, or one per hidden layer (2), got a list of 3"],
    ),
    "dropout without hidden layer": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [], dropout: 0.5}\n",
        ["bad.yaml:2:41: model.dropout: the network has no hidden layer to drop units from; expected 0"],
    ),
    "spread without hidden layer": (
        "dataset: {kind: function, formula: x}\nmodel: {kind: mlp, hidden: [], initialization: spread}\n",
        [
            "bad.yaml:2:48: model.initialization: spread places hidden units, but the network has no hidden layer; expected torch, xavier, he or zeros"
        ],
    ),
    "steps that are neither steps nor bumps": (
        FUNCTION
        + "model: {kind: steps, steps: [{at: 0.3, to: 0.5, height: 1}, {height: 1}, {from: 1, height: 2}, {at: 1}, 3]}\n",
        [
            "bad.yaml:2:30: model.steps.0: expected at (a step), or from and to (a bump), got at and to",
            "bad.yaml:2:61: model.steps.1: expected at (a step), or from and to (a bump), got neither",
            "bad.yaml:2:74: model.steps.2: expected at (a step), or from and to (a bump), got from",
            "bad.yaml:2:96: model.steps.3.height: required key is missing",
            "bad.yaml:2:105: model.steps.4: expected a mapping (at, from, to...), got 3",
        ],
    ),
    "misspelt keys of steps": (
        FUNCTION + "model:\n  kind: steps\n  steps:\n  - {at: 0.3, heigth: 1}\n  - {form: 0, to: 1, height: .inf}\n",
        [
            "bad.yaml:5:15: model.steps.0.heigth: unknown key; did you mean 'height'?",
            "bad.yaml:6:6: model.steps.1.form: unknown key; did you mean 'from'?",
            "bad.yaml:6:30: model.steps.1.height: expected a finite number, got inf",
        ],
    ),
    "bumps that end before they begin": (
        FUNCTION + "model: {kind: steps, steps: [{from: 0.7, to: 0.3, height: 1}]}\n",
        ["bad.yaml:2:30: model.steps.0: expected from below to, got 0.7 and 0.3"],
    ),
    "towers without a ground": (
        PLANE
        + """model:
  kind: steps
  steps:
  - {from: [0, 0], to: 1, height: 1}
  - {from: [0, 0], to: [1, 0], height: 1}
  - {from: [0], to: [1, 0], height: 1}
  - {from: [0, a], to: [1, 1], height: 1}
""",
        [
            "bad.yaml:5:5: model.steps.0: expected from and to alike, two numbers or two [x1, x2], got [0.0, 0.0] and 1.0",
            "bad.yaml:6:5: model.steps.1: expected from below to in both inputs, got [0.0, 0.0] and [1.0, 0.0]",
            "bad.yaml:7:12: model.steps.2.from: expected [x1, x2], got [0]",
            "bad.yaml:8:16: model.steps.3.from.1: expected a number, got 'a'",
        ],
    ),
    "towers on a line": (
        FUNCTION + "model: {kind: steps, steps: [{from: [0, 0], to: [1, 1], height: 1}]}\n",
        ["bad.yaml:2:37: model.steps.0.from: expected a number for the dataset's one input, got [0.0, 0.0]"],
    ),
    "steps in the plane": (
        PLANE + "model: {kind: steps, steps: [{from: 0, to: 1, height: 1}, {at: 1, height: 1}]}\n",
        [
            "bad.yaml:2:37: model.steps.0.from: expected [x1, x2] for the dataset's two inputs, got 0.0",
            "bad.yaml:2:64: model.steps.1.at: expected from and to, one [x1, x2] each, for two inputs, got 1.0",
        ],
    ),
    "steps for classes": (
        "dataset: {kind: classification}\nmodel: {kind: steps}\n",
        [
            "bad.yaml:2:15: model.kind: steps follow one function of one input, or two, and this dataset has classes; expected mlp"
        ],
    ),
    "steps of standardised inputs, and of three": (
        "dataset: {kind: regression, features: 3, standardize: inputs}\nmodel: {kind: steps}\n",
        [
            "bad.yaml:1:55: dataset.standardize: the places of model kind steps are in the units of the inputs; expected none",
            "bad.yaml:2:15: model.kind: steps follow one function of one input, or two, and this dataset has 3 inputs; expected mlp",
        ],
    ),
    "steps for several outputs": (
        "dataset: {kind: regression, features: 1, outputs: 2}\nmodel: {kind: steps, steps: [{at: 1, height: 2}]}\n",
        [
            "bad.yaml:2:15: model.kind: steps follow one function of one input, or two, and this dataset has 2 outputs; expected mlp"
        ],
    ),
    "keys of another kind of model": (
        FUNCTION + "model: {kind: steps, hidden: [3], activation: tanh}\n",
        [
            "bad.yaml:2:22: model.hidden: unknown key for steps; only mlp has it",
            "bad.yaml:2:47: model.activation: expected step or sigmoid, got 'tanh'",
        ],
    ),
    "the steepness of a step": (
        FUNCTION + "model: {kind: steps, steepness: 5}\n",
        ["bad.yaml:2:33: model.steepness: only activation: sigmoid has it, not step"],
    ),
    "steps beyond float32": (
        FUNCTION
        + """model:
  kind: steps
  activation: sigmoid
  steepness: 1e38
  offset: -1e300
  steps:
  - {at: 1000, height: 1}
  - {at: 1, height: 1e200}
""",
        [
            "bad.yaml:6:11: model.offset: beyond what float32 can hold (about 3e+38), got -1e+300",
            "bad.yaml:8:5: model.steps.0: its place times the steepness 1e+38 is beyond what float32 can hold (about 3e+38)",
            "bad.yaml:9:21: model.steps.1.height: beyond what float32 can hold (about 3e+38), got 1e+200",
        ],
    ),
    "a steepness beyond float32": (
        FUNCTION + "model: {kind: steps, activation: sigmoid, steepness: 3e38}\n",
        ["bad.yaml:2:54: model.steepness: beyond what float32 can hold (about 3e+38), got 3e+38"],
    ),
    "too many towers that share nothing": (
        PLANE
        + "model:\n  kind: steps\n  steps:\n"
        + "".join(f"  - {{from: [{i}, {i}], to: [{i}.5, {i}.5], height: 1}}\n" for i in range(2100)),
        [
            "bad.yaml:5:3: model.steps: 2,100 towers with 8,400 places make 17,640,000 weights; expected at most 16,777,216: put the towers on a grid, where they share their places"
        ],
    ),
    "cross entropy on a regression": (
        FINE + "loss: cross_entropy\n",
        [
            "bad.yaml:3:7: loss: cross_entropy needs classes, and this dataset is a regression; expected mse, mae or huber"
        ],
    ),
    "a sigmoid before cross entropy": (
        "dataset: {kind: classification}\nmodel: {kind: mlp, output_activation: sigmoid}\n",
        [
            "bad.yaml:2:39: model.output_activation: cross_entropy contains the sigmoid already; expected identity, got 'sigmoid'"
        ],
    ),
    "a relu before standardised targets": (
        "dataset: {kind: bundled, name: diabetes}\nmodel: {kind: mlp, output_activation: relu}\n",
        [
            "bad.yaml:2:39: model.output_activation: relu does not reach all standardised targets, whose mean is 0 and whose deviation is 1; with dataset.standardize: inputs it acts in the targets' own units"
        ],
    ),
    "a path on another machine": (
        "dataset: {kind: table, target: y, path: 'https://example.org/a.csv'}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:41: dataset.path: nothing is downloaded; expected a path to a file that is here, got 'https://example.org/a.csv'"
        ],
    ),
    "a decimal mark between thousands": (
        "dataset: {kind: table, target: y, path: a.csv, thousands: '.'}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:59: dataset.thousands: '.' is the decimal mark"],
    ),
    "a delimiter that is a pattern": (
        "dataset: {kind: table, target: y, path: a.csv, delimiter: '\\s'}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:59: dataset.delimiter: expected one mark, such as ';' or a tab, written '\\t', or whitespace, got '\\\\s'"
        ],
    ),
    "a relu before cross entropy": (
        """\
dataset: {kind: classification}
model: {kind: mlp, output_activation: relu}
loss: cross_entropy
""",
        [
            "bad.yaml:2:39: model.output_activation: cross_entropy takes logits as they are; expected identity, got 'relu'"
        ],
    ),
    "a batch larger than the data": (
        FINE + "descent: {batch_size: 1001}\n",
        ["bad.yaml:3:23: descent.batch_size: expected at most the 1000 training samples, got 1001"],
    ),
    "a batch larger than the training part": (
        """\
dataset: {kind: regression, samples: 100}
model: {kind: mlp}
descent: {variant: batch, batch_size: 81}
""",
        ["bad.yaml:3:39: descent.batch_size: expected at most the 80 training samples, got 81"],
    ),
    "stochastic with a batch size": (
        FINE + "descent: {variant: stochastic, batch_size: 7}\n",
        [
            "bad.yaml:3:44: descent.batch_size: stochastic takes one sample per update; expected 1 (or variant: mini-batch), got 7"
        ],
    ),
    "independent draws of data in order": (
        FINE + "descent: {shuffle: false, replacement: true}\n",
        ["bad.yaml:3:40: descent.replacement: samples drawn at random have no order to keep; expected shuffle: true"],
    ),
    "weights by hand of other shapes": (
        "dataset: {kind: function, formula: x, standardize: inputs}\n"
        "model: {kind: mlp, hidden: [2], initialization: {kind: given, layers: [{W: [[1, 2]], b: [0]}, {W: [[1, 1]], b: [0]}]}}\n",
        [
            "bad.yaml:1:52: dataset.standardize: weights given by hand are for the inputs in their own units; expected none",
            "bad.yaml:2:76: model.initialization.layers.0.W: expected 2 rows of 1 weights, got 1 of 2",
            "bad.yaml:2:89: model.initialization.layers.0.b: expected 2, one a neuron, got 1",
        ],
    ),
    "weights by hand of no layer": (
        FUNCTION + "model: {kind: mlp, hidden: [2], initialization: given}\n",
        ["bad.yaml:2:33: model.initialization.layers: expected one entry for each of the 2 layers, got 0"],
    ),
    "a formula for moons": (
        "dataset: {kind: classification, formula: x1, domain: [[0, 1], [0, 1]]}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:42: dataset.formula: only generator: formula has it, not moons",
            "bad.yaml:1:54: dataset.domain: only generator: formula has it, not moons",
        ],
    ),
    "classes by no formula": (
        "dataset: {kind: classification, generator: formula}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:44: dataset.generator: formula needs the key formula, such as x2 - sin(3*x1)"],
    ),
    "classes by a formula that cannot be read": (
        "dataset: {kind: classification, generator: formula, formula: x3 > 1, features: 3, proportions: [0.5, 0.5]}\n"
        "model: {kind: mlp}\n",
        [
            "bad.yaml:1:62: dataset.formula: column 1: unknown name 'x3'; with 2 inputs the variables are x1 and x2",
            "bad.yaml:1:80: dataset.features: expected 2, one for each interval of the domain, got 3",
            "bad.yaml:1:96: dataset.proportions: the formula decides the shares of the classes; leave it out",
        ],
    ),
    "one class by a formula": (
        "dataset: {kind: classification, generator: formula, formula: x1 + x2 + 3}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:62: dataset.formula: above 0 at all of 1,937 points of the domain: there is one class only"],
    ),
    "the perceptron's loss of a regression, and behind a sigmoid": (
        "dataset: {kind: classification, classes: 3, generator: blobs}\nmodel: {kind: mlp, output_activation: sigmoid}\n"
        "loss: perceptron\n",
        [
            "bad.yaml:2:39: model.output_activation: perceptron looks at the sum z itself; expected identity, got 'sigmoid'",
            "bad.yaml:3:7: loss: perceptron needs two classes, and this dataset has 3 classes; expected cross_entropy, mse, mae or huber",
        ],
    ),
    "independent draws of all the data": (
        FINE + "descent: {variant: batch, replacement: true}\n",
        [
            "bad.yaml:3:40: descent.replacement: batch takes every sample once; expected false (or variant: mini-batch or stochastic)"
        ],
    ),
    "a basis that is not one": (
        "dataset: {kind: function, formula: x, basis: [x**2, y, log(x)]}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:53: dataset.basis.1: column 1: unknown name 'y'; with 1 input the variable is x",
            "bad.yaml:1:56: dataset.basis.2: not a finite number at x = 0, which is in the domain",
        ],
    ),
    "steps along a basis": (
        "dataset: {kind: function, formula: x, basis: [x**2]}\nmodel: {kind: steps}\n",
        ["bad.yaml:1:46: dataset.basis: the places of model kind steps are in the units of the inputs; leave it out"],
    ),
    "nesterov without momentum": (
        FINE + "descent: {optimizer: {kind: sgd, nesterov: true}}\n",
        ["bad.yaml:3:44: descent.optimizer.nesterov: nesterov needs a momentum above 0, such as momentum: 0.9"],
    ),
    "lbfgs with mini-batches": (
        FINE + "descent: {optimizer: lbfgs}\n",
        ["bad.yaml:3:22: descent.optimizer: lbfgs needs the gradient over all the data; use variant: batch"],
    ),
    "lbfgs with what it has not": (
        """\
dataset: {kind: function, formula: x}
model: {kind: mlp, dropout: 0.1}
descent: {variant: batch, optimizer: lbfgs, clip_norm: 1, weight_decay: 0.1}
""",
        [
            "bad.yaml:2:29: model.dropout: lbfgs needs a loss that is the same from call to call; expected 0",
            "bad.yaml:3:56: descent.clip_norm: lbfgs does not clip its gradient; leave it out",
            "bad.yaml:3:73: descent.weight_decay: lbfgs has no weight decay; expected 0",
        ],
    ),
    "a warmup longer than the run": (
        FINE + "descent: {schedule: {kind: cosine, warmup_steps: 20}}\ntraining: {steps: 20}\n",
        ["bad.yaml:3:50: descent.schedule.warmup_steps: expected fewer than the 20 updates of the run, got 20"],
    ),
    "epochs and steps": (
        FINE
        + """\
training:
  epochs: 3
  steps: 100
""",
        ["bad.yaml:5:10: training.steps: give epochs or steps, not both"],
    ),
    "an unknown metric": (
        FINE + "training: {stop_when: {accuracy: 0.9}}\n",
        [
            "bad.yaml:3:24: training.stop_when.accuracy: unknown metric; expected train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or validation/sup_error, got 'accuracy'"
        ],
    ),
    "a misspelt metric": (
        FINE + "training: {stop_when: {validation/sup_eror: 0.9}}\n",
        [
            "bad.yaml:3:24: training.stop_when.validation/sup_eror: unknown metric; expected train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or validation/sup_error, got 'validation/sup_eror'; did you mean 'validation/sup_error'?"
        ],
    ),
    "an unknown metric to stop early": (
        FINE + "training: {early_stopping: {metric: validation/acc}}\n",
        [
            "bad.yaml:3:37: training.early_stopping.metric: expected train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or validation/sup_error, got 'validation/acc'"
        ],
    ),
    "a metric of another task": (
        """\
dataset: {kind: classification}
model: {kind: mlp}
training: {stop_when: {validation/r2: 0.9}}
""",
        [
            "bad.yaml:3:24: training.stop_when.validation/r2: unknown metric; expected train/loss, validation/loss, validation/accuracy, validation/cross_entropy, validation/f1 or validation/auc, got 'validation/r2'"
        ],
    ),
}


SEVERAL_AT_ONCE: dict[str, tuple[str, list[str]]] = {
    "typos, types and rules": (
        """\
nane: test
dataset:
  kind: functoin
  formul: x + y
  samples: many
model:
  kind: mlp
  hidden: [8, 8]
  activation: [relu]
  initialization: {kind: spred, steepnes: 0}
loss: cross_entropy
descent:
  variant: stochastic
  batch_size: 7
  learning_rat: 0.1
  optimizer: {kind: sgd, nesterov: yes, momentun: 1}
  learning_rat: 0.2
training:
  epochs: 5
  steps: 10
  stop_when: {validation/accuracy: 0.9, validation/mse: low}
logging: !!map {scalars: 5}
""",
        [
            "bad.yaml:1:1: nane: unknown key; did you mean 'name'?",
            "bad.yaml:3:9: dataset.kind: expected function, regression, classification, bundled, table or images, got 'functoin'; did you mean 'function'?",
            "bad.yaml:4:3: dataset.formul: unknown key; did you mean 'formula'?",
            "bad.yaml:4:11: dataset.formula: column 5: unknown name 'y'; with 1 input the variable is x",
            "bad.yaml:5:12: dataset.samples: expected a whole number, got 'many'",
            "bad.yaml:9:15: model.activation: expected one name, or one per hidden layer (2), got a list of 1",
            "bad.yaml:10:26: model.initialization.kind: expected torch, xavier, he, zeros, spread, steps or given, got 'spred'; did you mean 'spread'?",
            "bad.yaml:10:33: model.initialization.steepnes: unknown key; did you mean 'steepness'?",
            "bad.yaml:10:43: model.initialization.steepness: expected a number above 0, got 0",
            "bad.yaml:11:7: loss: cross_entropy needs classes, and this dataset is a regression; expected mse, mae or huber",
            "bad.yaml:14:15: descent.batch_size: stochastic takes one sample per update; expected 1 (or variant: mini-batch), got 7",
            "bad.yaml:15:3: descent.learning_rat: unknown key; did you mean 'learning_rate'?",
            "bad.yaml:16:36: descent.optimizer.nesterov: expected true or false, got 'yes'; write true",
            "bad.yaml:16:41: descent.optimizer.momentun: unknown key; did you mean 'momentum'?",
            "bad.yaml:16:51: descent.optimizer.momentum: expected a number below 1, got 1",
            "bad.yaml:17:3: descent.learning_rat: duplicate key; already defined in line 15",
            "bad.yaml:20:10: training.steps: give epochs or steps, not both",
            "bad.yaml:21:15: training.stop_when.validation/accuracy: unknown metric; expected train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or validation/sup_error, got 'validation/accuracy'",
            "bad.yaml:21:57: training.stop_when.validation/mse: expected a number, got 'low'",
            "bad.yaml:22:10: logging: tags are not allowed, got !!map; write the plain value",
        ],
    ),
    "a broken batch size hides only the rules that read it": (
        FINE + "descent: {variant: stochastic, batch_size: ten, optimizer: lbfgs}\n",
        [
            "bad.yaml:3:44: descent.batch_size: expected a whole number, got 'ten'",
            "bad.yaml:3:60: descent.optimizer: lbfgs needs the gradient over all the data; use variant: batch",
        ],
    ),
    "a broken dataset leaves the other rules": (
        """\
dataset: {kind: nothing}
model: {kind: mlp, hidden: [], dropout: 0.1, output_activation: sigmoid}
loss: cross_entropy
descent: {batch_size: 2000}
""",
        [
            "bad.yaml:1:17: dataset.kind: expected function, regression, classification, bundled, table or images, got 'nothing'",
            "bad.yaml:2:41: model.dropout: the network has no hidden layer to drop units from; expected 0",
        ],
    ),
    "an anchor used twice with one mistake": (
        "dataset: {kind: function, formula: x, domain: &b [[1, 0]]}\nmodel: {kind: mlp, hidden: *b}\n",
        [
            "bad.yaml:1:51: dataset.domain.0: expected [low, high] with low below high, got [1, 0]",
            "bad.yaml:1:51: model.hidden.0: expected a whole number, got [1, 0]",
        ],
    ),
    "half of a surrogate pair as a key": (
        FINE + '"\\uD800": 1\n',
        [r"bad.yaml:3:1: a key must be of valid characters, got '\ud800'"],
    ),
    "a syntax error behind other findings": (
        FINE
        + """\
seed: 1
seed: 2
name: [a
""",
        [
            "bad.yaml:4:1: seed: duplicate key; already defined in line 3",
            "bad.yaml:5:7: not valid YAML: a list is opened with '[', never closed",
        ],
    ),
}

SWEEPS: dict[str, tuple[str, list[str]]] = {
    "a sweep over nothing": (FINE + "sweep: {trials: 3}\n", ["bad.yaml:3:1: sweep.over: required key is missing"]),
    "a sweep whose keys have no values": (
        FINE + "sweep: {over: {seed: [], descent.learning_rate: 1}}\n",
        [
            "bad.yaml:3:22: sweep.over.seed: expected 1 or more entries, got an empty list",
            "bad.yaml:3:49: sweep.over.descent.learning_rate: expected a list, got 1; write [1]",
        ],
    ),
    "a range without its end": (
        FINE + "sweep: {over: {descent.learning_rate: {low: 1, hig: 2}}, seeds: 0}\n",
        [
            "bad.yaml:3:48: sweep.over.descent.learning_rate.hig: unknown key; did you mean 'high'?",
            "bad.yaml:3:65: sweep.seeds: expected a number of at least 1, got 0",
        ],
    ),
    "ranges that are empty, go down, begin at 0, or are endless": (
        FINE
        + """\
sweep:
  over:
    a: {low: 1, high: 1}
    b: {low: 2, high: 1}
    c: {low: 0, high: 1, log: true}
    d: {low: -1e308, high: 1e308}
""",
        [
            "bad.yaml:5:5: sweep.over.a: expected low below high, got 1 and 1",
            "bad.yaml:6:5: sweep.over.b: expected low below high, got 2 and 1; the other way round: low 1, high 2",
            "bad.yaml:7:5: sweep.over.c: a logarithmic range starts above 0, got low 0",
            "bad.yaml:8:5: sweep.over.d: from -1e+308 to 1e+308 is too far for a range",
        ],
    ),
    "a sweep over names": (
        FINE + "sweep: {over: {name: [a, b], training.checkpoint.keep: [1]}}\n",
        [
            "bad.yaml:3:16: sweep.over.name: makes no difference to the network that is trained",
            "bad.yaml:3:30: sweep.over.training.checkpoint.keep: makes no difference to the network that is trained",
        ],
    ),
    "a sweep over both lengths": (
        FINE + "sweep: {over: {training.epochs: [1], training.steps: [1]}}\n",
        ["bad.yaml:3:38: sweep.over.training.steps: give epochs or steps, not both"],
    ),
    "seeds twice": (
        FINE + "sweep: {over: {seed: [1, 2]}, seeds: 2}\n",
        ["bad.yaml:3:38: sweep.seeds: the sweep goes over seed already; expected 1, got 2"],
    ),
    "an endless grid": (
        FINE
        + "sweep: {over: {a: {low: 0, high: 1, points: 10000}, b: {low: 0, high: 1, points: 10000}}, sampler: grid}\n",
        ["bad.yaml:3:15: sweep.over: a grid of 100,000,000 trials, of at most 10,000,000; expected sampler: random"],
    ),
    "an objective that the task lacks": (
        FINE + "sweep: {over: {seed: [1]}, objective: acuracy}\n",
        [
            "bad.yaml:3:39: sweep.objective: expected train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or validation/sup_error, got 'acuracy'"
        ],
    ),
}

CASES = {**YAML_ITSELF, **SCALARS, **KEYS, **VALUES, **FORMULAS, **RULES, **DATA, **SWEEPS, **SEVERAL_AT_ONCE}
