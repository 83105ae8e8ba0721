"""The folders of the reference data, and the format of each."""

from __future__ import annotations

REFERENCE = {
    "ade20k-real": "ade20k2020",
    "labelme-real/annotated": "labelme",
    "labelme-real/voc": "voc",
    "toy/ade20k2017_dataset/dataset": "ade20k2017",
    "toy/ade20k2017_dataset/dataset_with_meta_file": "ade20k2017",
    "toy/ade20k2020_dataset/dataset": "ade20k2020",
    "toy/ade20k2020_dataset/dataset_with_meta_file": "ade20k2020",
    "toy/celeba_dataset/dataset": "celeba",
    "toy/celeba_dataset/dataset_with_meta_file": "celeba",
    "toy/cityscapes_dataset/dataset": "cityscapes",
    "toy/cityscapes_dataset/train_dataset": "cityscapes",
    "toy/coco_dataset/coco_instances": "coco",
    "toy/coco_dataset/coco_panoptic": "coco_panoptic",
    "toy/coco_dataset/coco_person_keypoints": "coco",
    "toy/cvat_dataset/for_images/export_project": "cvat_images",
    "toy/cvat_dataset/for_images/export_task": "cvat_images",
    "toy/icdar_dataset/text_localization": "icdar_text_localization",
    "toy/imagenet_dataset": "imagenet",
    "toy/kitti_dataset/kitti_segmentation": "kitti_segmentation",
    "toy/labelme_dataset": "labelme_xml",
    "toy/mapillary_vistas_dataset": "mapillary_vistas",
    "toy/mot_dataset/mot_seq": "mot_seq",
    "toy/open_images_dataset/v6": "open_images",
    "toy/voc_dataset/voc_dataset1": "voc",
    "toy/widerface_dataset": "wider_face",
    "toy/yolo_dataset/strict": "yolo",
}
