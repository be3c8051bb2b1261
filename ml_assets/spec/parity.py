"""How the online store is compared with the offline one."""

from pydantic import Field

from ml_assets.spec.base import Spec


class Parity(Spec):
    """After each window entities are drawn at random, and their online values compared with the offline ones."""

    entities: int = Field(100, ge=0, description="Entities drawn of each feature view; 0 compares none.", examples=[50])
    seed: int = Field(0, ge=0, description="Seed of the draw; each window draws others.", examples=[2013])
