"""Commands of a checkout: `python -m tools.NAME`; see `medxfer/commands/`."""
