"""Pictures in and out, in the forms that diffusers takes and gives."""
from . import _arrays
from ._errors import expected, wrong_type

PICTURE = "a PIL image, a numpy array [H, W, 3] or [N, H, W, 3], a torch.Tensor [N, 3, H, W], or a list of them"
MASK = "a PIL image, a numpy array [H, W], or a torch.Tensor [H, W] or [1, 1, H, W]; white (1) is painted anew"


def is_pil(value):
    return hasattr(value, "tobytes") and hasattr(value, "convert") and hasattr(value, "mode")


def is_array(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def pil_parts(image, mode):
    """(width, height, channels, bytes)"""
    plain = image if image.mode == mode else image.convert(mode)
    return plain.width, plain.height, len(mode), plain.tobytes()


def _numpy(where, value, wanted):
    import numpy

    if _arrays.is_torch(value):
        torch = _arrays.torch_or_none()
        value = value.detach().to("cpu", torch.float32 if value.is_floating_point() else value.dtype).numpy()
    if not is_array(value):
        raise wrong_type(where, wanted, value)
    array = numpy.asarray(value)
    if array.dtype != numpy.uint8 and not numpy.issubdtype(array.dtype, numpy.floating):
        raise expected(where, "floating point numbers in 0 to 1, or bytes (uint8)", array.dtype)
    return array


def _planes(where, value):
    """[N, 3, H, W] float32 in 0..1."""
    import numpy

    channels_first = _arrays.is_torch(value)
    array = _numpy(where, value, PICTURE)
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[1 if channels_first else 3] != 3:
        raise expected(where, PICTURE, f"shape {list(array.shape)}")
    array = array.astype(numpy.float32) / (255 if array.dtype == numpy.uint8 else 1)
    if not channels_first:
        array = array.transpose(0, 3, 1, 2)
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if not (low >= -1.01 and high <= 1.01):  # what a network gave may lie beyond the ends by a rounding
        raise expected(where, "floating point numbers in 0 to 1, or bytes (uint8)", f"{low:g} to {high:g}")
    # diffusers: what goes below 0 is in -1..1 already.
    if low < 0:
        array = array / 2 + 0.5
    return numpy.ascontiguousarray(array)


def _pil_planes(where, images, size):
    import numpy
    from PIL import Image

    resized = [image.convert("RGB") if image.size == size else image.convert("RGB").resize(size, Image.LANCZOS) for image in images]
    return _planes(where, numpy.stack([numpy.asarray(image) for image in resized]))


def set_image(request, image, size, scale):
    """`size`: (width, height) or None: the first picture's own, down to multiples of `scale`."""
    if isinstance(image, (list, tuple)):
        if not image:
            raise expected("image", PICTURE, "an empty list")
        if len(image) == 1:
            return set_image(request, image[0], size, scale)
        if all(is_pil(one) for one in image):
            size = size or tuple(side // scale * scale for side in image[0].size)
            return request.set_image_values(_pil_planes("image", image, size))
        import numpy

        planes = [_planes(f"image[{i}]", one) for i, one in enumerate(image)]
        if len({one.shape[1:] for one in planes}) > 1:
            raise expected("image", "pictures of one size", ", ".join(str(list(one.shape)) for one in planes[:4]))
        return request.set_image_values(numpy.concatenate(planes))
    if is_pil(image):
        return request.set_image(*pil_parts(image, "RGB"))
    if not is_array(image):
        raise wrong_type("image", PICTURE, image)
    if not _arrays.is_torch(image) and str(image.dtype) == "uint8" and len(image.shape) == 3 and image.shape[2] == 3:
        return request.set_image(image.shape[1], image.shape[0], 3, image.tobytes())
    return request.set_image_values(_planes("image", image))


def set_mask(request, mask):
    if isinstance(mask, (list, tuple)):
        if len(mask) != 1:
            raise expected("mask_image", "one mask for all pictures", f"{len(mask)} of them")
        mask = mask[0]
    if is_pil(mask):
        return request.set_mask(*pil_parts(mask, "L"))
    array = _numpy("mask_image", mask, MASK)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2:
        raise expected("mask_image", MASK, f"shape {list(array.shape)}")
    half = 127.5 if array.dtype.name == "uint8" else 0.5
    white = (array >= half).astype("uint8") * 255
    return request.set_mask(white.shape[1], white.shape[0], 1, white.tobytes())


def output(drawing, kind):
    """The pictures of a drawing: "pil", "np" [B, H, W, 3] float32 in 0..1, "pt" [B, 3, H, W], "latent" [B, 4, H/8, W/8]."""
    if kind == "latent":
        return _arrays.best(drawing.latents)
    if kind == "pt":
        return _arrays.to_torch(drawing.image)
    if kind == "np":
        import numpy

        return numpy.ascontiguousarray(_arrays.to_numpy(drawing.image).transpose(0, 2, 3, 1))
    from PIL import Image

    return [Image.frombytes("RGB", (width, height), pixels) for width, height, pixels in drawing.pictures]
