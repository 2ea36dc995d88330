/* Awaits that need only libuv: the thread pool and child processes.
 * Redis, MariaDB and the hashing threads have their own, beside their clients. Both operations live on
 * the fiber's stack: the fiber does not go on before libuv has let go of them. */
#include <signal.h>
#include <string.h>

#include "foyer/buf.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define NO_DEADLINE UINT64_MAX
#define OUTPUT_GRACE_MS 1000 /* after the exit, for the rest of the output that a grandchild may hold open */

struct work_op {
	uv_work_t work;
	void (*fn)(void *arg);
	void *arg;
	struct fy_wait wait;
};

static void on_work(uv_work_t *work)
{
	struct work_op *op = work->data;
	op->fn(op->arg);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct work_op *op = work->data;
	fy_wait_done(&op->wait, status);
}

fy_async int fy_await_work(struct fy_ctx *ctx, void (*work)(void *arg), void *arg)
{
	struct work_op op = { .fn = work, .arg = arg };
	op.work.data = &op;
	int err = uv_queue_work(fy_loop(), &op.work, on_work, on_work_done);
	if (err)
		return err;
	err = fy_wait(&op.wait, NO_DEADLINE);
	if (err)
		return err;
	return ctx && ctx->deadline_ms <= fy_loop_ms() ? FY_ERR_TIMEOUT : 0;
}

struct child_op {
	uv_process_t process;
	uv_pipe_t input, output;
	uv_write_t write;
	struct fy_buf kept;
	char chunk[4096];
	int64_t status;
	int signal;
	bool exited, ended; /* the process; its output */
	unsigned open;      /* handles not closed yet */
	struct fy_wait changed;
};

static void child_changed(struct child_op *op)
{
	fy_wait_done(&op->changed, 0);
}

static void on_child_closed(uv_handle_t *handle)
{
	struct child_op *op = handle->data;
	op->open--;
	child_changed(op);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
	struct child_op *op = process->data;
	op->status = status;
	op->signal = signal;
	op->exited = true;
	child_changed(op);
}

static void on_output_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct child_op *op = handle->data;
	(void)suggested;
	*buf = uv_buf_init(op->chunk, sizeof op->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct child_op *op = stream->data;
	if (got > 0) {
		size_t room = op->kept.max - op->kept.len;
		fy_buf_put(&op->kept, fy_slice(buf->base, (size_t)got < room ? (size_t)got : room));
	} else if (got < 0) {
		uv_read_stop(stream);
		op->ended = true;
		child_changed(op);
	}
}

static void on_input_written(uv_write_t *write, int status)
{
	struct child_op *op = write->data;
	(void)status; /* a child that does not read is no error; its exit code tells */
	if (!uv_is_closing((uv_handle_t *)&op->input))
		uv_close((uv_handle_t *)&op->input, on_child_closed);
}

static void child_close(struct child_op *op, uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_child_closed);
	(void)op;
}

fy_async int fy_await_child(struct fy_ctx *ctx, const struct fy_child *child, int *ret_status,
			    struct fy_slice *ret_output)
{
	struct child_op *op = fy_zalloc(ctx->arena, sizeof *op);
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&op->input },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&op->output },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 },
	};
	uv_process_options_t options = {
		.file = child->file,
		.args = (char **)child->argv,
		.env = (char **)child->env,
		.cwd = child->cwd,
		.exit_cb = on_exit_status,
		.stdio = stdio,
		.stdio_count = 3,
		.flags = (child->uid ? UV_PROCESS_SETUID : 0) | (child->gid ? UV_PROCESS_SETGID : 0),
		.uid = (uv_uid_t)child->uid,
		.gid = (uv_gid_t)child->gid,
	};
	fy_buf_init(&op->kept, ctx->arena, child->output_max);
	uv_pipe_init(fy_loop(), &op->input, 0);
	uv_pipe_init(fy_loop(), &op->output, 0);
	op->process.data = op->input.data = op->output.data = op->write.data = op;
	op->open = 3;
	int err = uv_spawn(fy_loop(), &op->process, &options), late = 0;
	if (err == 0) {
		uv_buf_t input = uv_buf_init((char *)child->input.ptr, (unsigned)child->input.len);
		uv_read_start((uv_stream_t *)&op->output, on_output_room, on_output);
		if (input.len == 0 || uv_write(&op->write, (uv_stream_t *)&op->input, &input, 1, on_input_written))
			child_close(op, (uv_handle_t *)&op->input);
		while (!op->exited) {
			if (fy_wait(&op->changed, late ? NO_DEADLINE : ctx->deadline_ms) == FY_ERR_TIMEOUT) {
				op->changed = (struct fy_wait){ 0 };
				late = FY_ERR_TIMEOUT;
				uv_process_kill(&op->process, SIGKILL);
			}
		}
		uint64_t until = fy_loop_ms() + OUTPUT_GRACE_MS;
		while (!op->ended && fy_wait(&op->changed, until) == 0)
			;
		if (op->changed.state == FY_WAIT_ABANDONED)
			op->changed = (struct fy_wait){ 0 };
	}
	child_close(op, (uv_handle_t *)&op->process);
	child_close(op, (uv_handle_t *)&op->input);
	child_close(op, (uv_handle_t *)&op->output);
	while (op->open)
		fy_wait(&op->changed, NO_DEADLINE);
	if (err || late)
		return err ? err : late;
	*ret_status = op->signal ? 128 + op->signal : (int)op->status;
	if (ret_output)
		*ret_output = fy_buf_slice(&op->kept);
	return 0;
}
