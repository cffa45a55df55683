"""Column types as the migrations write them down; frozen with the first revision, apart from `tables` on purpose."""

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy.dialects.postgresql import TEXT as PG_TEXT
from sqlalchemy.types import TypeEngine

INT64: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
KEY: TypeEngine[str] = Text().with_variant(PG_TEXT(collation="C"), "postgresql")
