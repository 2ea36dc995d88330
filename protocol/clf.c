/* Writes access-log lines in Combined Log Format that no client can forge or break.
 * Leaves files and rotation to server/base. Called once for each answer. */
#include "protocol/clf.h"

#include "protocol/datetime.h"

#define TARGET_MAX 2048
#define FIELD_MAX 512

/* Runs of harmless bytes are copied; the rest becomes \xHH. Inside quotes a space is harmless, outside none is. */
static void put_escaped(struct fy_buf *buf, struct fy_slice text, size_t max, bool space_ok)
{
	static const char digits[] = "0123456789abcdef";
	text = fy_upto(text, max);
	while (text.len) {
		size_t n = 0;
		for (; n < text.len; n++) {
			unsigned char c = (unsigned char)text.ptr[n];
			if (c < 0x20 || c > 0x7e || c == '"' || c == '\\' || (c == ' ' && !space_ok))
				break;
		}
		fy_buf_put(buf, fy_upto(text, n));
		text = fy_from(text, n);
		if (text.len == 0)
			break;
		unsigned char c = (unsigned char)text.ptr[0];
		const char hex[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };
		fy_buf_put(buf, fy_slice(hex, sizeof(hex)));
		text = fy_from(text, 1);
	}
}

static void put_field(struct fy_buf *buf, struct fy_slice text, size_t max, bool space_ok)
{
	if (text.len)
		put_escaped(buf, text, max, space_ok);
	else
		fy_buf_char(buf, '-');
}

void fy_clf_write(struct fy_buf *buf, const struct fy_clf *entry)
{
	put_field(buf, entry->client, FIELD_MAX, false);
	fy_buf_put(buf, FY_LIT(" - "));
	put_field(buf, entry->user, FIELD_MAX, false);
	fy_buf_put(buf, FY_LIT(" ["));
	if (entry->date.len)
		fy_buf_put(buf, entry->date);
	else
		fy_put_clf_date(buf, entry->at);
	fy_buf_put(buf, FY_LIT("] \""));
	if (entry->method.len && entry->target.len) {
		put_escaped(buf, entry->method, 32, false);
		fy_buf_char(buf, ' ');
		put_escaped(buf, entry->target, TARGET_MAX, false);
		fy_buf_put(buf, entry->minor ? FY_LIT(" HTTP/1.1\" ") : FY_LIT(" HTTP/1.0\" "));
	} else {
		fy_buf_put(buf, FY_LIT("-\" "));
	}
	fy_buf_u64(buf, (uint64_t)(entry->status > 0 ? entry->status : 0));
	fy_buf_char(buf, ' ');
	fy_buf_u64(buf, entry->bytes);
	fy_buf_put(buf, FY_LIT(" \""));
	put_field(buf, entry->referer, FIELD_MAX, true);
	fy_buf_put(buf, FY_LIT("\" \""));
	put_field(buf, entry->user_agent, FIELD_MAX, true);
	fy_buf_char(buf, '"');
}
