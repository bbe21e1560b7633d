"""Categories, which form a tree, and brands."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from msgspec import UnsetType

from kernel.db import new_id
from kernel.errors import AlreadyExists, NotFound
from kernel.work import Work
from plugins.catalog.errors import CategoryCircle
from plugins.catalog.models import Brand, Category
from plugins.catalog.rules.goods import ids_on, path_below
from plugins.catalog.schemas.goods import BrandIn, BrandPatch, CategoryIn, CategoryPatch
from plugins.catalog.services.common import locked


async def add_category(work: Work, data: CategoryIn) -> Category:
    """Add a category. Raises NotFound for a parent that does not exist, AlreadyExists for one below itself."""
    parent = await _parent(work, data.parent_id)
    id_ = data.id or new_id()
    if parent is not None and parent.id == id_:
        raise AlreadyExists("There is a category with this id")
    row = Category(
        id=id_,
        name=data.name,
        parent_id=data.parent_id,
        path=path_below(parent.path if parent else None, id_),
        version=1,
    )
    work.session.add(row)
    await work.session.flush()
    work.audit(subject=f"category:{id_}")
    return row


async def change_category(work: Work, id_: UUID, patch: CategoryPatch) -> Category:
    """Rename a category or move it with all below it. Raises CategoryCircle where it would stand below itself."""
    if not isinstance(patch.parent_id, UnsetType):
        await _hold_tree(work)
    row = await locked(work, Category, id_)
    work.check_version(row.version)
    if isinstance(patch.name, str):
        row.name = patch.name
    if not isinstance(patch.parent_id, UnsetType):
        await _move(work, row, patch.parent_id)
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"category:{id_}")
    return row


async def add_brand(work: Work, data: BrandIn) -> Brand:
    """Add a brand; its name is unique in the business."""
    row = Brand(id=data.id or new_id(), name=data.name, version=1)
    work.session.add(row)
    await work.session.flush()
    work.audit(subject=f"brand:{row.id}")
    return row


async def change_brand(work: Work, id_: UUID, patch: BrandPatch) -> Brand:
    """Rename a brand."""
    row = await locked(work, Brand, id_)
    work.check_version(row.version)
    if isinstance(patch.name, str):
        row.name = patch.name
    row.version += 1
    await work.session.flush()
    work.audit(subject=f"brand:{id_}")
    return row


async def _parent(work: Work, id_: UUID | None) -> Category | None:
    """The parent, held, so that it does not move while something is put below it."""
    if id_ is None:
        return None
    found = await work.session.get(Category, (work.business_id, id_), with_for_update={"key_share": True})
    if found is None:
        raise NotFound.at("/parent_id", "There is no such category")
    return found


async def _hold_tree(work: Work) -> None:
    """Hold every category, in one order: what others put below one on the move must be seen, and moved with it."""
    await work.execute(
        sa.select(Category.id)
        .where(Category.business_id == work.business_id)
        .order_by(Category.id)
        .with_for_update(key_share=True)
    )


async def _move(work: Work, row: Category, parent_id: UUID | None) -> None:
    parent = await _parent(work, parent_id)
    if parent is not None and row.id in ids_on(parent.path):
        raise CategoryCircle
    before, after = row.path, path_below(parent.path if parent else None, row.id)
    row.parent_id, row.path = parent_id, after
    await work.execute(
        sa.update(Category)
        .where(Category.business_id == work.business_id, Category.path.like(f"{before}/%"))
        .values(path=sa.literal(after) + sa.func.substr(Category.path, len(before) + 1))
    )
