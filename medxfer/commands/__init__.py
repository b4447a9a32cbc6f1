"""Commands: flags in, one call, files out. `medxfer NAME` runs each."""
