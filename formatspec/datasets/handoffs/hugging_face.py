"""A dataset as one of the library `datasets`: images, class labels, objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from formatspec.datasets.handoffs.items import ListOfItems
from formatspec.datasets.handoffs.needed import needed
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model.records import Category


def to_huggingface(dataset: ListOfItems, **how: Any) -> Any:
    """A `datasets.Dataset` with columns key, image, width, height, labels, captions and objects.

    `image` holds the bytes of the image files, `labels` the classes of the whole image; `objects` is a list of `bbox`
    (x, y, width, height in pixels), `category` (-1 where there is none), `area` and `crowd`. Objects without any box
    are left out. how: What else `datasets.Dataset.from_generator` takes, as `cache_dir` or `keep_in_memory`.

    Raises MissingLibraryError where the library is not installed.
    """
    library = needed("datasets", "to_huggingface")
    listed = getattr(library, "List", None) or library.Sequence
    number = library.Value("float64")
    label = library.ClassLabel(names=list(dataset.classes))
    one = {"bbox": listed(number, length=4), "category": label, "area": number, "crowd": library.Value("bool")}
    features = library.Features(
        key=library.Value("string"),
        image=library.Image(),
        width=library.Value("int32"),
        height=library.Value("int32"),
        labels=listed(label),
        captions=listed(library.Value("string")),
        objects=listed(one) if hasattr(library, "List") else [one],
    )
    return library.Dataset.from_generator(_rows, features=features, gen_kwargs={"dataset": dataset}, **how)


def _rows(dataset: ListOfItems) -> Iterator[dict[str, Any]]:
    index = {name: place for place, name in enumerate(dataset.classes)}

    def place(category: Category | None) -> int:
        return -1 if category is None else index.get(spoken(category), -1)

    for item in dataset:
        image = item.image
        shown = None if image is None else {"bytes": image.read(), "path": image.path.rpartition("/")[2]}
        yield {
            "key": item.key, "image": shown, "width": None if image is None else image.width,
            "height": None if image is None else image.height,
            "labels": [place(one.category) for one in item.labels if one.state == "yes"],
            "captions": [one.text for one in item.captions],
            "objects": [
                {"bbox": box, "category": place(thing.category), "area": thing.area, "crowd": thing.single is False}
                for thing in item.objects if (box := thing.box) is not None
            ],
        }  # fmt: skip
