"""Broken configs of data from files: bundled sets, tables, images; and what is said of them."""

from __future__ import annotations

# ruff: noqa: E501

DATA = {
    "rows through a unet": (
        "dataset: {kind: bundled, name: iris}\nmodel: {kind: unet}\n",
        ["bad.yaml:2:15: model.kind: unet takes images, and this dataset is of kind bundled; expected mlp"],
    ),
    "images through an mlp": (
        "dataset: {kind: images, path: cells}\nmodel: {kind: mlp}\n",
        ["bad.yaml:2:15: model.kind: mlp takes rows of numbers, and this dataset has images; expected unet"],
    ),
    "class weights of a regression": (
        "dataset: {kind: bundled, name: diabetes, class_weights: balanced}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:57: dataset.class_weights: this dataset is a regression, without classes; expected none"],
    ),
    "class weights without a cross entropy": (
        "dataset: {kind: bundled, name: iris, class_weights: balanced}\nmodel: {kind: mlp}\nloss: mse\n",
        ["bad.yaml:1:53: dataset.class_weights: only cross_entropy and bce weigh classes, not mse; expected none"],
    ),
    "dice of rows": (
        "dataset: {kind: bundled, name: iris}\nmodel: {kind: mlp}\nloss: dice\n",
        [
            "bad.yaml:3:7: loss: dice needs images with masks, and this dataset has 3 classes; expected cross_entropy, mse, mae or huber"
        ],
    ),
    "bce of three classes": (
        "dataset: {kind: bundled, name: iris}\nmodel: {kind: mlp}\nloss: bce\n",
        [
            "bad.yaml:3:7: loss: bce needs two classes, and this dataset has 3 classes; expected cross_entropy, mse, mae or huber"
        ],
    ),
    "too few digits": (
        "dataset: {kind: bundled, name: digits, samples: 30}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:49: dataset.samples: too few: 24 for training and 6 for validation cannot both hold all 10 classes"
        ],
    ),
    "a data set that is not bundled": (
        "dataset: {kind: bundled, name: mnist}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:32: dataset.name: expected iris, wine, breast_cancer, digits, diabetes or linnerud, got 'mnist'"],
    ),
    "images from nowhere": (
        "dataset: {kind: images}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:10: dataset: expected a path (a folder with images/ and masks/) or a generator"],
    ),
    "images from two places": (
        "dataset: {kind: images, path: cells, generator: cells}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:49: dataset.generator: give path or generator, not both"],
    ),
    "a generator's keys for files": (
        "dataset: {kind: images, path: cells, noise: 2.0, signal_to_noise: 3}\nmodel: {kind: unet}\n",
        [
            "bad.yaml:1:45: dataset.noise: goes with a generator only; expected 1.0, got 2.0",
            "bad.yaml:1:67: dataset.signal_to_noise: goes with a generator only; expected 8.0, got 3.0",
        ],
    ),
    "a file's keys for a generator": (
        "dataset: {kind: images, generator: cells, fit: crop, signal_to_noise: 3.0}\nmodel: {kind: unet}\n",
        [
            "bad.yaml:1:48: dataset.fit: goes with a path only; expected 'resize', got 'crop'",
            "bad.yaml:1:71: dataset.signal_to_noise: goes with generator: sky, not cells",
        ],
    ),
    "a basis of columns that is not one": (
        "dataset: {kind: table, path: t.csv, target: y, basis: [area, area +]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:62: dataset.basis.1: column 6: '+' needs a value on its right"],
    ),
    "three classes of made-up cells": (
        "dataset: {kind: images, generator: cells, classes: [a, b, c]}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:52: dataset.classes: cells has masks of two classes; expected 2 names, got 3"],
    ),
    "points among three classes": (
        "dataset: {kind: images, path: cells, point_radius: 2, classes: [a, b, c]}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:52: dataset.point_radius: points need masks of two classes, got 3 names in classes"],
    ),
    "masks read in two ways": (
        'dataset: {kind: images, path: d, colours: {a: "#000000", b: "#ffffff"}, instances: true}\nmodel: {kind: unet}\n',
        ["bad.yaml:1:84: dataset.instances: masks are read by colours already; give one of the two"],
    ),
    "two classes of one colour": (
        'dataset: {kind: images, path: d, colours: {a: "#000000", b: "#000000"}}\nmodel: {kind: unet}\n',
        ["bad.yaml:1:58: dataset.colours.b: a and b have one colour, #000000"],
    ),
    "classes named by two keys": (
        'dataset: {kind: images, path: d, classes: [a, b], colours: {a: "#000000", b: "#ffffff"}}\nmodel: {kind: unet}\n',
        ["bad.yaml:1:43: dataset.classes: dataset.colours names the classes; give one of the two"],
    ),
    "a colour to ignore among values": (
        'dataset: {kind: images, path: d, ignore: "#ff0000"}\nmodel: {kind: unet}\n',
        ["bad.yaml:1:42: dataset.ignore: expected a mask's value such as 255, got '#ff0000'"],
    ),
    "a class named twice": (
        "dataset: {kind: images, path: cells, classes: [a, a]}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:47: dataset.classes: expected different names, got 'a' twice"],
    ),
    "small made-up images": (
        "dataset: {kind: images, generator: sky, size: [16, 64]}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:47: dataset.size: sky needs at least 32 pixels along each side, got [16, 64]"],
    ),
    "made-up images beyond memory": (
        "dataset: {kind: images, generator: sky, samples: 1000000}\nmodel: {kind: unet}\n",
        [
            "bad.yaml:1:1: dataset.memory: 1,000,000 images of 64 x 64 are made in memory; expected at least 19,531 (MiB), got 1024"
        ],
    ),
    "a size of one number": (
        "dataset: {kind: images, generator: sky, size: 64}\nmodel: {kind: unet}\n",
        ["bad.yaml:1:47: dataset.size: expected [height, width], got 64"],
    ),
    "inputs and exclude": (
        "dataset: {kind: table, path: a.csv, target: y, inputs: [a], exclude: [b]}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:70: dataset.exclude: give inputs or exclude, not both"],
    ),
    "a target among the inputs": (
        "dataset: {kind: table, path: a.csv, target: y, inputs: [y, a, a], text: [y]}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:56: dataset.inputs: column 'a' is named twice",
            "bad.yaml:1:56: dataset.inputs: column 'y' is the target",
            "bad.yaml:1:73: dataset.text: column 'y' is the target, which is a number or a class",
        ],
    ),
    "groups without a column": (
        "dataset: {kind: table, path: a.csv, target: y, split: group}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:55: dataset.split: group needs split_by, the column that names the groups"],
    ),
    "a column to split by at random": (
        "dataset: {kind: table, path: a.csv, target: y, split_by: day}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:58: dataset.split_by: needs split: group or time, got split: auto"],
    ),
    "a split beside a file of validation rows": (
        "dataset: {kind: table, path: a.csv, target: y, validation: {path: b.csv}, split: stratified}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:82: dataset.split: the validation rows have a file of their own (validation.path), so no rows are split off; expected auto, got stratified"
        ],
    ),
    "groups beside a file of validation rows": (
        "dataset: {kind: table, path: a.csv, target: y, validation: {path: b.csv}, split_by: day}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:85: dataset.split_by: the validation rows have a file of their own (validation.path), so no rows are split off; leave it out, or exclude the column if it is not to be an input"
        ],
    ),
    "series beside a file of validation rows": (
        "dataset: {kind: table, path: a.csv, target: y, validation: {path: b.csv}, series: shop}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:83: dataset.series: the validation rows have a file of their own (validation.path), so no rows are split off; it needs a window"
        ],
    ),
    "validation on the training's file": (
        "dataset: {kind: table, path: a.csv, target: y, validation: {path: a.csv}}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:67: dataset.validation.path: the file that is trained on; expected another one, or a fraction"],
    ),
    "no part of a table for validation": (
        "dataset: {kind: table, path: a.csv, target: y, validation: 0}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:60: dataset.validation: expected a number above 0 and below 1, or {path: ...} for validation data of its own, got 0"
        ],
    ),
    "a file of validation rows without its key": (
        "dataset: {kind: table, path: a.csv, target: y, validation: test.csv}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:60: dataset.validation: expected a number above 0 and below 1, or {path: ...} for validation data of its own, got 'test.csv'; write {path: test.csv}"
        ],
    ),
    "a part for validation in percent": (
        "dataset: {kind: table, path: a.csv, target: y, validation: 20%}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:60: dataset.validation: expected a number, got '20%'; write 0.2"],
    ),
    "folders of a file of validation rows": (
        "dataset: {kind: table, path: a.csv, target: y, validation: {path: b.csv, folders: {images: x}}}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:74: dataset.validation.folders: unknown key; it belongs in dataset or dataset.validation"],
    ),
    "no part of images for validation": (
        "dataset: {kind: images, path: a, validation: 1.5}\nmodel: {kind: unet}\n",
        [
            "bad.yaml:1:46: dataset.validation: expected a number above 0 and below 1, or {path: ...} for validation data of its own, got 1.5"
        ],
    ),
    "series at random, and gaps without times": (
        "dataset: {kind: table, path: a.csv, target: y, series: shop, gaps: error}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:56: dataset.series: needs a window, or split: time",
            "bad.yaml:1:68: dataset.gaps: needs a window and split_by, the column of the time",
        ],
    ),
    "a horizon without a window": (
        "dataset: {kind: table, path: a.csv, target: y, horizon: 3}\nmodel: {kind: mlp}\n",
        ["bad.yaml:1:57: dataset.horizon: needs a window (the number of past rows in a sample)"],
    ),
    "a window at random": (
        "dataset: {kind: table, path: a.csv, target: y, window: 3, split: random, text: [a], missing: drop}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:66: dataset.split: a series with a window is split by time, got split: random",
            "bad.yaml:1:80: dataset.text: a window holds numbers and categories, no text",
            "bad.yaml:1:94: dataset.missing: with a window, a row left out would be a hole in the series; expected error, mean or indicator",
        ],
    ),
    "strata of a regression": (
        "dataset: {kind: table, path: a.csv, target: y, task: regression, split: stratified, class_weights: balanced}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:73: dataset.split: stratified needs classes, and this is a regression",
            "bad.yaml:1:100: dataset.class_weights: a regression has no classes; expected none",
        ],
    ),
    "classes of two columns": (
        "dataset: {kind: table, path: a.csv, target: [y, z], task: classification}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:59: dataset.task: classes are of one target column; several are numbers: train one after the "
            "other, each with the others in exclude, or set task: regression for 0 and 1"
        ],
    ),
    "a table without its keys": (
        "dataset: {kind: table}\nmodel: {kind: mlp}\n",
        [
            "bad.yaml:1:1: dataset.path: required key is missing",
            "bad.yaml:1:1: dataset.target: required key is missing",
        ],
    ),
}
