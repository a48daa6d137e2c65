"""In which order the scenes are played: what others rest on first, what may drive a device away last."""
from econduit_terminal.sandbox.certify import (
    scenes_cloud,
    scenes_cloud_beats,
    scenes_cloud_sales,
    scenes_connection,
    scenes_display,
    scenes_heartbeat,
    scenes_messages,
    scenes_practice,
    scenes_registration,
    scenes_sales,
)
from econduit_terminal.sandbox.certify.cloud_exam import CloudExam
from econduit_terminal.sandbox.certify.exam import Exam
from econduit_terminal.sandbox.certify.scene import Scene

TERMINAL: tuple[Scene[Exam], ...] = (
    *scenes_registration.SCENES_FIRST, *scenes_sales.SCENES_EARLY, *scenes_connection.SCENES_EARLY,
    *scenes_heartbeat.SCENES, *scenes_sales.SCENES, *scenes_display.SCENES, *scenes_connection.SCENES,
    *scenes_registration.SCENES, *scenes_practice.SCENES, *scenes_messages.LAST, *scenes_connection.LAST,
)
CLOUD: tuple[Scene[CloudExam], ...] = (
    *scenes_cloud.FIRST, *scenes_cloud_beats.SCENES, *scenes_cloud.SCENES, *scenes_cloud_sales.SCENES,
    *scenes_cloud_beats.LAST,
)
