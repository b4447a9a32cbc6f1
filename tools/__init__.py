"""Launchers of single jobs: flags in, one call, files out."""
