"""The marketplace's pages and sockets with a bug in them."""

from marketplace.asgi import application
from tests.faults.planted import plant_chosen

plant_chosen()

__all__ = ["application"]
