"""The SQL of a checkout alone: the statements of bench/by_hand.py, sent by pgbench without Python or HTTP.

A statement a table, prepared. Products and ids are made in the first of them, the read that (b) makes too.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import asyncpg

from bench.as_sql import NewSale, version_7
from bench.by_hand import ONE
from bench.load import Figures, cpu_s
from bench.shape import Shape
from kernel.testing import servers
from kernel.testing.servers import PORT, Postgres

_TO_CHOOSE_FROM = "bench_product"
_STEP = 97
"""Between two products of a cart, by their numbers: a prime, so that they are five different ones."""
_SALE = NewSale(
    id=lambda place: version_7(":t::text", place, ":c::text"),
    product=lambda line: f"(:ids::uuid[])[{line + 1}]",
    key="(:t::text || :c::text)",
)
"""t, c: the time and the rest of its ids; ids: its products. The script's first statement answers them."""


class SqlAlone:
    """The script for a shape, and running it."""

    def __init__(self, server: Postgres, database: str, shape: Shape, home: Path) -> None:
        self.server, self.database, self.home = server, database, home
        self._script = home / "sale.sql"
        self._shape = shape
        self._runs = 0

    async def prepare(self, url: str, products: list[str]) -> None:
        """Number the products, and write the script."""
        connection = await asyncpg.connect(url)
        await connection.execute(f"CREATE TABLE {_TO_CHOOSE_FROM} (n bigint PRIMARY KEY, id uuid NOT NULL)")
        numbered = list(enumerate(map(uuid.UUID, products)))
        await connection.copy_records_to_table(_TO_CHOOSE_FROM, records=numbered)
        await connection.execute(f"ANALYZE {_TO_CHOOSE_FROM}")
        await connection.close()
        self._script.write_text(script(self._shape, len(products)))

    async def run(self, clients: int, seconds: float) -> Figures:
        """Sell for a while. Raises RuntimeError when pgbench stumbles."""
        self._runs += 1
        before, whole = cpu_s(self.server.pid), math.ceil(seconds)
        with tempfile.TemporaryDirectory() as folder:
            known = {"s": int(time.time() * 1000), "run": self._runs}
            told = [part for name, value in known.items() for part in ("-D", f"{name}={value}")]
            place = ["-h", str(self.server.socket_dir), "-p", str(PORT), "-U", "postgres"]
            how = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(whole), "-l"]
            command = [str(pgbench()), *place, *how, *told, "-f", str(self._script), self.database]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"pgbench: {done.stderr}")
            took = sorted(
                int(line.split()[2]) / 1000 for log in Path(folder).iterdir() for line in log.read_text().splitlines()
            )
        cpu = {"postgres": (cpu_s(self.server.pid) - before) / len(took) * 1000}
        return Figures(len(took) / whole, statistics.median(took), took[int(len(took) * 0.99) - 1], 0, cpu, len(took))


def pgbench() -> Path:
    """The program, beside the server's own. Raises RuntimeError when it is not there."""
    found = servers._postgres_binaries() / "pgbench"
    if not os.access(found, os.X_OK):
        raise RuntimeError(f"{found} is not there: name PostgreSQL's folder of programs in POSTGRES_BINDIR")
    return found


def script(shape: Shape, products: int) -> str:
    """What pgbench runs for each sale: variables s (grows by one a sale) and run are given."""
    wanted = len(shape.products)
    chosen = [f"(:p + {place * _STEP}) % {products}" for place in range(wanted)]
    business, location = f"'{shape.business}'::uuid", f"'{shape.location}'::uuid"
    tables = shape.tables.items()
    lines = [
        r"\set s :s + 1",
        rf"\set p random(0, {products - 1})",
        "SELECT array_agg(p.id ORDER BY p.id)::text AS ids, min(p.name) AS name,"
        " lpad(to_hex(:s::bigint), 12, '0') AS t,"
        " lpad(to_hex(:run::bigint * 1000 + :client_id::bigint), 15, '0') AS c"
        f" FROM {_TO_CHOOSE_FROM} b JOIN catalog_product p ON p.business_id = {business} AND p.id = b.id"
        f" WHERE b.n IN ({', '.join(chosen)}) \\gset",
        "BEGIN;",
    ]
    lines += [f"INSERT INTO {table} ({one.names}) VALUES {_SALE.values(shape, table)};" for table, one in tables]
    here = f"business_id = {business} AND location_id = {location}"
    lines += [
        f"SELECT 1 FROM inventory_level WHERE {here} AND product_id = ANY(:ids::uuid[])"
        " ORDER BY product_id FOR NO KEY UPDATE;",
        f"UPDATE inventory_level SET on_hand = on_hand - {ONE} WHERE {here} AND product_id = ANY(:ids::uuid[])"
        f" AND on_hand >= {ONE};",
        f"INSERT INTO kernel_series (business_id, series, last) VALUES ({business}, 'sql-alone', 1)"
        " ON CONFLICT (business_id, series) DO UPDATE SET last = kernel_series.last + 1 RETURNING last \\gset",
        f"UPDATE sales_sale SET number = 'SQL-' || lpad(:last::text, 6, '0') WHERE business_id = {business}"
        f" AND id = {_SALE.id(shape.ids.index(shape.sale))};",
        "COMMIT;",
    ]
    return "\n".join(lines) + "\n"
