"""Logistic regression to the optimum, for many penalties at once."""

from __future__ import annotations

from bench.logistic.path import Fit, LogisticPath

__all__ = ["Fit", "LogisticPath"]
