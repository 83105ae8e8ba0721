"""One conversion: what the user asks for, the items written shard by shard, and their images."""
