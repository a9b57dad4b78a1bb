"""Who may do what, what happened, and what is approved; the only package that speaks SQL."""
