"""Settings of the report that cannot be used."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from demand.errors import DataError
from demand.report import ReportSpec
from demand.report.parts import Table


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"audience": "press"}, "audience"),
        ({"languages": ["fr"]}, "languages"),
        ({"languages": []}, "languages"),
        ({"languages": ["cy", "cy"]}, "languages must hold each language once"),
        ({"languages": ["en", "en"]}, "each language once"),
        ({"names_in": {"fr": {}}}, "names_in"),
        ({"audiance": "public"}, "audiance"),
    ],
)
def test_what_is_not_known_is_refused_by_name(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        ReportSpec.model_validate(settings)


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    with pytest.raises(DataError, match="do not fit its 2 columns"):
        Table("Two columns", ("a", "b"), (("1", "2"), ("3",)))
