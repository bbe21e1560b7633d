"""Tax numbers by region."""

from __future__ import annotations

import pytest

from kernel.tax_numbers import WrongTaxNumber, number_of, tax_number


@pytest.mark.parametrize(
    ("text", "region", "kept"),
    [
        ("P051365947M", "KE", "P051365947M"),
        ("a004416331m", "KE", "A004416331M"),
        ("27AAPFU0939F1ZV", "IN", "27AAPFU0939F1ZV"),
        ("GB 980 7806 84", "GB", "980780684"),
        ("100-123-456", "TZ", "100123456"),
        ("000111111", "RW", "000111111"),
        ("12-3456789", "US", "12-3456789"),
    ],
)
def test_a_tax_number_is_kept_in_its_plain_form(text: str, region: str, kept: str) -> None:
    assert tax_number(text, region) == kept


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("27AAPFU0939F1ZO", "IN"),
        ("P05136594M", "KE"),
        ("Z051365947M", "KE"),
        ("P051365947M", "IN"),
        ("GB 980 7806 85", "GB"),
        ("10012345", "TZ"),
        ("1001234567", "RW"),
        ("TIN 100123456", "TZ"),
    ],
)
def test_a_tax_number_of_another_kind_or_with_a_wrong_check_digit_is_refused(text: str, region: str) -> None:
    with pytest.raises(WrongTaxNumber, match=f"not a valid {number_of(region).name}; one looks like") as refused:
        tax_number(text, region)
    assert text not in str(refused.value)


@pytest.mark.parametrize("region", ["KE", "IN", "GB", "TZ", "RW"])
def test_the_example_of_a_region_could_exist(region: str) -> None:
    example = number_of(region).example
    assert tax_number(example, region) == example
