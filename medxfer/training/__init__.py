"""Training: state, compiled steps, the loop, checkpoints."""
