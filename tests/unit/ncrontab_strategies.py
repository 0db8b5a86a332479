"""Random NCRONTAB expressions for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from webjobs.ncrontab.fields import FIELDS, Field


def _items(field: Field) -> st.SearchStrategy[str]:
    value = st.integers(field.minimum, field.maximum)
    step = st.integers(1, 12)
    return st.one_of(
        value.map(str),
        st.tuples(value, value).map(lambda pair: f"{pair[0]}-{pair[1]}"),
        step.map(lambda n: f"*/{n}"),
        st.tuples(value, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.tuples(value, value, step).map(lambda three: f"{three[0]}-{three[1]}/{three[2]}"),
    )


def fields(field: Field) -> st.SearchStrategy[str]:
    """Texts of one field: `*`, one item, or a short list."""
    lists = st.lists(_items(field), min_size=1, max_size=3).map(",".join)
    return st.just("*") | lists


EXPRESSIONS = st.tuples(*(fields(field) for field in FIELDS)).map(" ".join)
