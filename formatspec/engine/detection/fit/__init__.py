"""How well the files of a tree fit what a spec describes."""
