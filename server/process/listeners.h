/* The listening sockets: bound once by the supervisor, inherited by every worker.
 * Each worker has a TCP socket of its own on the same address (SO_REUSEPORT), so that the kernel spreads
 * connections evenly and no worker is woken for another's; a unix socket is shared. Accepting is left to the
 * workers. Called by the supervisor only. */
#pragma once

#include <stdbool.h>

#include "foyer/config.h"
#include "server/config/address.h"
#include "server/worker.h"

struct fy_listener {
	enum fy_listener_kind kind;
	char *wanted;                     /* as the settings write it */
	struct fy_listen_address address; /* with the port that the kernel gave */
	int *fds;                         /* one a worker; one in all for a unix socket */
	unsigned count;
};

struct fy_listeners {
	struct fy_listener *items;
	unsigned count;
};

/* Opens what the settings name for `workers` workers. What `old` (may be NULL) has open already is taken over
 * by duplicating, so both sets can be closed on their own. On failure nothing stays open, and one sentence is in
 * `ret_why` (512 bytes). In embedded mode an admin listener that cannot be had is left out: then 0, ret_soft,
 * and the sentence. */
int fy_listeners_open(const struct fy_config *config, unsigned workers, const struct fy_listeners *old,
		      struct fy_listeners *ret_listeners, bool *ret_soft, char *ret_why);

/* `keep` (may be NULL): unix sockets that it has too are not removed from the file system. */
void fy_listeners_close(struct fy_listeners *listeners, const struct fy_listeners *keep);

/* The socket of worker `index`. */
int fy_listener_fd(const struct fy_listener *listener, unsigned index);

/* While a worker is kept waiting, its sockets leave the group, so that the kernel gives their share to the
 * others instead of letting clients hang; and come back. */
void fy_listeners_pause(struct fy_listeners *listeners, unsigned index);
void fy_listeners_resume(struct fy_listeners *listeners, unsigned index);

/* "http://127.0.0.1:8080" of the first listener that visitors use. `ret` holds 192 bytes. */
void fy_listeners_origin(const struct fy_listeners *listeners, char ret[192]);
