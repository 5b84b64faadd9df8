"""Why an image cannot be had, kept or unpacked."""


class ImageFailed(Exception):
    """The text says what is wrong."""


class BadImage(ImageFailed):
    """The image is damaged, or was made to do harm."""


class Unsupported(ImageFailed):
    """A kind of manifest, layer or compression that is not for us."""
