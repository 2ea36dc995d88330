/* Dates: what parses is written and parsed to the same; any number is a date; Paris goes there and back. */
#include "fuzz.h"

#include "protocol/datetime.h"

static void round_trips(struct fy_buf *out, fy_time t)
{
	fy_time back = 0;
	struct fy_datetime utc = fy_datetime_utc(t);
	MUST(fy_date_valid(utc.date) && utc.hour < 24 && utc.minute < 60 && utc.second < 60 && utc.micro < 1000000);
	t = fy_time_from_utc(&utc);
	out->len = 0;
	fy_put_rfc3339(out, t, true);
	MUST(fy_parse_rfc3339(fy_buf_slice(out), &back) == 0 && back == t);
	out->len = 0;
	fy_put_imf_date(out, t);
	MUST(out->len == 29 && fy_parse_http_date(fy_buf_slice(out), 0, &back) == 0 && back == t - utc.micro);
	MUST(fy_date_compare(fy_date_from_days(fy_date_days(utc.date)), utc.date) == 0);
	MUST(fy_date_valid(fy_date_add_months(utc.date, (int)t)) && fy_date_valid(fy_date_add_days(utc.date, t)));
	if (utc.date.year > 1 && utc.date.year < 9999) {
		struct fy_datetime paris = fy_datetime_paris(t);
		back = fy_time_from_paris(&paris);
		MUST(back == t || back == t - FY_HOUR); /* the hour that comes twice is its first */
		fy_time_add_months(t, 1);
		out->len = 0;
		fy_put_clf_date(out, t);
		MUST(fy_parse_clf_date(fy_buf_slice(out), &back) == 0 && back == t - utc.micro);
	}
	fy_put_clf_date(out, t);
	fy_put_mail_date(out, t);
	fy_put_human_time(out, t, FY_LANG_FR);
	fy_put_human_time(out, t, FY_LANG_EN);
	MUST(!out->failed);
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	fy_time t = 0;
	struct fy_date date;
	memcpy(&t, input.ptr, input.len < sizeof(t) ? input.len : sizeof(t));
	round_trips(out, t);
	struct fy_slice text = exact(arena, input);
	if (fy_parse_http_date(text, 1700000000 * FY_SECOND, &t) == 0)
		round_trips(out, t);
	if (fy_parse_rfc3339(text, &t) == 0)
		round_trips(out, t);
	if (fy_parse_clf_date(text, &t) == 0)
		round_trips(out, t);
	if (fy_parse_iso_date(text, &date) == 0) {
		out->len = 0;
		fy_put_iso_date(out, date);
		MUST(fy_eq(fy_buf_slice(out), text));
	}
}

FUZZ_TARGET(run)
