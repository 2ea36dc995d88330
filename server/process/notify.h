/* Tells systemd how the service stands, where it asked for that (NOTIFY_SOCKET; sd_notify(3) describes the
 * datagram, which is short enough to need no library). Called by the supervisor. */
#pragma once

/* `state` as in sd_notify(3): "READY=1\nSTATUS=…". Does nothing without NOTIFY_SOCKET. */
void fy_notify(const char *state);

/* RELOADING=1 with the time that Type=notify-reload wants. */
void fy_notify_reloading(void);
