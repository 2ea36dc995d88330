/* The delivery of the outbox: claims what is due, writes it to the mail directory or sends it by SMTP, and reports.
 * Which mails are due and when a failed one is tried again are storage/outbox.h's; the words are the author's, the
 * bytes mail_letter.c's. Run by the runner, a few seconds apart and whenever a route kicked it after its commit.
 *
 * A mail is claimed only when somebody is free to deliver it, so a run that stops leaves none behind. Killed between
 * delivery and report, the next run on this machine gives the claim back, or it lapses, and the mail goes out again
 * with the same Message-ID and the same file name. Addresses, subjects and texts never reach the log. */
#include <stdlib.h>
#include <string.h>

#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/job.h"
#include "jobs/mail_file.h"
#include "jobs/mail_letter.h"
#include "jobs/holder.h"
#include "jobs/smtp.h"
#include "jobs/worker_name.h"
#include "storage/outbox.h"
#include "storage/statements.h"

#define RUN_MAX 100 /* `max` of the statement that lists them; then the next run goes on at once */
#define AT_A_TIME 4
#define BURST 20 /* mails of a run that go out before mail.per_second counts */
#define PACE_MS 50
#define DELIVERY_MS 130000 /* more than the SMTP client's own limit */
#define REPORT_MS 10000
#define CLAIM_FOR (5 * FY_MINUTE) /* more than delivery and report may take */

struct delivery;

struct postman {
	struct fy_job_run *run;
	struct fy_smtp *smtp; /* NULL: to the directory */
	struct fy_slice owner;
	struct delivery *free, *done;
	struct fy_wait changed;
	unsigned active, taken, sent, refused, retried;
	struct fy_slice last_reason;
};

struct delivery {
	struct postman *postman;
	struct delivery *next;
	struct fy_outbox_mail mail;
	struct fy_arena arena;
	/* How it ended; read by the run's fiber. */
	int err;
	bool permanent, final;
	struct fy_slice reason;
};

static fy_mail_author author;

void fy_mail_set_author(fy_mail_author new_author)
{
	author = new_author;
}

struct file_step {
	const char *dir;
	struct fy_slice name;
	struct fy_secret message;
	int err;
};

static void work_write(void *arg)
{
	struct file_step *step = arg;
	step->err = fy_mail_file_write(step->dir, step->name, step->message);
}

static fy_async int to_directory(struct fy_ctx *ctx, struct delivery *d, const struct fy_letter *letter,
				 const struct fy_letter_written *written)
{
	struct file_step step = {
		.dir = ctx->config->mail_directory.ptr,
		.name = fy_letter_name(ctx->arena, letter),
		.message = written->message,
	};
	int err = fy_await_work(NULL, work_write, &step);

	err = err ? err : step.err;
	if (err)
		d->reason = fy_str(fy_strerror(err));
	return err;
}

static fy_async int to_server(struct fy_ctx *ctx, struct delivery *d, const struct fy_letter_written *written)
{
	struct fy_smtp_result result;
	int err = fy_smtp_send(ctx, d->postman->smtp, written->from, written->to, written->message, &result);

	if (err) {
		d->reason = result.reason;
		d->permanent = result.permanent;
	}
	return err;
}

static fy_async int deliver(struct fy_ctx *ctx, struct delivery *d)
{
	const struct fy_outbox_mail *mail = &d->mail;
	struct fy_letter letter = {
		.id = mail->id,
		.created_at = mail->created_at,
		.lang = mail->lang,
		.sender = ctx->config->mail_from,
		.to = mail->to_address,
	};
	struct fy_letter_written written = { 0 };
	const char *why = "template";
	int err = author(ctx, mail, &letter);
	bool unwritten = err != 0;

	if (err == 0) {
		err = fy_letter_write(ctx->arena, &letter, &written, &why);
		unwritten = err != 0;
		/* A wrong mail.from can be mended, and another server may know the template. */
		d->permanent = unwritten && err != FY_ERR_CONFIG;
	}
	if (unwritten)
		d->reason = fy_fmt(ctx->arena, "cannot be written, the fault is in: %s", why);
	else
		err = d->postman->smtp ? to_server(ctx, d, &written) : to_directory(ctx, d, &letter, &written);
	const struct fy_slice secrets[] = { mail->fields.text, letter.text.text, letter.html.text,
					    written.message.text };
	for (size_t i = 0; i < FY_COUNT(secrets); i++) /* they may hold a link that signs in */
		if (secrets[i].len)
			explicit_bzero((char *)secrets[i].ptr, secrets[i].len);
	return err;
}

