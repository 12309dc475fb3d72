"""The job service itself: pure, so that it can be tested without anything around it, and replayed exactly."""
