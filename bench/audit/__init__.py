"""Audits: how a model behaves when the pictures, the prompts or the people in them change."""
