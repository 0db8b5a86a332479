"""The words for what a WebJob, a run and their output can be. Imports nothing of ours.

Status words are Azure's, so that documents and pages show what its users know
(`JobStatus.cs` of Kudu); `Queued`, `Skipped` and `Missed` are ours.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Stream(IntEnum):
    """Where a piece of a log came from; the engine's own lines have three levels."""

    OUT = 0
    ERR = 1
    SYSTEM = 2
    SYSTEM_WARN = 3
    SYSTEM_ERR = 4

    @property
    def is_system(self) -> bool:
        return self >= Stream.SYSTEM


class JobType(StrEnum):
    """The two types of WebJob; the values are Azure's `WEBJOBS_TYPE`."""

    CONTINUOUS = "continuous"
    TRIGGERED = "triggered"


class RunStatus(StrEnum):
    """A run of a triggered WebJob."""

    QUEUED = "Queued"
    INITIALIZING = "Initializing"
    RUNNING = "Running"
    SUCCESS = "Success"
    FAILED = "Failed"
    ABORTED = "Aborted"
    # An occurrence that did not become an execution keeps its place in the history.
    SKIPPED = "Skipped"
    MISSED = "Missed"


RUN_ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.INITIALIZING, RunStatus.RUNNING})
RUN_EXECUTING = frozenset({RunStatus.INITIALIZING, RunStatus.RUNNING})
RUN_FINAL = frozenset(RunStatus) - RUN_ACTIVE


class CopyStatus(StrEnum):
    """The copy of a continuous WebJob on one instance."""

    INITIALIZING = "Initializing"
    STARTING = "Starting"
    RUNNING = "Running"
    PENDING_RESTART = "PendingRestart"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    INACTIVE_INSTANCE = "InactiveInstance"


COPY_ALIVE = frozenset({CopyStatus.STARTING, CopyStatus.RUNNING, CopyStatus.STOPPING})


class Trigger(StrEnum):
    """What asked for a run."""

    MANUAL = "manual"
    API = "api"
    WEBHOOK = "webhook"
    SCHEDULE = "schedule"


class Concurrency(StrEnum):
    """What becomes of a run that is asked for while others of its WebJob are in progress."""

    SKIP = "skip"
    QUEUE = "queue"
    PARALLEL = "parallel"


class RetryOn(StrEnum):
    """What a run is tried again after."""

    FAILURE = "failure"
    LOST = "lost"


class Tier(StrEnum):
    """The pricing tier that an app emulates."""

    FREE = "free"
    SHARED = "shared"
    BASIC = "basic"
    STANDARD = "standard"
    PREMIUM = "premium"

    @property
    def has_always_on(self) -> bool:
        return self not in (Tier.FREE, Tier.SHARED)

    @property
    def has_instances(self) -> bool:
        """Whether its apps run on several instances."""
        return self not in (Tier.FREE, Tier.SHARED)


class AppKind(StrEnum):
    """What an app is; WebJobs run alike in all of them."""

    WEB = "web"
    API = "api"
    MOBILE = "mobile"


class SlotHold(IntEnum):
    """What a swap that is under way keeps from running in its slots."""

    NONE = 0
    RUNS = 1  # No run starts; those in progress go on.
    ALL = 2  # Continuous WebJobs stop too.


class SwapState(StrEnum):
    """How far a swap has come."""

    WAITING = "Waiting"  # for runs in progress
    STOPPING = "Stopping"  # the continuous WebJobs
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


SWAP_ACTIVE = frozenset({SwapState.WAITING, SwapState.STOPPING})


class DeploymentStatus(StrEnum):
    """How far a deployment from source control has come."""

    PENDING = "Pending"
    DEPLOYING = "Deploying"
    SUCCESS = "Success"
    PARTIAL = "Partial"  # Some WebJobs were refused, the others were deployed.
    FAILED = "Failed"


DEPLOYMENT_ACTIVE = frozenset({DeploymentStatus.PENDING, DeploymentStatus.DEPLOYING})


class DeploymentTrigger(StrEnum):
    """What asked for a deployment."""

    MANUAL = "manual"
    POLL = "poll"
    WEBHOOK = "webhook"
    REDEPLOY = "redeploy"
    PUSH = "push"


class Outcome(StrEnum):
    """What a deployment did with one WebJob."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    GONE = "gone"  # No longer in the repository; it stays until somebody deletes it.
