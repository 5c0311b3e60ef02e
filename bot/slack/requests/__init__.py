"""One delivery as a request: its context, its typed arguments, its acknowledgement and its answer."""
