"""Images: tables, splits, decoding, augmentation, phantoms."""
