"""Elements of XML that are objects, read by functions generated for what their texts are."""
