"""Puts images where the target expects them: copied, linked or encoded anew."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.files.images import ImageError, transcode, usual_extension
from formatspec.model.records import Item
from formatspec.run.conversion.plan import Media, RefusedError
from formatspec.run.output.staging import Staging


class MediaFiles:
    """Copies or links images, or encodes them anew if the target needs another kind of file."""

    def __init__(self, source: OpenDataset, form: Format, staging: Staging, media: Media, losses: Losses) -> None:
        """Decide whether images are put into the output, and whether documents hold them.

        Args:
            source: The dataset with the images.
            form: The target's layout.
            staging: The output.
            media: Whether images are copied, linked or left out.
            losses: Counts images that are encoded anew or missing.
        """
        self.tree = source.tree
        self.staging = staging
        self.media = media
        self.losses = losses
        self.wanted = IMAGE in form.roles and media != "none"
        self.inside = form.embeds_images
        self.files = 0
        self._seen: set[str] = set()

    def bring(self, item: Item, own: Item) -> None:
        """Put an item's image where the target expects it."""
        if not self.wanted or item.image is None or own.image is None or not item.image.path:
            return
        data = None if self.inside else item.image.data
        if (data is None and not self.tree.exists(item.image.path)) or own.image.path in self._seen:
            return
        self._seen.add(own.image.path)
        self.files += 1
        before, after = (usual_extension(posixpath.splitext(image.path)[1]) for image in (item.image, own.image))
        if before != after or data is not None:
            data = self.tree.read(item.image.path) if data is None else data
            try:
                made = transcode(data, after)
            except ImageError as error:
                raise RefusedError(f"nothing was written: {item.image.path}: {error}") from None
            self.staging.write(own.image.path, made)
            if made is data:
                return
            self.losses.note(f"images encoded anew as {after}", "images")
            return
        self._copy(item.image.path, own.image.path)

    def keep(self, paths: Iterable[str]) -> None:
        """Put files at the paths that they have in the source."""
        for path in paths:
            if path not in self._seen:
                self._seen.add(path)
                self.files += 1
                self._copy(path, path)

    def _copy(self, path: str, own: str) -> None:
        local = self.tree.local(path)
        if local is None:
            self.staging.linked_by_copy += self.media == "link"
            self.staging.write(own, self.tree.read(path))
        elif self.media == "link":
            self.staging.link(Path(local), own)
        else:
            self.staging.copy(Path(local), own)
