"""What the checklists of journals ask for."""
