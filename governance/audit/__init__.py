"""The audit trail: a Merkle log in the record, signed checkpoints, anchors outside the host."""
