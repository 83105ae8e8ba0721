"""Text templates that are both matched and rendered, and the trees of files that they describe."""
