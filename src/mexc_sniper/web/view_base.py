"""What every model of the API shares."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Iso = Annotated[str, Field(examples=["2026-11-22T11:30:00.000Z"])]
DecimalText = Annotated[str, Field(examples=["20", "0.0000125"], json_schema_extra={"format": "decimal"})]
"""A decimal as plain text, never with an exponent."""
Mode = Literal["dry-run", "live"]
"""Whose money: ``dry-run`` is the paper account."""


class View(BaseModel):
    """Base: frozen, camelCase on the wire."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)
