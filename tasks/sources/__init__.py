"""Readers: each `from_...` returns a function split -> `Records`, for the `load` field of a Task.

`from_torchvision` and `from_layout` published layouts, `from_folder` one folder a class, `from_table` CSV or Parquet,
`from_huggingface` hub repositories, `from_webdataset` tar shards, `first_of` several in order. Published data is
looked for in `data_root()`: `$BENCH_DATA`, else `~/.cache/bench/data`. Nothing here runs code that comes with data:
pickles are read by an unpickler that admits arrays only, archives are never unpacked.
"""

from tasks.sources.choice import at_hand, first_of, where
from tasks.sources.folder import from_folder
from tasks.sources.hub import from_huggingface
from tasks.sources.layouts import from_layout, from_torchvision
from tasks.sources.places import NotAtHandError, data_root, offline, resolve
from tasks.sources.shards import from_webdataset
from tasks.sources.table import from_table

__all__ = [
    "NotAtHandError",
    "at_hand",
    "data_root",
    "first_of",
    "from_folder",
    "from_huggingface",
    "from_layout",
    "from_table",
    "from_torchvision",
    "from_webdataset",
    "offline",
    "resolve",
    "where",
]