static fy_async void carry(void *arg)
{
	struct delivery *d = arg;
	struct postman *p = d->postman;
	struct fy_ctx ctx = *p->run->ctx;

	ctx.arena = &d->arena;
	ctx.deadline_ms = fy_loop_ms() + DELIVERY_MS;
	d->err = deliver(&ctx, d);
	ctx.deadline_ms = fy_loop_ms() + REPORT_MS;
	ctx.now = fy_clock(); /* when it really happened, also in a run with a moved clock */
	int err = d->err == 0 ? fy_outbox_sent(&ctx, p->owner, &d->mail)
			      : fy_outbox_failed(&ctx, p->owner, &d->mail, d->reason, d->permanent, &d->final);
	if (d->err)
		fy_log(&ctx, FY_LOG_WARN, "mail.not_delivered", FY_KV("mail", d->mail.id),
		       FY_KV("attempt", d->mail.attempts), FY_KV("template", d->mail.template_name),
		       FY_KV("final", d->final), FY_KV("reason", d->reason));
	if (err) /* the claim lapses, and it is delivered again */
		fy_log(&ctx, FY_LOG_WARN, "mail.not_recorded", FY_KV("mail", d->mail.id),
		       FY_KV("error", fy_strerror(err)));
	d->next = p->done;
	p->done = d;
	p->active--;
	fy_wait_done(&p->changed, 0);
}

static void count_done(struct postman *p)
{
	while (p->done) {
		struct delivery *d = p->done;
		p->done = d->next;
		if (d->err == 0) {
			p->sent++;
			fy_job_note_id(p->run, "send", "mails", d->mail.id);
		} else if (d->final) {
			p->refused++;
			fy_job_note_id(p->run, "give up", "mails", d->mail.id);
		} else {
			p->retried++;
			p->last_reason = fy_copy(p->run->ctx->arena, d->reason);
			fy_job_note_id(p->run, "try again later", "mails", d->mail.id);
		}
		fy_arena_finish(&d->arena);
		d->next = p->free;
		p->free = d;
	}
}

/* Claims one mail for each free hand, and sends the hands off. *ret_none: nothing was due. */
static fy_async int hand_out(struct postman *p, bool *ret_none)
{
	unsigned hands = AT_A_TIME - p->active;
	struct fy_ctx ctx = *p->run->ctx;
	struct fy_outbox_mail *mails;
	size_t count;

	if (hands > RUN_MAX - p->taken)
		hands = RUN_MAX - p->taken;
	int err = fy_outbox_claim(&ctx, p->owner, CLAIM_FOR, hands, &mails, &count);
	if (err) {
		p->run->ctx->fault = ctx.fault;
		return err;
	}
	*ret_none = count == 0;
	for (size_t i = 0; i < count; i++) {
		struct delivery *d = p->free;
		FY_REQUIRE(d != NULL);
		p->free = d->next;
		*d = (struct delivery){ .postman = p, .mail = mails[i] };
		fy_arena_init(&d->arena, 0);
		p->taken++;
		p->active++;
		if (fy_fiber_start(carry, d)) { /* requests took all fibers: then this one carries it */
			carry(d);
		}
	}
	return 0;
}

/* A flood of registrations or messages must not become a flood of mails: receivers would take the sender for a
 * spammer, and the machine would serve the queue instead of the visitors. */
