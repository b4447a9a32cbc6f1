"""Explanations: Grad-CAM, activations, and pictures of them."""
