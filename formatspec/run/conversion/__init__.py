"""One conversion: what is asked of it, its items written shard by shard, its images brought over."""
