"""What is wrong in a text that its parser refuses, in words from which the text can be mended."""
