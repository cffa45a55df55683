"""Running a query on one connection and reading the values out of its rows."""

from typing import Any, TypeVar

from sqlalchemy import Connection, Select

from mexc_sniper.ledger.codec import from_json

T = TypeVar("T")


class Queries:
    """What every view is made of; all of its queries belong to the one transaction of ``connection``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _all(self, rows: Select[str], kind: type[T]) -> list[T]:
        return [from_json(row[0], kind) for row in self._db.execute(rows)]

    def _one(self, rows: Select[str], kind: type[T]) -> T | None:
        body = self._db.execute(rows).scalar()
        return None if body is None else from_json(body, kind)

    def _count(self, rows: Select[Any]) -> int:
        return int(self._db.execute(rows).scalar_one())
