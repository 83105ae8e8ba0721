"""Codecs of keypoints with names."""
