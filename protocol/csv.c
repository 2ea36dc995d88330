/* See csv.h. Every cell is quoted: there is no list of exceptions to be wrong about. */
#include "protocol/csv.h"

static void put_cell(struct fy_buf *out, struct fy_slice text)
{
	fy_buf_char(out, '"');
	if (text.len && memchr("=+-@\t\r", text.ptr[0], 6))
		fy_buf_char(out, '\'');
	while (text.ptr) {
		struct fy_slice piece = fy_cut(&text, '"');
		fy_buf_put(out, piece);
		if (text.ptr)
			fy_buf_put(out, FY_LIT("\"\""));
	}
	fy_buf_char(out, '"');
}

void fy_csv_row(struct fy_buf *out, const struct fy_slice *cells, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			fy_buf_char(out, ';');
		put_cell(out, cells[i]);
	}
	fy_buf_put(out, FY_LIT("\r\n"));
}
