"""Renders the pages that follow from the specs and the code, and finds what formats hold and lack."""
