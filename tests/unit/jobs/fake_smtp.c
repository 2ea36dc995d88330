/* The SMTP server of the tests (fake_smtp.h). One thread for listening, one for each connection. */
#include "tests/unit/jobs/fake_smtp.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foyer/buf.h"
#include "foyer/require.h"

#define CONNECTIONS_MAX 256

struct fake_smtp {
	int listener;
	char url[64];
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_t peers[CONNECTIONS_MAX];
	unsigned connections, accepted;
	enum fake_mood mood;
	bool stopping;
	struct fy_buf received;
};

struct peer {
	struct fake_smtp *fake;
	int fd;
	char buf[8192];
	size_t at, len;
};

static bool stopping(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	bool answer = fake->stopping;
	pthread_mutex_unlock(&fake->mutex);
	return answer;
}

static enum fake_mood mood_of(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	enum fake_mood mood = fake->mood;
	pthread_mutex_unlock(&fake->mutex);
	return mood;
}

static bool readable(struct fake_smtp *fake, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (!stopping(fake)) {
		if (poll(&poll_fd, 1, 20) > 0)
			return true;
	}
	return false;
}

static bool read_line(struct peer *peer, char *line, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		if (peer->at == peer->len) {
			if (!readable(peer->fake, peer->fd))
				return false;
			ssize_t got = read(peer->fd, peer->buf, sizeof peer->buf);
			if (got <= 0)
				return false;
			peer->at = 0;
			peer->len = (size_t)got;
		}
		line[len++] = peer->buf[peer->at++];
		if (line[len - 1] == '\n')
			break;
	}
	line[len] = '\0';
	pthread_mutex_lock(&peer->fake->mutex);
	fy_buf_put(&peer->fake->received, fy_slice(line, len));
	pthread_mutex_unlock(&peer->fake->mutex);
	return true;
}

static void say(struct peer *peer, const char *reply)
{
	if (write(peer->fd, reply, strlen(reply)) < 0)
		return;
}

/* Nothing more is said; ends with the peer or the test. */
static void fall_silent(struct peer *peer)
{
	char line[2048];

	while (read_line(peer, line, sizeof line))
		;
}

static bool is(const char *line, const char *verb)
{
	return strncasecmp(line, verb, strlen(verb)) == 0;
}

/* False: the connection is over. */
static bool take_data(struct peer *peer, enum fake_mood mood)
{
	char line[2048];

	if (mood == FAKE_HANGS_UP_AT_DATA)
		return false;
	say(peer, "354 go on\r\n");
	do {
		if (!read_line(peer, line, sizeof line))
			return false;
	} while (strcmp(line, ".\r\n") != 0);
	if (mood == FAKE_SILENT_AFTER_DATA) {
		fall_silent(peer);
		return false;
	}
	if (mood == FAKE_554_AFTER_DATA || mood == FAKE_451_AFTER_DATA) {
		say(peer, mood == FAKE_554_AFTER_DATA ? "554 5.7.1 not wanted\r\n" : "451 4.3.0 later\r\n");
		return true;
	}
	pthread_mutex_lock(&peer->fake->mutex);
	peer->fake->accepted++;
	pthread_mutex_unlock(&peer->fake->mutex);
	say(peer, "250 2.0.0 taken\r\n");
	return true;
}

static void serve(struct peer *peer)
{
	enum fake_mood mood = mood_of(peer->fake);
	char line[2048];

	if (mood == FAKE_SILENT) {
		fall_silent(peer);
		return;
	}
	say(peer, mood == FAKE_554_GREETING ? "554 no service here\r\n" : "220 fake ESMTP\r\n");
	while (read_line(peer, line, sizeof line)) {
		mood = mood_of(peer->fake);
		if (is(line, "EHLO")) {
			say(peer, "250-fake\r\n250-SIZE 1000000\r\n250 AUTH PLAIN\r\n");
		} else if (is(line, "AUTH")) {
			say(peer, "334 \r\n");
			if (!read_line(peer, line, sizeof line))
				return;
			say(peer, mood == FAKE_535_AT_AUTH ? "535 5.7.8 no\r\n" : "235 2.7.0 yes\r\n");
		} else if (is(line, "MAIL")) {
			say(peer, mood == FAKE_530_AT_MAIL ? "530 5.7.0 sign in first\r\n" : "250 ok\r\n");
		} else if (is(line, "RCPT")) {
			say(peer, mood == FAKE_550_AT_RCPT       ? "550 5.1.1 <secret@example.org> is unknown\r\n"
				  : mood == FAKE_451_AT_RCPT     ? "451 4.7.1 greylisted\r\n"
				  : mood == FAKE_450_THEN_SILENT ? "450 4.2.1 busy\r\n"
								 : "250 ok\r\n");
			if (mood == FAKE_450_THEN_SILENT) {
				fall_silent(peer);
				return;
			}
		} else if (is(line, "DATA")) {
			if (!take_data(peer, mood))
				return;
		} else if (is(line, "QUIT")) {
			say(peer, "221 bye\r\n");
			return;
		} else {
			say(peer, "250 ok\r\n");
		}
	}
}

