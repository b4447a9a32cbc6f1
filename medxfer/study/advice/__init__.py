"""Which layers to fine-tune for these images: many runs within a budget."""
