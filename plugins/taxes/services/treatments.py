"""How lines are taxed on a day: the classes of the business with their rates, kept until somebody changes them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec.structs import replace

from kernel.db import Configured, Prepared, Rows, among
from kernel.work import Work
from plugins.taxes.errors import NoRate, UnknownTaxClass
from plugins.taxes.models import TaxClass, TaxRate
from plugins.taxes.rules import adapting
from plugins.taxes.schemas.circumstances import Buyer, Settings, Taxing, Terms
from plugins.taxes.schemas.values import TaxComponent, Treatment
from plugins.taxes.services.packs import pack_of, policy_of

NO_TAX = Treatment(None, "No tax", "out_of_scope", ())
"""Of products without a class where the business has no default."""

_TREATMENTS = Configured(
    sa.select(
        TaxClass.id,
        TaxClass.code,
        TaxClass.name,
        TaxClass.category,
        TaxClass.is_default,
        TaxRate.components,
        TaxRate.codes,
    )
    .outerjoin(
        TaxRate,
        sa.and_(
            TaxRate.business_id == TaxClass.business_id,
            TaxRate.class_id == TaxClass.id,
            TaxRate.region == sa.bindparam("region"),
            TaxRate.valid_from <= sa.bindparam("on"),
            sa.or_(TaxRate.valid_to.is_(None), TaxRate.valid_to >= sa.bindparam("on")),
        ),
    )
    .where(TaxClass.business_id == sa.bindparam("business_id"))
)
_KNOWN = Prepared(
    sa.select(TaxClass.id).where(TaxClass.business_id == sa.bindparam("business_id"), among(TaxClass.id, "class_ids"))
)


async def treatments(
    work: Work, class_ids: Iterable[uuid.UUID | None], on: dt.date
) -> dict[uuid.UUID | None, Treatment]:
    """The treatment of each class on a day, in the shop's region; None stands for the default class.

    Raises NoRate for a taxed class without a rate on that day, UnknownTaxClass for an id that is none.
    """
    known = await work.recall(_TREATMENTS, _by_class, region=work.shop.region, on=on)
    return {key: _treatment(work, key, known, on) for key in set(class_ids)}


async def taxing(
    work: Work,
    class_ids: Iterable[uuid.UUID | None],
    on: dt.date,
    buyer: Buyer | None = None,
    subdivision: str | None = None,
) -> Taxing:
    """How a document of a day is taxed: by its classes, and by who sells to whom and where.

    subdivision: where the shop is, if not where the business is. Without a buyer a passer-by buys. Reads configuration
    only. Raises as `treatments` does; where no tax is charged, no rate is asked for.
    """
    known = await work.recall(_TREATMENTS, _by_class, region=work.shop.region, on=on)
    scheme = adapting.scheme_on((await work.settings(Settings)).registrations, on)
    buyer = buyer or Buyer()
    pack = pack_of(work.shop.region)
    terms = Terms(scheme, adapting.DOCUMENTS[scheme], buyer_tax_number=buyer.tax_number)
    if pack.by_place:
        here = subdivision or work.shop.subdivision
        place = adapting.place_of_supply(buyer, here, pack.number_names_place)
        crosses = adapting.crosses_border(place, here, buyer.own.sez)
        terms = replace(terms, place_of_supply=place, inter_state=crosses, sez=buyer.own.sez)
    found: dict[uuid.UUID | None, Treatment] = {}
    for key in sorted(set(class_ids), key=str):
        if scheme != "registered":
            said = _class(key, known)
            found[key] = adapting.untaxed(said.treatment if isinstance(said, Unrated) else said, scheme)
            continue
        treatment = _treatment(work, key, known, on)
        if treatment.category in adapting.TAXED:
            certificate = adapting.certificate_on(buyer.own.certificates, on, treatment.class_code)
            terms = adapting.used(terms, certificate)
            if certificate is not None:
                treatment = adapting.relieved(treatment, certificate, _codes(known))
        if terms.inter_state:
            treatment = replace(treatment, components=adapting.between(treatment.components, pack.joint))
        elif pack.named_there:
            here_named = adapting.as_named_in(terms.place_of_supply, treatment.components, pack.named_there)
            treatment = replace(treatment, components=here_named)
        found[key] = treatment
    return Taxing(found, policy_of(work), terms)


async def known_classes(work: Work, class_ids: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of these ids are classes of this business."""
    ids = list(set(class_ids))
    if not ids:
        return frozenset()
    return frozenset(row.id for row in await work.fetch(_KNOWN, class_ids=ids))


async def classes_by_code(work: Work) -> dict[str, uuid.UUID]:
    """Every class of the business: code → id."""
    found = await work.execute(sa.select(TaxClass.code, TaxClass.id).where(TaxClass.business_id == work.business_id))
    return {row.code: row.id for row in found.all()}


def read_components(stored: Sequence[Mapping[str, Any]]) -> tuple[TaxComponent, ...]:
    """The components of a rate, as its column holds them."""
    return tuple(
        TaxComponent(
            one["code"],
            one["rate"],
            one["kind"],
            one["amount_micro"],
            one["twin"],
            one.get("included"),
            one.get("affects_base", False),
        )
        for one in stored
    )


class Unrated(NamedTuple):
    """A taxed class that has no rate on the day."""

    treatment: Treatment


_Known = Mapping[uuid.UUID | None, Treatment | Unrated]


def _by_class(rows: Rows) -> _Known:
    """Class → its treatment, marked where it lacks a rate; None stands for the default class."""
    found: dict[uuid.UUID | None, Treatment | Unrated] = {None: NO_TAX}
    for row in rows:
        lacks_rate = row.components is None and row.category in adapting.TAXED
        components = read_components(row.components or ())
        treatment = Treatment(row.id, row.name, row.category, components, row.codes or {}, row.code)
        found[row.id] = Unrated(treatment) if lacks_rate else treatment
        if row.is_default:
            found[None] = found[row.id]
    return found


def _treatment(work: Work, key: uuid.UUID | None, known: _Known, on: dt.date) -> Treatment:
    treatment = _class(key, known)
    if isinstance(treatment, Unrated):
        raise NoRate(treatment.treatment.name, work.shop.region, on)
    return treatment


def _codes(known: _Known) -> dict[str, Mapping[str, str]]:
    """Category → the authorities' words for it, where the classes of the category agree."""
    found: dict[str, Mapping[str, str]] = {}
    agreed: dict[str, bool] = {}
    for one in known.values():
        if isinstance(one, Treatment) and one.codes:
            first = found.setdefault(one.category, one.codes)
            agreed[one.category] = agreed.get(one.category, True) and first == one.codes
    return {category: codes for category, codes in found.items() if agreed[category]}


def _class(key: uuid.UUID | None, known: _Known) -> Treatment | Unrated:
    treatment = known.get(key)
    if treatment is None:
        raise UnknownTaxClass(f"There is no tax class {key}")
    return treatment
