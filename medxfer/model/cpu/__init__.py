"""CPU kernels: what XLA computes slowly on CPUs."""
