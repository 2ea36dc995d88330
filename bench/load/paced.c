/* Sends GETs at a fixed rate, whatever the server does, and says how late the answers were.
 *     paced HOST PORT PATH RATE SECONDS COOKIE_FILE
 * Each request has its moment on a timetable. Latency runs from that moment to the end of the answer, also when the
 * request could not be sent at once because every connection was busy, so a stall counts for all that it delayed and
 * not for one. A request without an answer five seconds after the last moment counts as that late, and in "late"; a
 * lost connection or an answer other than 200 in "errors". One line of JSON on standard output. Called by
 * bench/run only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define COOKIES_MAX 4096
#define GRACE_NS 5000000000ull

struct connection {
	int fd;            /* -1: lost */
	int64_t request;   /* index of what it waits for; -1: free */
	size_t have, want; /* bytes of the answer so far, and in all once the head is here */
	char answer[16384];
};

static struct connection connections[CONNECTIONS];
static char *requests[COOKIES_MAX];
static int request_count;
static uint64_t *late_ns; /* by request; 0: no answer yet */
static int64_t total, sent, answered;
static uint64_t begin_ns, step_ns;
static int errors, late;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void finish(struct connection *c, int bad)
{
	late_ns[c->request] = now_ns() - (begin_ns + (uint64_t)c->request * step_ns);
	answered++;
	errors += bad;
	c->request = -1;
}

static void lose(struct connection *c)
{
	if (c->request >= 0)
		finish(c, 1);
	close(c->fd);
	c->fd = -1;
}

/* Sends what is due, as far as connections are free. */
static void send_due(void)
{
	for (int i = 0; i < CONNECTIONS && sent < total; i++) {
		struct connection *c = &connections[i];
		const char *text = requests[sent % request_count];

		if (begin_ns + (uint64_t)sent * step_ns > now_ns())
			return;
		if (c->fd < 0 || c->request >= 0)
			continue;
		c->request = sent++;
		c->have = c->want = 0;
		if (write(c->fd, text, strlen(text)) != (ssize_t)strlen(text))
			lose(c);
	}
}

static void receive(struct connection *c)
{
	ssize_t n = read(c->fd, c->answer + c->have, sizeof(c->answer) - 1 - c->have);
	char *end, *length;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || c->request < 0) {
		lose(c);
		return;
	}
	c->have += (size_t)n;
	c->answer[c->have] = 0;
	if (c->want == 0 && (end = strstr(c->answer, "\r\n\r\n")) != NULL) {
		length = strcasestr(c->answer, "\r\ncontent-length:");
		if (length != NULL && length < end)
			c->want = (size_t)(end + 4 - c->answer) + strtoul(length + 17, NULL, 10);
		else if (strcasestr(c->answer, "\r\ntransfer-encoding: chunked") == NULL)
			lose(c);
	}
	/* An answer in chunks is complete when its last, empty one is here; there are no trailers. */
	if (c->fd >= 0 && ((c->want && c->have >= c->want) ||
			   (!c->want && c->have > 5 && strcmp(c->answer + c->have - 5, "0\r\n\r\n") == 0)))
		finish(c, strncmp(c->answer, "HTTP/1.1 200", 12) != 0);
	else if (c->fd >= 0 && c->have == sizeof(c->answer) - 1)
		lose(c);
}

static int read_cookies(const char *file, const char *host, const char *port, const char *path)
{
	char line[4096];
	FILE *f = fopen(file, "r");

	while (f != NULL && request_count < COOKIES_MAX && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (asprintf(&requests[request_count++], "GET %s HTTP/1.1\r\nHost: %s:%s\r\nCookie: %s\r\n\r\n", path,
			     host, port, line) < 0)
			return -1;
	}
	if (f != NULL)
		fclose(f);
	return request_count > 0 ? 0 : -1;
}

static int open_connections(int poll_fd, const struct sockaddr_in *to)
{
	int one = 1;

	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &connections[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

		c->request = -1;
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)to, sizeof(*to)) != 0)
			return -1;
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
	}
	return 0;
}

static void run(int poll_fd)
{
	struct itimerspec tick = { .it_value.tv_nsec = 1 };
	struct epoll_event events[CONNECTIONS];
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct epoll_event timer_event = { .events = EPOLLIN, .data.ptr = NULL };
	uint64_t end_ns = begin_ns + (uint64_t)total * step_ns + GRACE_NS, ticks;

	tick.it_interval.tv_sec = (time_t)(step_ns / 1000000000u);
	tick.it_interval.tv_nsec = (long)(step_ns % 1000000000u);
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer, &timer_event);
	timerfd_settime(timer, 0, &tick, NULL);
	while (answered < total && now_ns() < end_ns) {
		int n = epoll_wait(poll_fd, events, CONNECTIONS, 1000);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				receive(events[i].data.ptr);
			else if (read(timer, &ticks, sizeof(ticks)) < 0)
				continue;
		}
		send_due();
	}
	for (int64_t i = 0; i < total; i++)
		if (late_ns[i] == 0) {
			late_ns[i] = now_ns() - (begin_ns + (uint64_t)i * step_ns);
			late++;
		}
	close(timer);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double percentile_ms(double p)
{
	int64_t at = (int64_t)((double)total * p);

	return (double)late_ns[at < total ? at : total - 1] / 1e6;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	double rate, seconds;
	int poll_fd;

	if (argc != 7 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (rate = atof(argv[4])) <= 0 ||
	    (seconds = atof(argv[5])) <= 0 || read_cookies(argv[6], argv[1], argv[2], argv[3]) != 0) {
		fprintf(stderr, "usage: paced HOST PORT PATH RATE SECONDS COOKIE_FILE\n");
		return 2;
	}
	/* Loads are for this machine only. */
	if ((ntohl(to.sin_addr.s_addr) >> 24) != 127) {
		fprintf(stderr, "paced: %s is not a loopback address\n", argv[1]);
		return 2;
	}
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	total = (int64_t)(rate * seconds);
	step_ns = (uint64_t)(1e9 / rate);
	late_ns = calloc((size_t)total, sizeof(*late_ns));
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (total <= 0 || late_ns == NULL || open_connections(poll_fd, &to) != 0) {
		fprintf(stderr, "paced: cannot connect: %s\n", strerror(errno));
		return 1;
	}
	begin_ns = now_ns();
	run(poll_fd);
	qsort(late_ns, (size_t)total, sizeof(*late_ns), compare);
	printf("{\"requests\":%lld,\"seconds\":%.6f,\"errors\":%d,\"late\":%d,\"p50_ms\":%.4f,\"p90_ms\":%.4f,\"p99_ms\":%.4f,"
	       "\"max_ms\":%.4f}\n",
	       (long long)total, seconds, errors, late, percentile_ms(0.5), percentile_ms(0.9), percentile_ms(0.99),
	       percentile_ms(1));
	return 0;
}
