"""Throughput of medxfer beside other frameworks; see `medxfer/bench/`."""
