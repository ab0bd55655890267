"""Sums of money that cannot break a page: exact as far as a column of 64 bits reaches, and its largest number beyond.

A price may be absurd, and SQLite answers a sum beyond 64 bits with an error, Postgres with a number that no column of
ours takes. Tokens of a call are bounded long before (routing/buckets.py), so their sums need no such care.
"""

from typing import Any, Final

from django.db.models import Sum

MOST: Final = 2**63 - 1
LOW: Final = 2**32 - 1  # the lower half of a number


class WholeSum(Sum):
    """A sum of whole numbers that stops at `MOST`."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Sum upper and lower halves apart: neither can overflow with fewer than two thousand million rows."""
        column, values = compiler.compile(self.get_source_expressions()[0])
        low = f"SUM({column} & {LOW})"
        high = f"(SUM({column} >> 32) + ({low} >> 32))"
        whole = f"CASE WHEN {high} >= {2**31} THEN {MOST} ELSE ({high} << 32) + ({low} & {LOW}) END"
        return whole, (*values,) * 5

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        """Cut what Postgres sums without a limit. Not by LEAST, for which a sum of nothing would be the largest one."""
        whole, values = self.as_sql(compiler, connection, **context)
        return f"CASE WHEN {whole} > {MOST} THEN {MOST} ELSE {whole} END", (*values, *values)


def of(name: str, **options: Any) -> Sum:
    """Return the sum of a column: of money as above, of anything else the database's own."""
    return WholeSum(name, **options) if name == "cost_nano" else Sum(name, **options)
