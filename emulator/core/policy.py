"""Policy: the rules in which controllers, and the documents about them, differ.

A manifest's `[policy]` sets them by name; what it leaves out is the dialect's preset, and a preset leaves what the Job
Control Profile says. docs/job-service.md tells where each choice comes from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What differs from one controller to the next."""

    max_jobs: int = 256
    """How many jobs are kept, finished ones among them."""
    auto_delete_at_percent: int = 50
    """Finished jobs are deleted only while at least this share of `max_jobs` is used; 0: always."""
    delete_on_completion_minutes: int = 2880
    """How long a finished job is kept once that share is reached."""
    full_store: str = "drop_completed"
    """What a full store does with one more job: "drop_completed" lets the job go that completed first, and refuses
    where none has; "refuse" always refuses."""
    unqueued_jobs: str = "next_restart"
    """What becomes of a job that nobody puts into a queue, once it is validated or downloaded. "next_restart": it stays
    as it is, and the host's next restart takes it along; "hold": restarts pass it by; "schedule": the service schedules
    it."""
    cancel_running: str = "undo"
    """Deleting a job at work: "undo" drops the steps to come and takes back the ones done (Job Control Profile 6.5);
    "refuse" is what shipping firmware does."""
    completed_with_errors: str = "bios_and_nic"
    """Which configuration jobs may end Completed with Errors: "bios_and_nic" (Job Control Profile 6.8.1), or "all";
    those that may not fail as soon as one of their steps does."""
    graceful_wait_minutes: float = 10
    """How long a graceful reboot job waits for the host to shut down."""
    reset_makes_reboot_job: bool = False
    """True: ComputerSystem.Reset leaves a reboot job behind, as some firmware does."""
    apply_staged_on_reset: bool = False
    """True: values staged without a job are applied at the next POST all the same, by a job the service makes.
    False: they wait until somebody makes a job for them, as on a lifecycle controller."""
    recurring_job_ids: str = "auto"
    """How recurring jobs are numbered: "auto" is `Auto` and eight hexadecimal digits; "jid" is as all other jobs."""
    create_job_status: int = 200
    """How POST of a job is answered: 200 with messages, or 201 with the job itself."""
    immediate_start_time: str = "moment"
    """StartTime of a DellJob that has no start time: "moment" of its creation, or the word "TIME_NOW"."""
    never_ran: str = "null"
    """ActualRunningStartTime of a DellJob that has not run: "null" or "zero"."""
    unfinished_task_status: int = 200
    """Status of GET of an unfinished Task: 200, as every resource; or 202, as shipping firmware answers, which has some
    clients wait there."""
    failed_task_monitor: str = "error"
    """What a task monitor says in the end of an operation that failed: "error" is 400 with what went wrong (DSP0266);
    "task" is 200 with the task, which some clients look for at the place where they have waited."""
    retry_after_seconds: int = 0
    """Retry-After of every 202, in seconds; 0: none, because there is no form of it that every client can read."""
    max_log_entries: int = 10_000
    """How many entries the lifecycle log keeps; the oldest goes first."""
    max_events: int = 10_000
    """How many events are kept for subscribers that have not been sent them yet; the oldest goes first."""
    max_subscriptions: int = 64
    """How many subscriptions to events there may be, besides those of open streams."""
    delivery_retry_attempts: int = 3
    """How often the delivery of an event is tried again (EventService.DeliveryRetryAttempts), until somebody says."""
    delivery_retry_seconds: int = 30
    """The interval between attempts (EventService.DeliveryRetryIntervalSeconds), until somebody says."""

    max_accounts: int = 16
    """How many accounts there can be. A tree whose accounts are numbered slots has as many as it has slots."""
    max_roles: int = 16
    """How many roles there can be besides the predefined ones."""
    max_sessions: int = 1_000
    """How many log-ins may be open at once."""

    @property
    def auto_delete_threshold(self) -> int:
        """The number of jobs from which finished ones are deleted in time."""
        return max(1, self.max_jobs * self.auto_delete_at_percent // 100)
