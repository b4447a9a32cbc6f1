"""The network: layers, weights, what trains, and the optimizer."""
