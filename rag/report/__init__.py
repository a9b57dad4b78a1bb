"""The report on a pilot that a board decides on: what it says, its drawings, HTML and PDF."""
