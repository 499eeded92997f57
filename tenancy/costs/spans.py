"""Months, days and hours in UTC, and whole billionths of a dollar. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal

from tenancy.choices import SpendSpan

_NANOS = Decimal(10**9)


def start_of(span: SpendSpan, now: datetime) -> datetime:
    """Return when the span that `now` lies in began."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if span == SpendSpan.HOUR:
        return hour
    return hour.replace(hour=0) if span == SpendSpan.DAY else hour.replace(day=1, hour=0)


def end_of(span: SpendSpan, now: datetime) -> datetime:
    """Return when the span that `now` lies in is over: the start of the next."""
    start = start_of(span, now)
    if span == SpendSpan.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + (timedelta(days=1) if span == SpendSpan.DAY else timedelta(hours=1))


def midnight(day: date) -> datetime:
    """Return the first moment of the day."""
    return datetime.combine(day, time(), UTC)


def last_moment(day: date) -> datetime:
    """Return the last moment of the day, under which what is booked for all of it stands."""
    return midnight(day) + timedelta(days=1, microseconds=-1)


def days_in_month(day: date) -> int:
    return ((day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day


def nanos_of(amount_usd: Decimal) -> int:
    """Return the amount in whole billionths of a dollar, rounded up."""
    return int((amount_usd * _NANOS).to_integral_value(ROUND_UP))


def usd_of(nanos: int) -> Decimal:
    """Return billionths of a dollar as dollars, exactly."""
    return Decimal(nanos).scaleb(-9)
