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
