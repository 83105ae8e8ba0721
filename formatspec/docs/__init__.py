"""The pages that follow from the specs and the code, and what they say: what a format holds, and what it cannot."""
