"""Audits: how a model breaks under shift and corruption, and whom it fails."""
