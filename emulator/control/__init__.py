"""/jobfish/v1: the test author's face: the clock and the planned faults."""