static void *peer_main(void *arg)
{
	struct peer *peer = arg;

	serve(peer);
	close(peer->fd);
	free(peer);
	return NULL;
}

static void *listen_main(void *arg)
{
	struct fake_smtp *fake = arg;

	while (readable(fake, fake->listener)) {
		struct peer *peer = calloc(1, sizeof *peer);
		FY_REQUIRE(peer != NULL);
		peer->fake = fake;
		peer->fd = accept(fake->listener, NULL, NULL);
		if (peer->fd < 0) {
			free(peer);
			continue;
		}
		pthread_mutex_lock(&fake->mutex);
		FY_REQUIRE(fake->connections < CONNECTIONS_MAX);
		FY_REQUIRE(pthread_create(&fake->peers[fake->connections++], NULL, peer_main, peer) == 0);
		pthread_mutex_unlock(&fake->mutex);
	}
	return NULL;
}

struct fake_smtp *fake_smtp_start(enum fake_mood mood)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	struct fake_smtp *fake = calloc(1, sizeof *fake);

	FY_REQUIRE(fake != NULL);
	fake->mood = mood;
	fy_buf_init(&fake->received, NULL, (size_t)16 << 20);
	pthread_mutex_init(&fake->mutex, NULL);
	fake->listener = socket(AF_INET, SOCK_STREAM, 0);
	FY_REQUIRE(fake->listener >= 0 && bind(fake->listener, (struct sockaddr *)&addr, len) == 0);
	FY_REQUIRE(listen(fake->listener, 64) == 0 && getsockname(fake->listener, (struct sockaddr *)&addr, &len) == 0);
	snprintf(fake->url, sizeof fake->url, "smtp://127.0.0.1:%u", ntohs(addr.sin_port));
	FY_REQUIRE(pthread_create(&fake->thread, NULL, listen_main, fake) == 0);
	return fake;
}

void fake_smtp_stop(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	fake->stopping = true;
	pthread_mutex_unlock(&fake->mutex);
	pthread_join(fake->thread, NULL);
	for (unsigned i = 0; i < fake->connections; i++)
		pthread_join(fake->peers[i], NULL);
	close(fake->listener);
	fy_buf_finish(&fake->received);
	pthread_mutex_destroy(&fake->mutex);
	free(fake);
}

void fake_smtp_mood(struct fake_smtp *fake, enum fake_mood mood)
{
	pthread_mutex_lock(&fake->mutex);
	fake->mood = mood;
	pthread_mutex_unlock(&fake->mutex);
}

const char *fake_smtp_url(const struct fake_smtp *fake)
{
	return fake->url;
}

unsigned fake_smtp_connections(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	unsigned count = fake->connections;
	pthread_mutex_unlock(&fake->mutex);
	return count;
}

unsigned fake_smtp_accepted(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	unsigned count = fake->accepted;
	pthread_mutex_unlock(&fake->mutex);
	return count;
}

char *fake_smtp_dialogue(struct fake_smtp *fake)
{
	pthread_mutex_lock(&fake->mutex);
	char *text = strndup(fake->received.ptr ? fake->received.ptr : "", fake->received.len);
	pthread_mutex_unlock(&fake->mutex);
	return text;
}

unsigned fake_smtp_commands(struct fake_smtp *fake, const char *verb)
{
	char *text = fake_smtp_dialogue(fake);
	unsigned count = 0;

	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		count += is(line, verb);
	free(text);
	return count;
}
