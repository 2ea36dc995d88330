/* The documents in a ZIP, by libzip, in memory: compressing has a thread of its own, and documents are read from their
 * streams, so that none of them is ever held as a whole. */
#include <stdlib.h>
#include <zip.h>

#include "foyer/require.h"
#include "server/export/write.h"

#define AT_A_TIME 2 /* in this process: each may hold FY_EXPORT_TEXT_MAX and its ZIP */
#define LEVEL 6     /* zlib's own choice; more takes twice the time for a hundredth of the bytes */

static unsigned being_made;

static const char *const names[FY_EXPORT_DOCUMENTS] = {
	[FY_EXPORT_JSON] = "data.json",
	[FY_EXPORT_HTML_FR] = "data.fr.html",
	[FY_EXPORT_HTML_EN] = "data.en.html",
	[FY_EXPORT_README] = "README.txt",
};

/* What libzip reads one file from. */
struct source {
	const struct fy_export *export;
	enum fy_export_document document;
	struct fy_export_stream stream;
	struct fy_slice piece; /* what is left of it */
	uint64_t size;
	zip_error_t error;
};

struct job {
	const struct fy_export *export;
	struct source sources[FY_EXPORT_DOCUMENTS];
	void *bytes;
	size_t len;
	int err;
};

/* Counted before: a file of unknown size would be one that older programs do not unpack. */
static uint64_t size_of(const struct fy_export *export, enum fy_export_document document)
{
	struct fy_export_stream stream;
	struct fy_slice piece;
	uint64_t size = 0;
	fy_export_begin(&stream, export, document);
	while (fy_export_next(&stream, &piece))
		size += piece.len;
	fy_export_end(&stream);
	return size;
}

static zip_int64_t read_some(struct source *s, char *to, zip_uint64_t max)
{
	zip_uint64_t done = 0;
	while (done < max && (s->piece.len || fy_export_next(&s->stream, &s->piece))) {
		size_t some = s->piece.len < max - done ? s->piece.len : (size_t)(max - done);
		memcpy(to + done, s->piece.ptr, some);
		s->piece = fy_from(s->piece, some);
		done += some;
	}
	return (zip_int64_t)done;
}

static zip_int64_t on_source(void *arg, void *data, zip_uint64_t len, zip_source_cmd_t command)
{
	struct source *s = arg;
	struct zip_stat *stat = data;
	switch (command) {
	case ZIP_SOURCE_OPEN:
		s->piece = FY_NONE;
		fy_export_begin(&s->stream, s->export, s->document);
		return 0;
	case ZIP_SOURCE_READ:
		return read_some(s, data, len);
	case ZIP_SOURCE_CLOSE:
		fy_export_end(&s->stream);
		return 0;
	case ZIP_SOURCE_STAT:
		zip_stat_init(stat);
		stat->size = s->size;
		stat->mtime = (time_t)fy_unix(s->export->made_at);
		stat->valid |= ZIP_STAT_SIZE | ZIP_STAT_MTIME;
		return sizeof *stat;
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&s->error, data, len);
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_SUPPORTS:
		return ZIP_SOURCE_SUPPORTS_READABLE;
	default:
		zip_error_set(&s->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

/* False: `source` belongs to nobody yet. */
static bool add_file(zip_t *zip, struct source *s)
{
	zip_source_t *source = zip_source_function(zip, on_source, s);
	if (source == NULL)
		return false;
	zip_int64_t at = zip_file_add(zip, names[s->document], source, ZIP_FL_ENC_UTF_8);
	if (at < 0) {
		zip_source_free(source);
		return false;
	}
	return zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_DEFLATE, LEVEL) == 0;
}

static bool add_files(zip_t *zip, struct job *job)
{
	for (unsigned i = 0; i < FY_EXPORT_DOCUMENTS; i++) {
		job->sources[i] = (struct source){ .export = job->export, .document = (enum fy_export_document)i };
		job->sources[i].size = size_of(job->export, job->sources[i].document);
		zip_error_init(&job->sources[i].error);
		if (!add_file(zip, &job->sources[i]))
			return false;
	}
	return true;
}

static bool take_bytes(zip_source_t *whole, struct job *job)
{
	zip_stat_t stat;
	if (zip_source_stat(whole, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) || zip_source_open(whole) != 0)
		return false;
	job->len = (size_t)stat.size;
	job->bytes = malloc(job->len);
	bool good = job->bytes && zip_source_read(whole, job->bytes, job->len) == (zip_int64_t)job->len;
	zip_source_close(whole);
	return good;
}

static void make(void *arg)
{
	struct job *job = arg;
	zip_error_t error;
	zip_error_init(&error);
	job->err = FY_ERR_NOMEM;
	zip_source_t *whole = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_t *zip = whole ? zip_open_from_source(whole, ZIP_TRUNCATE, &error) : NULL;
	if (zip == NULL) {
		zip_source_free(whole);
		zip_error_fini(&error);
		return;
	}
	zip_source_keep(whole); /* closing the archive would free it */
	if (!add_files(zip, job) || zip_close(zip) != 0)
		zip_discard(zip);
	else if (take_bytes(whole, job))
		job->err = 0;
	zip_source_free(whole);
	zip_error_fini(&error);
	fy_arena_trim(); /* of this thread: the pages' */
}

fy_async int fy_export_zip(struct fy_ctx *ctx, const struct fy_export *export, struct fy_slice *ret_zip)
{
	struct job *job;
	if (being_made >= AT_A_TIME)
		return fy_fail(ctx, FY_ERR_BUSY, "%d exports are being made", AT_A_TIME);
	job = fy_new(ctx->arena, struct job);
	job->export = export;
	being_made++;
	int err = fy_await_work(ctx, make, job);
	being_made--;
	if (job->bytes)
		fy_arena_on_finish(ctx->arena, free, job->bytes);
	if (err == 0 && job->err)
		err = fy_fail(ctx, job->err, "the ZIP cannot be made");
	if (err == 0)
		*ret_zip = fy_slice(job->bytes, job->len);
	return err;
}