static bool too_fast(const struct postman *p, uint64_t began_ms)
{
	uint64_t per_second = (uint64_t)p->run->ctx->config->mail_per_second;

	return per_second && p->taken > BURST && (fy_loop_ms() - began_ms) * per_second < (p->taken - BURST) * 1000u;
}

/* Ends when nothing is due any more, RUN_MAX are taken, or the run must stop; never while a hand is out. */
static fy_async int go_round(struct postman *p)
{
	struct fy_ctx *ctx = p->run->ctx;
	fy_time began = ctx->now;
	uint64_t began_ms = fy_loop_ms();
	bool none = false;
	int err = 0;

	for (;;) {
		count_done(p);
		if (err == 0)
			err = fy_job_may_go_on(p->run);
		bool want = err == 0 && !none && p->taken < RUN_MAX;
		if (want && p->active < AT_A_TIME && too_fast(p, began_ms)) {
			fy_sleep(ctx, PACE_MS);
			continue;
		}
		if (want && p->active < AT_A_TIME) {
			ctx->now = began + (fy_time)(fy_loop_ms() - began_ms) * 1000; /* claims lapse from now on */
			err = hand_out(p, &none);
			continue;
		}
		if (p->active == 0 && p->done == NULL)
			break;
		if (p->done == NULL)
			fy_wait(&p->changed, UINT64_MAX); /* each hand has its own deadline */
	}
	p->run->more = p->taken == RUN_MAX;
	return err;
}

static fy_async int plan(struct fy_job_run *run)
{
	struct fy_sql_outbox_due_row *due;
	size_t count;
	int err = fy_sql_outbox_due(
		run->ctx, &(struct fy_sql_outbox_due_params){ .now = run->ctx->now, .limit = RUN_MAX }, &due, &count);
	for (size_t i = 0; i < count && err == 0; i++)
		fy_job_note_id(run, "send", "mails", due[i].id);
	return err;
}

static int open_transport(struct postman *p)
{
	const struct fy_config *config = p->run->ctx->config;

	if (config->mail_transport != FY_MAIL_SMTP)
		return 0;
	struct fy_smtp_options options = {
		.url = config->mail_smtp_url.len ? config->mail_smtp_url.ptr : "",
		.user = config->mail_smtp_user.ptr,
		.password = config->mail_smtp_password,
		.tls = (enum fy_mail_tls)config->mail_smtp_tls,
		.ca_file = config->mail_smtp_ca.len ? config->mail_smtp_ca.ptr : NULL,
	};
	int err = fy_smtp_create(&options, &p->smtp);
	return err ? fy_fail(p->run->ctx, err, err == FY_ERR_CONFIG ? "mail.smtp_url cannot be used" : "no SMTP client")
		   : 0;
}

fy_async int fy_mail_run(struct fy_job_run *run)
{
	struct fy_ctx *ctx = run->ctx;
	struct postman postman = { .run = run };

	/* The longest wait before another attempt is a day: a clock that is moved further finds no more mails, and a
	 * claim made then would not lapse in time if this process were killed. */
	if (ctx->now > fy_clock() + FY_DAY)
		ctx->now = fy_clock() + FY_DAY;
	if (run->dry_run)
		return plan(run);
	FY_REQUIRE(author != NULL);
	postman.owner = fy_str(run->holding->owner);
	for (unsigned i = 0; i < AT_A_TIME; i++) {
		struct delivery *d = fy_new(ctx->arena, struct delivery);
		d->next = postman.free;
		postman.free = d;
	}
	uint64_t left_behind;
	int err = fy_outbox_unclaim(ctx, fy_worker_gone, &left_behind);
	if (err)
		return err;
	if (left_behind)
		fy_log(ctx, FY_LOG_WARN, "mail.left_behind", FY_KV("mails", left_behind));
	err = open_transport(&postman);
	if (err)
		return err;
	err = go_round(&postman);
	fy_smtp_destroy(postman.smtp);
	if (err == 0 && postman.retried && !postman.sent && !postman.refused)
		return fy_fail(ctx, FY_ERR_IO, "no mail could be delivered: " FY_FMT, FY_ARG(postman.last_reason));
	return err;
}
