"""Words that name folders and files of many formats, and so tell none of them."""

from __future__ import annotations

SUBSETS = frozenset(
    {"train", "training", "val", "valid", "validation", "test", "testing", "dev", "trainval", "minival", "query"}
    | {"gallery"}
)
"""Words that name parts of a dataset."""
CONTAINERS = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpegimages", "label", "labels"}
    | {"mask", "masks", "annotation", "annotations", "annot", "annots", "ann", "anns", "gt", "groundtruth"}
    | {"data", "dataset", "clip", "clips", "video", "videos", "seq", "sequence", "sequences", "frame", "frames"}
    | {"thumb", "thumbs", "thumbnail", "thumbnails"}
)
"""Words that name folders, or files, by what they hold."""
PICTURES = frozenset(
    {"rgb", "depth", "seg", "semseg", "semantic", "instance", "instances", "segmentation", "segmentations", "pngimages"}
)
"""Words that name folders of images by what they show of a scene."""
NUMBERED = frozenset(
    {"image", "img", "frame", "video", "clip", "seq", "sequence", "cam", "camera", "patch", "part", "batch", "shard"}
    | {"chunk", "fold", "split", "folder", "step", "scene"}
)
"""Words that, with a number behind, name one of several folders that hold alike things: `image_2`, `patch16`."""
