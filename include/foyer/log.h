/* The event log: one JSON line per event, `DIR/log/foyer.log` (or standard error before it is open).
 *
 *     fy_log(ctx, FY_LOG_INFO, "account.confirmed", FY_KV("account", account_id), FY_KV("by", method));
 *
 * Values may be integers, booleans, C strings and slices. Text about persons and secrets have types of
 * their own (slice.h) that FY_KV does not accept: handing one over is a compile error. Log what
 * happened, by ids, not who they are. Lines are buffered and written at the end of the loop's turn. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/slice.h"

struct fy_ctx;

enum fy_log_level { FY_LOG_DEBUG, FY_LOG_INFO, FY_LOG_WARN, FY_LOG_ERROR };

struct fy_kv {
	const char *key;
	enum { FY_KV_INT, FY_KV_UINT, FY_KV_BOOL, FY_KV_TEXT } kind;
	union {
		int64_t i;
		uint64_t u;
		bool b;
		struct fy_slice s;
	};
};

static inline struct fy_kv fy_kv_i(const char *k, int64_t v)
{
	return (struct fy_kv){ k, FY_KV_INT, { .i = v } };
}
static inline struct fy_kv fy_kv_u(const char *k, uint64_t v)
{
	return (struct fy_kv){ k, FY_KV_UINT, { .u = v } };
}
static inline struct fy_kv fy_kv_b(const char *k, bool v)
{
	return (struct fy_kv){ k, FY_KV_BOOL, { .b = v } };
}
static inline struct fy_kv fy_kv_s(const char *k, struct fy_slice v)
{
	return (struct fy_kv){ k, FY_KV_TEXT, { .s = v } };
}
static inline struct fy_kv fy_kv_c(const char *k, const char *v)
{
	return fy_kv_s(k, fy_str(v));
}

/* No `default`: a type that is not listed does not compile. */
#define FY_KV(key, value) \
	_Generic((value), bool: fy_kv_b, int: fy_kv_i, long: fy_kv_i, long long: fy_kv_i, short: fy_kv_i,  \
		unsigned: fy_kv_u, unsigned long: fy_kv_u, unsigned long long: fy_kv_u,                    \
		unsigned short: fy_kv_u, unsigned char: fy_kv_u, char *: fy_kv_c, const char *: fy_kv_c,   \
		struct fy_slice: fy_kv_s)((key), (value))

/* ctx may be NULL; otherwise its request id joins the line. */
#define fy_log(ctx, level, event, ...)                                                                  \
	do {                                                                                            \
		if ((level) >= fy_log_threshold)                                                        \
			fy_log_write((ctx), (level), (event),                                           \
				     (const struct fy_kv[]){ { .key = NULL }, ##__VA_ARGS__ },          \
				     sizeof((const struct fy_kv[]){ { .key = NULL }, ##__VA_ARGS__ }) / \
					     sizeof(struct fy_kv));                                     \
	} while (0)

extern enum fy_log_level fy_log_threshold;
void fy_log_write(const struct fy_ctx *ctx, enum fy_log_level level, const char *event, const struct fy_kv *kv,
		  size_t count);

/* A log file that many processes append to and that may be renamed away at any time.
 * Each writer holds a shared flock on the file it has open; a rotator that renamed the file and then
 * gets the exclusive lock on it knows that no writer is left. Lines reach the file whole: one write
 * with O_APPEND carries all lines of a turn. */
struct fy_logfile;
struct fy_logfile *fy_logfile_open(const char *path, int *ret_err);
void fy_logfile_close(struct fy_logfile *file);
void fy_logfile_line(struct fy_logfile *file, struct fy_slice line); /* adds the newline */
void fy_logfile_flush(struct fy_logfile *file); /* also notices, once a second, that it was renamed */
void fy_logfile_reopen(struct fy_logfile *file);
uint64_t fy_logfile_lost(const struct fy_logfile *file); /* lines dropped because the disk refused them */

/* Sends the event log to `file` (NULL: standard error again). */
void fy_log_to(struct fy_logfile *file, enum fy_log_level threshold);
