"""Throughput of medxfer beside what a user would take instead.

__main__    the command: flags, rounds, table, file of results
setting     what one subject is asked to do
process     a subject in a process of its own, and how it is asked
subject     that process: reads a setting, repeats its work, tells seconds
work        what a framework hands to that process
ours        the work in medxfer
torch_peer  the work in PyTorch
keras_peer  the work in Keras, on TensorFlow or JAX
flops       the operations of an image, and the rate of plain products
table       medians, ratios and their spread
"""
