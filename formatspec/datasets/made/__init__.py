"""Items that a program made or changed, as a dataset that is checked and written like any other."""
