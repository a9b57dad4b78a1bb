"""A server that is started with few open files allows itself more."""

import subprocess
import sys

SCRIPT = """
import resource
from runtime.open_files import allow_connections
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
allowed = allow_connections()
same = allowed == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
print(same, allowed > 256, allow_connections() == allowed)
"""


def test_the_limit_is_raised_as_far_as_it_may_be() -> None:
    """Systems begin with 1,024, which a thousand streams would use up."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True", "True"], done.stderr
