"""Words in names of folders and files of many formats, which therefore identify none."""

from __future__ import annotations

SUBSETS = frozenset(
    {"train", "training", "val", "valid", "validation", "test", "testing", "dev", "trainval", "minival", "query"}
    | {"gallery"}
)
"""Words for parts of a dataset."""
CONTAINERS = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpegimages", "label", "labels"}
    | {"mask", "masks", "annotation", "annotations", "annot", "annots", "ann", "anns", "gt", "groundtruth"}
    | {"data", "dataset", "clip", "clips", "video", "videos", "seq", "sequence", "sequences", "frame", "frames"}
    | {"thumb", "thumbs", "thumbnail", "thumbnails"}
)
"""Words for folders or files by their content."""
PICTURES = frozenset(
    {"rgb", "depth", "seg", "semseg", "semantic", "instance", "instances", "segmentation", "segmentations", "pngimages"}
)
"""Words for folders of images by what they show of a scene."""
NUMBERED = frozenset(
    {"image", "img", "frame", "video", "clip", "seq", "sequence", "cam", "camera", "patch", "part", "batch", "shard"}
    | {"chunk", "fold", "split", "folder", "step", "scene"}
)
"""Words that, with a number after them, name one of several similar folders: `image_2`, `patch16`."""
