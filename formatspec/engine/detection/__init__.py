"""Detection: which spec describes a tree, and what speaks against the other specs."""
