"""The venue's protobuf messages: schemas written from the protocol reference, and their generated modules.

Used by the adapter (`mexc_sniper.venues.mexc`) and by the simulator (`mexc_sim`). Regenerate with ``make proto``.
"""

from mexc_proto import private_pb2 as private
from mexc_proto import public_pb2 as public
from mexc_proto.wrapper_pb2 import PushDataV3ApiWrapper

__all__ = ["PushDataV3ApiWrapper", "private", "public"]
