"""The web: how routes are declared, the gate before them, problem documents, and the OpenAPI document of a business."""

from kernel.web.by_day import table_by_day
from kernel.web.decode import convert
from kernel.web.exports import TABLE_TYPES, TableKind, as_table, csv_line, gathered, json_line, table_line
from kernel.web.gate import Gate
from kernel.web.languages import Languages
from kernel.web.listing import Listing, make_cursor, page, read_cursor, sorting
from kernel.web.perform import Scene, Visit, perform
from kernel.web.problems import Problem, as_duka_error, problem
from kernel.web.routes import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, TILL, Route, command, flow, query, stream
from kernel.web.sentences import Sentences
from kernel.web.shaping import Include
from kernel.web.sites import ApiAnswer, Asked, Given, PassOn, Site, digest_of_scripts
from kernel.web.streams import Watch
from kernel.web.uploads import Takes, TakesRaw

__all__ = [
    "IN_PERSON",
    "OPERATOR",
    "PUBLIC",
    "SIGNED_IN",
    "TABLE_TYPES",
    "TILL",
    "ApiAnswer",
    "Asked",
    "Gate",
    "Given",
    "Include",
    "Languages",
    "Listing",
    "PassOn",
    "Problem",
    "Route",
    "Scene",
    "Sentences",
    "Site",
    "TableKind",
    "Takes",
    "TakesRaw",
    "Visit",
    "Watch",
    "as_duka_error",
    "as_table",
    "command",
    "convert",
    "csv_line",
    "digest_of_scripts",
    "flow",
    "gathered",
    "json_line",
    "make_cursor",
    "page",
    "perform",
    "problem",
    "query",
    "read_cursor",
    "sorting",
    "stream",
    "table_by_day",
    "table_line",
]
