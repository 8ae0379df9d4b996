"""Compile the kernel: ``python -m nnintro.engines.backpropagation.build TYPE FILE PARENT``.

A process of its own: whoever waits for it can be interrupted, and never loads numba.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path

from nnintro.signals import leave_with

if __name__ == "__main__":  # before anything that takes long: whoever waits may be killed
    threading.Thread(target=leave_with, args=(int(sys.argv[3]),), daemon=True).start()
os.environ["NUMBA_OPT"] = "0"  # whole programs are optimised below, once; not every part for itself

import llvmlite.binding as llvm
import numpy as np
from numba import njit, types

from nnintro.engines.backpropagation.codes import ENTRY
from nnintro.engines.backpropagation.elementary import INSIDE
from nnintro.engines.backpropagation.entry import entry
from nnintro.engines.backpropagation.machine import IS_X86


def machine_code(like: np.floating) -> bytes:
    """An object file with the one function ``codes.ENTRY``, for this processor."""
    kernel = njit(**{**INSIDE, "forceinline": False})(entry(like))
    signature = types.int64(types.int64, types.float64)
    kernel.compile(signature)
    compiled = kernel.overloads[signature.args]
    module = llvm.parse_assembly(uncounted(compiled.library.get_llvm_str()))
    only_entry(module, compiled.fndesc.mangled_name)
    machine = native_machine()
    optimize(module, machine)
    return machine.emit_object(module)


def uncounted(program: str) -> str:
    """The LLVM program without the counting of references: no array in it owns its memory."""
    if "@NRT_MemInfo_alloc" in program or "@NRT_Allocate" in program:
        raise AssertionError("the kernel allocates memory")
    return re.sub(r"^.*\bcall void @NRT_(incref|decref)\(.*$", "", program, flags=re.MULTILINE)


def only_entry(module: llvm.ModuleRef, name: str) -> None:
    """Give the entry its name, and let nothing else be seen from outside: what is unused goes."""
    for value in (*module.functions, *module.global_variables):
        if value.name == name:
            value.name = ENTRY
        elif not value.is_declaration:
            value.linkage = "internal"


def native_machine() -> llvm.TargetMachine:
    """This processor, with all it can do."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # Vectors of 512 bits where there are: LLVM keeps to 256 for the clocks of older processors.
    features = llvm.get_host_cpu_features().flatten() + (",-prefer-256-bit" if IS_X86 else "")
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, codemodel="jitdefault", jit=True
    )


def optimize(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """LLVM's passes of level 3, with loops turned into vector instructions."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    options.loop_interleaving = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(machine_code(np.dtype(sys.argv[1]).type(0)))
