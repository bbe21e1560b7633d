"""Portable files: rows as a zip of JSON lines with a manifest, the same from both databases and for both.

A backup holds all businesses, an archive one. `kinds` says how a value is written, `files` writes and reads the zip,
`reading` takes rows out of one snapshot, `loading` puts them into an empty place.
"""

from kernel.app.portable.files import FileFault, Manifest, Reader, TableSaid, Writer, arriving

__all__ = ["FileFault", "Manifest", "Reader", "TableSaid", "Writer", "arriving"]
