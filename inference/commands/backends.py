"""What runs a model's graphs, by the names that commands know it under."""

from inference.errors import InputError
from inference.generate import Backend
from inference.model import Model


def opened(model: Model, backend: str, adapter: str | None) -> tuple[Backend, str]:
    """A model on a backend, and the adapter's name.

    Raises:
        InputError: there is no such adapter.
    """
    if backend == "numpy":
        from inference.reference import Reference

        if adapter is not None:
            raise InputError("the backend numpy has no adapters; leave --adapter out")
        return Reference(model), "numpy"
    from inference.device.device import Device
    from inference.device.runtime import Runtime

    device = Device(backend, adapter)
    return Runtime(model, device), device.name
