"""Audits: questions asked of what evaluations found; they add rows and never touch a model."""
