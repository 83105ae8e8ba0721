"""Questions about rules that several readers, writers and checks ask, each answered in one place."""
