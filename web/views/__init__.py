"""The pages: one file per family."""
