"""Items as pictures: images with what is said of them drawn over them."""
