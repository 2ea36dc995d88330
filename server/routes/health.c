/* Is the process alive, can it do its work, and in numbers. */
#include <sys/statvfs.h>

#include "protocol/json_writer.h"
#include "server/auth/hasher.h"
#include "server/http/conn.h"
#include "server/http/request.h"
#include "server/routes/tables.h"
#include "storage/db.h"
#include "storage/redis.h"

#define DISK_MIN_BYTES ((uint64_t)64 << 20)

/* Alive: no I/O, nothing but this answer. */
fy_async static int healthz(struct fy_req *req)
{
	return fy_reply(req, 200, FY_LIT("application/json"), FY_LIT("{\"status\":\"ok\"}"));
}

static bool disk_has_room(const struct fy_config *config)
{
	struct statvfs fs;
	return statvfs(config->log_directory.ptr, &fs) != 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= DISK_MIN_BYTES;
}

static void put(struct fy_json *json, const char *name, bool up)
{
	fy_json_put_str(json, name, up ? FY_LIT("ok") : FY_LIT("away"));
}

/* The clients know by themselves whether they are connected, so this asks nobody and answers at once. */
fy_async static int readyz(struct fy_req *req)
{
	struct fy_db_status db;
	struct fy_redis_status redis;
	struct fy_buf out;
	struct fy_json json;
	fy_db_status(req->app->db, &db);
	fy_redis_status(req->app->redis, &redis);
	bool disk = disk_has_room(req->app->config);
	bool ready = db.up && redis.up && disk && !req->app->draining;
	fy_buf_init(&out, &req->arena, 2048);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_str(&json, "status", ready ? FY_LIT("ok") : FY_LIT("unavailable"));
	fy_json_put_object(&json, "components");
	fy_json_put_str(&json, "mariadb",
			db.up                ? FY_LIT("ok")
			: db.schema_mismatch ? FY_LIT("schema")
					     : FY_LIT("away"));
	put(&json, "redis", redis.up);
	fy_json_put_str(&json, "disk", disk ? FY_LIT("ok") : FY_LIT("full"));
	fy_json_put_str(&json, "process", req->app->draining ? FY_LIT("draining") : FY_LIT("ok"));
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	if (!ready)
		fy_header(req, "Retry-After", FY_LIT("2"));
	return fy_reply_json(req, ready ? 200 : 503, &out);
}

static void metric(struct fy_buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	fy_buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
		   (unsigned long long)value);
}

/* Of the worker that answers; a scraper that wants all sums over time. */
fy_async static int metrics(struct fy_req *req)
{
	const struct fy_http *http = req->conn ? req->conn->http : NULL;
	struct fy_db_status db;
	struct fy_redis_status redis;
	struct fy_hasher_stats hasher;
	struct fy_sched_stats sched;
	struct fy_buf out;
	fy_db_status(req->app->db, &db);
	fy_redis_status(req->app->redis, &redis);
	fy_hasher_stats(req->app->hasher, &hasher);
	fy_sched_stats(&sched);
	fy_buf_init(&out, &req->arena, 16384);
	fy_buf_put(&out,
		   FY_LIT("# HELP foyer_build_info Version of the running binary.\n# TYPE foyer_build_info gauge\n"
			  "foyer_build_info{version=\"" FOYER_VERSION "\"} 1\n"));
	if (http) {
		fy_buf_put(
			&out,
			FY_LIT("# HELP foyer_http_requests_total Responses by status class.\n# TYPE foyer_http_requests_total counter\n"));
		for (int i = 1; i < 6; i++)
			fy_buf_fmt(&out, "foyer_http_requests_total{code=\"%dxx\"} %llu\n", i,
				   (unsigned long long)http->responses[i]);
		metric(&out, "foyer_http_connections", "gauge", "Open client connections.", http->open);
		metric(&out, "foyer_http_refused_total", "counter",
		       "Requests and connections refused before a handler.", http->refused);
	}
	metric(&out, "foyer_fibers", "gauge", "Live fibers.", sched.live);
	metric(&out, "foyer_db_pool_connections", "gauge", "Usable connections to MariaDB.", db.connections);
	metric(&out, "foyer_db_executions_total", "counter", "Statements that went to MariaDB.", db.executions);
	metric(&out, "foyer_redis_up", "gauge", "Whether Redis is connected.", redis.up);
	metric(&out, "foyer_redis_commands_total", "counter", "Commands sent to Redis.", redis.commands);
	metric(&out, "foyer_password_hashes_total", "counter", "Argon2id hashes computed.", hasher.hashed);
	metric(&out, "foyer_password_hashes_waiting", "gauge", "Hashes waiting for a thread.", hasher.waiting);
	return fy_reply(req, 200, FY_LIT("text/plain; version=0.0.4; charset=utf-8"), fy_buf_slice(&out));
}

const struct fy_route fy_health_routes[] = {
	{ FY_GET, "/healthz", healthz, .access = FY_ACCESS_PROBE, .api = true },
	{ FY_GET, "/readyz", readyz, .access = FY_ACCESS_PROBE, .api = true },
	{ FY_GET, "/metrics", metrics, .access = FY_ACCESS_OPERATOR, .api = true },
};
const unsigned fy_health_route_count = sizeof fy_health_routes / sizeof fy_health_routes[0];
