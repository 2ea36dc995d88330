/* Error codes: every function that can fail returns 0 or one of these, negative.
 * libuv's codes (negative too, all above -5000) fit in beside them. One table in server/http turns
 * codes into answers; nobody else decides on a status. */
#pragma once

#define FY_ERRORS(X)                                                       \
	X(INVALID, -20001, "the input is not valid")                       \
	X(NOT_FOUND, -20002, "there is no such thing")                     \
	X(UNAUTHENTICATED, -20003, "nobody is signed in")                  \
	X(DENIED, -20004, "not allowed")                                   \
	X(CONFLICT, -20005, "it exists already, or has changed meanwhile") \
	X(EXPIRED, -20006, "it has expired")                               \
	X(LIMITED, -20007, "too many attempts")                            \
	X(BUSY, -20008, "a queue is full")                                 \
	X(TIMEOUT, -20009, "the deadline has passed")                      \
	X(CANCELLED, -20010, "cancelled")                                  \
	X(DB_DOWN, -20011, "MariaDB is away")                              \
	X(REDIS_DOWN, -20012, "Redis is away")                             \
	X(TOO_LARGE, -20013, "a size limit is exceeded")                   \
	X(PROTOCOL, -20014, "the peer broke the protocol")                 \
	X(IO, -20015, "input or output failed")                            \
	X(NOMEM, -20016, "out of memory")                                  \
	X(INTERNAL, -20017, "an internal error")                           \
	X(CONFIG, -20018, "the configuration is wrong")                    \
	X(SCHEMA, -20019, "the database schema does not fit")              \
	X(STALE_FORM, -20020, "the form is no longer valid")               \
	X(UNSUPPORTED, -20021, "not supported")                            \
	X(EXISTS, -20022, "it is there already")                           \
	X(UNREADABLE, -20023, "a sealed value does not open")

enum fy_err {
	FY_OK = 0,
#define FY_ERR_ENUM(name, code, text) FY_ERR_##name = code,
	FY_ERRORS(FY_ERR_ENUM)
#undef FY_ERR_ENUM
};

/* A short English sentence for logs and the command line; static storage. Knows libuv's codes. */
const char *fy_strerror(int err);
