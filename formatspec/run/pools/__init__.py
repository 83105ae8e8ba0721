"""Pools that run shards of items: this process, several processes, or a cluster."""
