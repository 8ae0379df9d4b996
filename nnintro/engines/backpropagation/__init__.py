"""Backpropagation written out, layer by layer, and compiled by numba: "how are gradients computed?"

Read it in this order: ``layers`` (one affine layer, forward and backward), ``activations``,
``losses``, ``updates`` (what an optimizer does with a gradient), ``descend`` (all of it in a row),
``together`` (several threads).  Everything works on views of flat arrays, so that one compilation
serves every architecture.

Only ``build``, a process of its own, imports this package's modules, for numba takes half a second
to load; those who train import ``codes``, and load the machine code (``engines.compiled``).
"""
