"""Things happen at their time although nobody looks."""

from __future__ import annotations

import threading


def test_a_job_runs_to_its_end_without_being_polled(make_bmc, tmp_path):
    bmc = make_bmc(clock="real", rate=3600, state=tmp_path)
    seat = bmc.service.fleet.seat(1)
    quiet, inner = threading.Event(), bmc.service.fleet.on_turn

    def listen(told_seat, due):
        inner(told_seat, due)
        if told_seat.machine.next_due() is None and told_seat.machine.queue.jobs[job].ended_at:
            quiet.set()

    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    bmc.service.fleet.on_turn = listen
    bmc.reset("PowerCycle")
    assert quiet.wait(30), "the ticker did not finish it"
    found = seat.machine.queue.jobs[job]
    assert found.state.value == "Completed"
    stored = bmc.service.fleet.store.load("1")
    assert stored["job", job]["state"] == "Completed", "and what happened was saved"
    moments = [moment.at for moment in found.history]
    assert moments == sorted(moments)
    assert found.ended_at - found.started_at == 15, "each step at its own due time, not when the ticker came"


def test_a_faster_clock_brings_the_next_thing_nearer(make_bmc):
    bmc = make_bmc(clock="manual")
    done = threading.Event()
    inner = bmc.service.fleet.on_turn

    def listen(seat, due):
        inner(seat, due)
        if seat.machine.next_due() is None:
            done.set()

    bmc.reset("ForceRestart")
    bmc.service.fleet.on_turn = listen
    bmc.post("/jobfish/v1/clock", {"rate": 100_000})
    assert done.wait(30)
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSRunning"
