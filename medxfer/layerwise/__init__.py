"""What each layer knows, and how far training has moved it."""
