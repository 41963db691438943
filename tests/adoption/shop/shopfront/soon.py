"""As in the settings, with less waiting: for tests of real processes."""

from shopfront.settings import *  # noqa: F403

MESSAGING_NOTIFY_DELAY_SECONDS = 2
MESSAGING_NOTIFY_CAP_SECONDS = 4
NOTIFICATIONS_CONNECTED_LOOK_AGAIN_SECONDS = 1
