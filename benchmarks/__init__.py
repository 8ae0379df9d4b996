"""nnintro beside its peers: the same work, one run, one table.  See benchmarks/README.md."""
