"""The pages and the platform's own HTTP interface."""
