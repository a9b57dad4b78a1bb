"""What holds for every test: nothing is measured by the clock, on machines that others use too."""

from hypothesis import settings

settings.register_profile("lamplight", deadline=None)
settings.load_profile("lamplight")
