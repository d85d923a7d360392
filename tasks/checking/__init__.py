"""Checks of a task: of its text and metadata (no data needed), of its data, and of a run on it.

Each check is a function that yields findings. An *error* makes scores wrong or impossible, a *warning* makes them
doubtful, a *note* is worth knowing. They exist because published benchmarks were scored for years with empty, doubled
or misplaced class names.
"""

from tasks.checking.data import check_data
from tasks.checking.findings import Finding
from tasks.checking.model import check_model
from tasks.checking.order import check_order
from tasks.checking.text import check_text

__all__ = ["Finding", "check_data", "check_model", "check_order", "check_text"]
