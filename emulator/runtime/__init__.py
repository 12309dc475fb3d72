"""One turn at a time: lock, settle, act, project, save, publish."""
