"""Files of models are read again every week."""

from datetime import timedelta
from pathlib import Path

import pytest

from governance.record.database import Record
from governance.testing_trail import events_of
from lamplight.scrub import EVERY, Scrub
from lamplight.testing_gate import NOW
from runtime.errors import WrongDigest
from runtime.names import parse_name
from runtime.store import Store
from runtime.testing_catalogue import NAME, makers_in


def test_prv_4_a_flipped_bit_is_found_reported_and_not_loaded(
    tmp_path: Path, record: Record
) -> None:
    """Also where size and times are as they were, and the runtime had checked the file before."""
    import os

    makers = makers_in(tmp_path, NOW)
    model, store = makers.install("You help."), makers.store
    store.verify(model)
    scrub = Scrub(Store(store.models_dir), record, tmp_path)
    scrub.look(NOW)
    status = model.path.stat()
    content = bytearray(model.path.read_bytes())
    content[len(content) // 2] ^= 1
    model.path.write_bytes(content)
    os.utime(model.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    for seconds in range(4):
        scrub.look(NOW + EVERY - timedelta(seconds=10 - seconds))
    assert events_of(record, "model.damaged") == []
    for seconds in range(4):
        scrub.look(NOW + EVERY + timedelta(seconds=seconds))
    [event] = events_of(record, "model.damaged")
    assert event["outcome"] == "failed"
    with pytest.raises(WrongDigest, match="damaged"):
        store.verify(store.read(parse_name(NAME)))
    scrub.look(NOW + EVERY + timedelta(days=1))
    assert len(events_of(record, "model.damaged")) == 1
