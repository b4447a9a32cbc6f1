"""From finished workdirs to tables, figures and one page; floor 5."""
