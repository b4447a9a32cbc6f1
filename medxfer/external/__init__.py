"""External validation: a trained network on labelled images from elsewhere."""
