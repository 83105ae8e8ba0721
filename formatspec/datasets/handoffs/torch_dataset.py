"""A dataset for PyTorch's data loaders: map-style, picklable, with the targets that training code expects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from formatspec.datasets.handoffs.items import ListOfItems
from formatspec.datasets.handoffs.needed import needed
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.model.records import Item, Object

Targets = Literal["torchvision", "annotations"]
Transform = Callable[[Any, Any], tuple[Any, Any]]


class TorchDataset:
    """A map-style dataset: `ds[i]` is an image and its target; each worker of a data loader opens it again."""

    def __init__(
        self, dataset: ListOfItems, targets: Targets, masks: bool, first_class: int, transform: Transform | None
    ) -> None:
        """Take the form of targets; reads no item.

        Args:
            dataset: The items.
            targets: The form of a target.
            masks: Whether targets hold masks, of shape (n, height, width), uint8.
            first_class: The label of the first class.
            transform: Called with each image and its target.
        """
        self.dataset, self.targets, self.masks = dataset, targets, masks
        self.first_class, self.transform = first_class, transform
        self.class_of = {name: place + first_class for place, name in enumerate(dataset.classes)}

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.dataset)

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        """Read the image and the target of one item.

        Args:
            place: The item's place from 0; a negative one counts from the end. `image_id` of the target is the place
                from 0.

        Raises:
            TypeError: `place` is no whole number.
            IndexError: There is no such place.
            ValueError: The item has no image, or is at fault.
        """
        given: object = place
        if not hasattr(given, "__index__"):
            hint = "; take the part first: ds[…].to_torch()" if isinstance(given, slice) else ""
            raise TypeError(f"an item is taken by its place, a whole number, not by {given!r}{hint}")
        item = self.dataset[place]
        place = range(len(self.dataset))[place]
        if item.image is None:
            raise ValueError(f"the item {item.key!r} has no image")
        pixels = item.image.array(3)
        size = pixels.shape[:2]
        image: Any
        target: Any
        if self.targets == "torchvision":
            image = needed("torchvision.tv_tensors", "to_torch").Image(_tensor(pixels))
            target = self._tensors(item, place, size)
        else:
            image, target = _tensor(pixels), list(self._rows(item, place, size))
        return (image, target) if self.transform is None else self.transform(image, target)

    def _taken(self, item: Item) -> list[tuple[Object, int, tuple[float, ...]]]:
        """Return the objects with a class and a box, with both."""
        found = []
        for thing in item.objects:
            box = thing.box
            if thing.category is not None and box is not None:
                found.append((thing, self.class_of[spoken(thing.category)], box))
        return found

    def _tensors(self, item: Item, place: int, size: tuple[int, int]) -> dict[str, Any]:
        torch, tv_tensors = needed("torch", "to_torch"), needed("torchvision.tv_tensors", "to_torch")
        taken = self._taken(item)
        corners = [[x, y, x + width, y + height] for _, _, (x, y, width, height) in taken]
        boxes = torch.tensor(corners, dtype=torch.float32).reshape(-1, 4)
        target = {
            "image_id": place,
            "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=size),
            "labels": torch.tensor([number for _, number, _ in taken], dtype=torch.int64),
            "area": torch.tensor([thing.area or 0.0 for thing, _, _ in taken], dtype=torch.float32),
            "iscrowd": torch.tensor([thing.single is False for thing, _, _ in taken], dtype=torch.int64),
        }
        if self.masks:
            shown = torch.zeros((len(taken), *size), dtype=torch.uint8)
            for number, (thing, _, _) in enumerate(taken):
                mask = thing.mask(size)
                if mask is not None:
                    shown[number] = torch.from_numpy(mask)
            target["masks"] = tv_tensors.Mask(shown)
        return target

    def _rows(self, item: Item, place: int, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
        for number, (thing, label, box) in enumerate(self._taken(item)):
            shape: Any = [list(ring) for ring in thing.polygons]
            if thing.region is not None:
                shape = {"size": list(size), "counts": thing.region.counts()}
            yield {
                "id": thing.id if thing.id is not None else number, "image_id": place, "category_id": label,
                "bbox": list(box), "area": thing.area, "iscrowd": int(thing.single is False), "segmentation": shape,
            }  # fmt: skip


def _tensor(pixels: Any) -> Any:
    """Return pixels (height, width, 3) as a tensor (3, height, width) of uint8."""
    return needed("torch", "to_torch").from_numpy(pixels.transpose(2, 0, 1).copy())


def to_torch(
    dataset: ListOfItems, targets: Targets = "torchvision", *, masks: bool = False, first_class: int = 0,
    transform: Transform | None = None,
) -> TorchDataset:  # fmt: skip
    """A map-style dataset of PyTorch.

    dataset: As `open` gives it, or a part of one.
    targets: `torchvision` gives images and boxes as `tv_tensors`, so that transforms change both, with `labels`, `area`
    and `iscrowd`; `annotations` gives a tensor (3, height, width) of uint8 and a list of a dict for each object: `bbox`
    as x, y, width, height, `category_id`, `area`, `iscrowd`, and `segmentation` as rings or as run lengths.
    masks: With `torchvision`, the masks of all objects of an image too, which are dense there.
    first_class: The number of the first class; 1 where a model keeps 0 for the background.
    transform: Takes an image and its target and gives both. Objects without a class or a box are left out.

    Raises MissingLibraryError where torch, or torchvision, is not installed, and ValueError for other targets.
    """
    if targets not in ("torchvision", "annotations"):
        raise ValueError(f"targets is 'torchvision' or 'annotations', not {targets!r}")
    needed("torch", "to_torch")
    if targets == "torchvision":
        needed("torchvision.tv_tensors", "to_torch")
    return TorchDataset(dataset, targets, masks, first_class, transform)
