/* Dates and times as text: HTTP, RFC 3339, logs, mail and people.
 * Leaves arithmetic to calendar.c. Called wherever a date enters or leaves; parsers take exactly the forms of
 * their RFC, no white space around. */
#include "protocol/datetime.h"

#include "foyer/err.h"

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char days_long[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

static char *put_digits(char *out, unsigned number, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		out[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return out + digits;
}

static char *put_text(char *out, const char *text)
{
	size_t n = strlen(text);
	memcpy(out, text, n);
	return out + n;
}

static char *put_clock(char *out, const struct fy_datetime *dt)
{
	out = put_digits(out, (unsigned)dt->hour, 2);
	*out++ = ':';
	out = put_digits(out, (unsigned)dt->minute, 2);
	*out++ = ':';
	return put_digits(out, (unsigned)dt->second, 2);
}

/* "Sun, 06 Nov 1994 08:49:37" */
static char *put_imf(char *out, const struct fy_datetime *dt)
{
	out = put_text(put_text(out, days[dt->weekday]), ", ");
	out = put_digits(out, (unsigned)dt->date.day, 2);
	*out++ = ' ';
	out = put_text(out, months[dt->date.month - 1]);
	*out++ = ' ';
	out = put_digits(out, (unsigned)dt->date.year, 4);
	*out++ = ' ';
	return put_clock(out, dt);
}

void fy_put_imf_date(struct fy_buf *buf, fy_time t)
{
	char text[32];
	struct fy_datetime dt = fy_datetime_utc(t);
	char *end = put_text(put_imf(text, &dt), " GMT");
	fy_buf_put(buf, fy_slice(text, (size_t)(end - text)));
}

void fy_put_mail_date(struct fy_buf *buf, fy_time t)
{
	char text[40];
	struct fy_datetime dt = fy_datetime_paris(t);
	char *end = put_text(put_imf(text, &dt), fy_paris_offset_s(t) == 7200 ? " +0200" : " +0100");
	fy_buf_put(buf, fy_slice(text, (size_t)(end - text)));
}

void fy_put_clf_date(struct fy_buf *buf, fy_time t)
{
	char text[32];
	struct fy_datetime dt = fy_datetime_paris(t);
	char *end = put_digits(text, (unsigned)dt.date.day, 2);
	*end++ = '/';
	end = put_text(end, months[dt.date.month - 1]);
	*end++ = '/';
	end = put_digits(end, (unsigned)dt.date.year, 4);
	*end++ = ':';
	end = put_text(put_clock(end, &dt), fy_paris_offset_s(t) == 7200 ? " +0200" : " +0100");
	fy_buf_put(buf, fy_slice(text, (size_t)(end - text)));
}

static char *put_iso(char *out, struct fy_date date)
{
	out = put_digits(out, (unsigned)date.year, 4);
	*out++ = '-';
	out = put_digits(out, (unsigned)date.month, 2);
	*out++ = '-';
	return put_digits(out, (unsigned)date.day, 2);
}

void fy_put_iso_date(struct fy_buf *buf, struct fy_date date)
{
	char text[16];
	fy_buf_put(buf, fy_slice(text, (size_t)(put_iso(text, date) - text)));
}

void fy_put_rfc3339(struct fy_buf *buf, fy_time t, bool micros)
{
	char text[40];
	struct fy_datetime dt = fy_datetime_utc(t);
	char *end = put_iso(text, dt.date);
	*end++ = 'T';
	end = put_clock(end, &dt);
	if (micros) {
		*end++ = '.';
		end = put_digits(end, (unsigned)dt.micro, 6);
	}
	*end++ = 'Z';
	fy_buf_put(buf, fy_slice(text, (size_t)(end - text)));
}

/* Readers take from the front of *s; false leaves the result undefined. */
static bool take_number(struct fy_slice *s, int digits, int *ret_number)
{
	int number = 0;
	if (s->len < (size_t)digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if ((unsigned)(s->ptr[i] - '0') > 9)
			return false;
		number = number * 10 + (s->ptr[i] - '0');
	}
	*s = fy_from(*s, (size_t)digits);
	*ret_number = number;
	return true;
}

static bool take_text(struct fy_slice *s, const char *text)
{
	if (!fy_starts(*s, fy_str(text)))
		return false;
	*s = fy_from(*s, strlen(text));
	return true;
}

static bool take_month(struct fy_slice *s, int *ret_month)
{
	for (int i = 0; i < 12; i++)
		if (take_text(s, months[i])) {
			*ret_month = i + 1;
			return true;
		}
	return false;
}

static bool take_clock(struct fy_slice *s, struct fy_datetime *dt)
{
	return take_number(s, 2, &dt->hour) && take_text(s, ":") && take_number(s, 2, &dt->minute) &&
	       take_text(s, ":") && take_number(s, 2, &dt->second) && dt->hour < 24 && dt->minute < 60 &&
	       dt->second <= 60;
}

static bool take_iso(struct fy_slice *s, struct fy_date *date)
{
	return take_number(s, 4, &date->year) && take_text(s, "-") && take_number(s, 2, &date->month) &&
	       take_text(s, "-") && take_number(s, 2, &date->day) && fy_date_valid(*date);
}

int fy_parse_iso_date(struct fy_slice text, struct fy_date *ret_date)
{
	struct fy_date date;
	if (!take_iso(&text, &date) || text.len)
		return FY_ERR_INVALID;
	*ret_date = date;
	return 0;
}

int fy_parse_rfc3339(struct fy_slice s, fy_time *ret_time)
{
	struct fy_datetime dt = { 0 };
	if (!take_iso(&s, &dt.date) || !(take_text(&s, "T") || take_text(&s, "t") || take_text(&s, " ")) ||
	    !take_clock(&s, &dt))
		return FY_ERR_INVALID;
	if (take_text(&s, ".")) {
		int unit = 100000, digits = 0, digit;
		for (; digits < 18 && take_number(&s, 1, &digit); digits++, unit /= 10)
			dt.micro += digit * unit; /* past microseconds unit is 0 */
		if (digits == 0)
			return FY_ERR_INVALID;
	}
	int hours = 0, minutes = 0, sign = 0;
	if (take_text(&s, "+"))
		sign = 1;
	else if (take_text(&s, "-"))
		sign = -1;
	else if (!take_text(&s, "Z") && !take_text(&s, "z"))
		return FY_ERR_INVALID;
	if (sign && !(take_number(&s, 2, &hours) && take_text(&s, ":") && take_number(&s, 2, &minutes) && hours < 24 &&
		      minutes < 60))
		return FY_ERR_INVALID;
	if (s.len)
		return FY_ERR_INVALID;
	*ret_time = fy_time_from_utc(&dt) - sign * (hours * FY_HOUR + minutes * FY_MINUTE);
	return 0;
}

int fy_parse_clf_date(struct fy_slice s, fy_time *ret_time)
{
	struct fy_datetime dt = { 0 };
	int hours, minutes, sign = 1;
	if (!(take_number(&s, 2, &dt.date.day) && take_text(&s, "/") && take_month(&s, &dt.date.month) &&
	      take_text(&s, "/") && take_number(&s, 4, &dt.date.year) && take_text(&s, ":") && take_clock(&s, &dt) &&
	      fy_date_valid(dt.date)))
		return FY_ERR_INVALID;
	if (take_text(&s, " -"))
		sign = -1;
	else if (!take_text(&s, " +"))
		return FY_ERR_INVALID;
	if (!take_number(&s, 2, &hours) || !take_number(&s, 2, &minutes) || hours > 23 || minutes > 59 || s.len)
		return FY_ERR_INVALID;
	*ret_time = fy_time_from_utc(&dt) - sign * (hours * FY_HOUR + minutes * FY_MINUTE);
	return 0;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool take_imf(struct fy_slice s, struct fy_datetime *dt)
{
	return take_number(&s, 2, &dt->date.day) && take_text(&s, " ") && take_month(&s, &dt->date.month) &&
	       take_text(&s, " ") && take_number(&s, 4, &dt->date.year) && take_text(&s, " ") && take_clock(&s, dt) &&
	       fy_eq(s, FY_LIT(" GMT"));
}

/* Sunday, 06-Nov-94 08:49:37 GMT; more than 50 years ahead means the century before (RFC 9110 5.6.7). */
static bool take_rfc850(struct fy_slice s, fy_time now, struct fy_datetime *dt)
{
	if (!(take_number(&s, 2, &dt->date.day) && take_text(&s, "-") && take_month(&s, &dt->date.month) &&
	      take_text(&s, "-") && take_number(&s, 2, &dt->date.year) && take_text(&s, " ") && take_clock(&s, dt) &&
	      fy_eq(s, FY_LIT(" GMT"))))
		return false;
	int this_year = fy_datetime_utc(now).date.year;
	dt->date.year += this_year / 100 * 100;
	if (dt->date.year > this_year + 50)
		dt->date.year -= 100;
	else if (dt->date.year <= this_year - 50)
		dt->date.year += 100;
	return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool take_asctime(struct fy_slice s, struct fy_datetime *dt)
{
	if (!take_month(&s, &dt->date.month) || !take_text(&s, " "))
		return false;
	if (take_text(&s, " ") ? !take_number(&s, 1, &dt->date.day) : !take_number(&s, 2, &dt->date.day))
		return false;
	return take_text(&s, " ") && take_clock(&s, dt) && take_text(&s, " ") && take_number(&s, 4, &dt->date.year) &&
	       s.len == 0;
}

int fy_parse_http_date(struct fy_slice text, fy_time now, fy_time *ret_time)
{
	struct fy_datetime dt = { 0 };
	bool ok = false;
	for (int i = 0; i < 7 && !ok; i++) {
		struct fy_slice s = text;
		if (take_text(&s, days_long[i]) && take_text(&s, ", "))
			ok = take_rfc850(s, now, &dt);
		else if (s = text, take_text(&s, days[i]) && take_text(&s, ", "))
			ok = take_imf(s, &dt);
		else if (s = text, take_text(&s, days[i]) && take_text(&s, " "))
			ok = take_asctime(s, &dt);
	}
	if (!ok || !fy_date_valid(dt.date))
		return FY_ERR_INVALID;
	*ret_time = fy_time_from_utc(&dt);
	return 0;
}

void fy_put_human_date(struct fy_buf *buf, struct fy_date date, enum fy_lang lang)
{
	static const char *const names[2][12] = {
		[FY_LANG_FR] = { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
				 "octobre", "novembre", "décembre" },
		[FY_LANG_EN] = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
				 "October", "November", "December" },
	};
	fy_buf_u64(buf, (uint64_t)date.day);
	if (lang == FY_LANG_FR && date.day == 1)
		fy_buf_put(buf, FY_LIT("er"));
	fy_buf_char(buf, ' ');
	fy_buf_put(buf, fy_str(names[lang][date.month - 1]));
	fy_buf_char(buf, ' ');
	fy_buf_u64(buf, (uint64_t)date.year);
}

void fy_put_human_time(struct fy_buf *buf, fy_time t, enum fy_lang lang)
{
	char text[8];
	struct fy_datetime dt = fy_datetime_paris(t);
	fy_put_human_date(buf, dt.date, lang);
	fy_buf_put(buf, lang == FY_LANG_FR ? FY_LIT(" à ") : FY_LIT(", "));
	char *end = put_digits(text, (unsigned)dt.hour, 2);
	*end++ = ':';
	end = put_digits(end, (unsigned)dt.minute, 2);
	fy_buf_put(buf, fy_slice(text, (size_t)(end - text)));
}
