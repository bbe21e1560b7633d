"""The kit for gateways: a gateway that can do everything passes each case, and each broken twin of it fails one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import kernel
from kernel.registry import Registry
from kernel.settings import Settings
from plugins.payments.testing.kit import GatewaySuite, Stage, a_stage
from plugins.payments.testing.toy_box import with_toy
from plugins.payments.tests import broken_gateways as broken
from plugins.payments.tests.able_gateway import Able

TWINS: dict[type[Able], str] = {
    broken.BelievesEverybody: "test_19_a_forged_notice_at_the_right_path",
    broken.LooksAtNoSignature: "test_11_to_14_a_notice_that_is_not_what_was_signed",
    broken.SignsAgain: "test_11_to_14_a_notice_that_is_not_what_was_signed",
    broken.KnowsOneSecret: "test_15_the_secret_changes",
    broken.ForgetsNoSecret: "test_15_the_secret_changes",
    broken.HasNoClock: "test_16_a_notice_was_signed_long_ago_or_will_be",
    broken.LooksAtNoMode: "test_22_word_of_another_mode",
    broken.TakesNewWordsForMoney: "test_47_a_word_that_nobody_knows_moves_no_money",
    broken.TakesTextsForNoAmount: "test_26_an_amount_is_the_same_however_it_is_written",
    broken.CountsEvents: "test_07_the_same_money_is_told_as_several_events",
    broken.CountsRefundsByEvent: "test_59_money_is_given_back_on_the_providers_pages",
    broken.AsksTwice: "test_30_31_33_it_is_done_and_nobody_hears",
    broken.IsSure: "test_30_31_33_it_is_done_and_nobody_hears",
    broken.SaysItOtherwise: "test_35_36_a_request_is_told_again_after_a_process_died",
    broken.TakesErrorsForAnswers: "test_32_a_good_answer_says_that_it_is_not_taken_on",
    broken.TakesUnknownForFailed: "test_43_the_provider_does_not_know_it_yet",
    broken.GivesBackTwice: "test_56_it_goes_back_and_nobody_hears",
    broken.KeepsItsToken: "test_37_its_token_is_worth_nothing_any_more",
    broken.EverybodyFetches: "test_38_many_want_a_token_at_once",
    broken.StumblesOverJunk: "test_48_whatever_is_changed_in_a_notice_it_is_read_without_a_fault",
    broken.GoesWhereItIsSent: "test_78_it_is_led_to_another_host",
    broken.NumbersItsLines: "test_69_71_72_a_statement_is_fetched_in_windows_that_overlap",
    broken.LogsItsKey: "test_01_a_payment_is_made_and_its_notice_comes",
    broken.TellsPhones: "test_01_a_payment_is_made_and_its_notice_comes",
}
"""A gateway with a fault → the case that must fail with it."""
ABLE = Able()


@pytest.fixture(scope="module")
def able_registry(registry: Registry) -> Registry:
    """Every plugin that is installed, and one that offers the gateway."""
    return with_toy(registry, ABLE)


class Cases(GatewaySuite):
    plugin = "toy"

    @pytest_asyncio.fixture
    async def stage(self, box_settings: Settings, able_registry: Registry) -> AsyncIterator[Stage]:
        async with a_stage(box_settings, able_registry, self.plugin) as made:
            yield made


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestAble(Cases):
    pass


@pytest.mark.prove
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestAbleOnPostgres(Cases):
    askers = 50


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("twin", "case"), TWINS.items(), ids=lambda one: getattr(one, "__name__", None))
async def test_a_gateway_with_a_fault_fails_the_case_that_is_about_it(
    twin: type[Able], case: str, box_settings: Settings, able_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ABLE, "__class__", twin)
    with pytest.raises((AssertionError, TypeError, LookupError)):
        async with a_stage(box_settings, able_registry, "toy") as stage:
            await getattr(Cases(), case)(stage)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_gateway_whose_provider_signs_nothing_passes_what_its_twin_fails(
    box_settings: Settings, able_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ABLE, "__class__", broken.Unsigned)
    async with a_stage(box_settings, able_registry, "toy") as stage:
        await Cases().test_19_a_forged_notice_at_the_right_path(stage)


def test_the_page_tells_of_every_case_and_of_the_tests_that_hold_it() -> None:
    root = Path(kernel.__file__).parents[1]
    rows = re.findall(r"^\| (\d+) \|.*?\| (.+?) \|.*\|$", (root / "docs/plugins/gateways.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 81))
    ours = [name for name in dir(GatewaySuite) if name.startswith("test_")]
    texts = [
        path.read_text()
        for part in ("payments", "gateways_mpesa", "reconciliation")
        for path in root.glob(f"plugins/{part}/tests/*.py")
    ]
    held: set[str] = set()
    for number, told in rows:
        for name in re.findall(r"`(test_\w+)`", told):
            found = [one for one in ours if one == name or one.startswith(f"{name}_")]
            assert found or any(f"def {name}(" in text for text in texts), (number, name)
            held |= set(found)
    assert held == set(ours)
