"""What operators are told when something ails the deployment: in words, with the way to where one acts."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from kernel.app.nodes import Beating
from kernel.testing.box import Box
from plugins.console.testing import Browser

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


@pytest.fixture
def home(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    settings = box.deployment.settings
    own = structs.replace(settings, home=str(tmp_path), database_url=settings.url)
    monkeypatch.setattr(box.deployment, "settings", own)
    return tmp_path


@pytest.mark.usefixtures("home")
async def test_a_process_that_was_killed_is_named_on_the_page(box: Box) -> None:
    await Beating(box.deployment, "server").beat()
    box.clock.pass_by(minutes=1)
    page = await Browser(box, "operator").get("/operating")
    assert page.status == 200
    assert "Silent: it was killed, hangs, or cannot write below home." in page.text
