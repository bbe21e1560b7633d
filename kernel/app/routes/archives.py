"""What the deployment has about the person who asks."""

from __future__ import annotations

import uuid

from kernel.auth.accounts.erasing import USER, businesses_of
from kernel.personal import archive
from kernel.web import IN_PERSON, Scene, flow
from kernel.web.exports import gathered
from kernel.wire import Download
from kernel.work import Work


@flow("GET", "/me/personal-data", permission=IN_PERSON)
async def export_me(scene: Scene) -> Download:
    """Everything stored about you: your account, your sign-ins, and what you did in each business you work for."""
    user_id = scene.standing.actor.id
    assert user_id is not None  # noqa: S101 - only people sign in

    async def note(work: Work) -> list[uuid.UUID]:
        work.audit(subject=f"user:{user_id}")
        return await businesses_of(work, user_id)

    businesses = await scene.deed(note)
    file = await gathered(archive(scene.deployment, USER, user_id, businesses))
    return Download(file, "application/json", "personal-data.json")
