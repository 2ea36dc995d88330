/* Arenas, buffers, log lines and log files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "foyer/buf.h"
#include "foyer/log.h"

static void arena_memory_is_aligned_and_does_not_overlap(void **state)
{
	(void)state;
	struct fy_arena arena;
	fy_arena_init(&arena, 0);
	char *blocks[200];
	for (size_t i = 0; i < 200; i++) {
		size_t size = i * 97 % 9000 + 1; /* small ones, chunk-sized ones, larger ones */
		blocks[i] = fy_alloc(&arena, size);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)i, size);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t k = 0; k < i * 97 % 9000 + 1; k++)
			assert_int_equal((unsigned char)blocks[i][k], i);
	fy_arena_finish(&arena);
	fy_arena_trim();
}

static char order[4];
static unsigned released;

static void release(void *object)
{
	order[released++] = *(char *)object;
}

static void release_hooks_run_last_first(void **state)
{
	(void)state;
	struct fy_arena arena;
	char a = 'a', b = 'b', c = 'c';
	released = 0;
	fy_arena_init(&arena, 0);
	fy_arena_on_finish(&arena, release, &a);
	fy_arena_on_finish(&arena, release, &b);
	fy_arena_on_finish(&arena, release, &c);
	fy_arena_finish(&arena);
	assert_memory_equal(order, "cba", 3);
	fy_arena_trim();
}

static void a_secret_is_wiped_with_its_arena(void **state)
{
	(void)state;
	struct fy_arena arena;
	fy_arena_init(&arena, 0);
	char *chunk = fy_alloc(&arena, 16); /* keeps the chunk in the pool, where it may be looked at */
	struct fy_secret secret = fy_copy_secret(&arena, FY_LIT("correct horse battery"));
	const char *where = secret.text.ptr;
	assert_memory_equal(where, "correct horse battery", 21);
	(void)chunk;
	fy_arena_finish(&arena);
	for (int i = 0; i < 21; i++)
		assert_int_equal(where[i], 0);
	fy_arena_trim();
}

static void a_buffer_stops_at_its_maximum(void **state)
{
	(void)state;
	struct fy_buf buf;
	fy_buf_init(&buf, NULL, 1000);
	for (int i = 0; i < 10; i++)
		fy_buf_fmt(&buf, "%099d", i);
	assert_int_equal(buf.len, 990);
	assert_false(buf.failed);
	fy_buf_put(&buf, FY_LIT("0123456789"));
	assert_int_equal(buf.len, 1000);
	assert_false(buf.failed);
	fy_buf_char(&buf, 'x');
	assert_true(buf.failed);
	assert_int_equal(buf.len, 1000);
	fy_buf_finish(&buf);
}

static void numbers_are_written_in_full(void **state)
{
	(void)state;
	struct fy_buf buf;
	fy_buf_init(&buf, NULL, 100);
	fy_buf_u64(&buf, 0);
	fy_buf_char(&buf, ' ');
	fy_buf_u64(&buf, UINT64_MAX);
	assert_int_equal(buf.len, 22);
	assert_memory_equal(buf.ptr, "0 18446744073709551615", 22);
	fy_buf_finish(&buf);
}

static char dir[] = "/tmp/foyer-log-XXXXXX";

static void read_file(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

static void a_log_line_cannot_be_broken_by_its_values(void **state)
{
	(void)state;
	char path[64], text[2048];
	int err = 0;
	snprintf(path, sizeof path, "%s/events", dir);
	struct fy_logfile *file = fy_logfile_open(path, &err);
	assert_non_null(file);
	fy_log_to(file, FY_LOG_INFO);
	fy_log(NULL, FY_LOG_INFO, "test.event", FY_KV("text", "a\"b\\c\nd\x1b[31m"), FY_KV("n", 3u),
	       FY_KV("yes", (bool)true));
	fy_log(NULL, FY_LOG_DEBUG, "test.hidden");
	fy_log_to(NULL, FY_LOG_INFO);
	fy_logfile_close(file);
	read_file(path, text, sizeof text);
	assert_non_null(strstr(text, "\"event\":\"test.event\""));
	assert_non_null(strstr(text, "\"text\":\"a\\\"b\\\\c\\u000ad\\u001b[31m\",\"n\":3,\"yes\":true}\n"));
	assert_null(strstr(text, "hidden"));
	assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text));
	unlink(path);
}

static void a_renamed_log_file_is_left_and_unlocked(void **state)
{
	(void)state;
	char path[64], moved[64], text[64];
	int err = 0;
	snprintf(path, sizeof path, "%s/access", dir);
	snprintf(moved, sizeof moved, "%s/access-1", dir);
	struct fy_logfile *file = fy_logfile_open(path, &err);
	fy_logfile_line(file, FY_LIT("one"));
	fy_logfile_flush(file);
	assert_int_equal(rename(path, moved), 0);
	int fd = open(moved, O_RDONLY);
	assert_int_not_equal(flock(fd, LOCK_EX | LOCK_NB), 0); /* its writer still has it */
	fy_logfile_line(file, FY_LIT("two"));
	fy_logfile_reopen(file);
	fy_logfile_line(file, FY_LIT("three"));
	fy_logfile_flush(file);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	read_file(moved, text, sizeof text);
	assert_string_equal(text, "one\ntwo\n");
	read_file(path, text, sizeof text);
	assert_string_equal(text, "three\n");
	close(fd);
	fy_logfile_close(file);
	unlink(path);
	unlink(moved);
}

static void lines_wait_while_the_disk_refuses_them(void **state)
{
	(void)state;
	int err = 0;
	char line[1000];
	memset(line, 'x', sizeof line);
	struct fy_logfile *file = fy_logfile_open("/dev/full", &err);
	if (file == NULL)
		return (void)assert_int_not_equal(err, 0);
	for (int i = 0; i < 2000; i++)
		fy_logfile_line(file, fy_slice(line, sizeof line));
	fy_logfile_flush(file);
	assert_int_equal(fy_logfile_lost(file), 2000 - (1 << 20) / 1001);
	fy_logfile_close(file);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_memory_is_aligned_and_does_not_overlap),
		cmocka_unit_test(release_hooks_run_last_first),
		cmocka_unit_test(a_secret_is_wiped_with_its_arena),
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(numbers_are_written_in_full),
		cmocka_unit_test(a_log_line_cannot_be_broken_by_its_values),
		cmocka_unit_test(a_renamed_log_file_is_left_and_unlocked),
		cmocka_unit_test(lines_wait_while_the_disk_refuses_them),
	};
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
