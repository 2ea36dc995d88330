/* CSV: what is read back is what was written, and no cell begins as a formula does. The input is cells between 0x1f. */
#include "fuzz.h"

#include "protocol/csv.h"

#define CELLS_MAX 8

/* Takes one cell from the front of *rest; false: it is not well-formed. */
static bool take_cell(struct fy_slice *rest, char *cell, size_t *ret_len)
{
	size_t n = 0;
	if (!fy_starts(*rest, FY_LIT("\"")))
		return false;
	*rest = fy_from(*rest, 1);
	while (rest->len) {
		if (rest->ptr[0] == '"' && !fy_starts(*rest, FY_LIT("\"\""))) {
			*rest = fy_from(*rest, 1);
			*ret_len = n;
			return true;
		}
		cell[n++] = rest->ptr[0];
		*rest = fy_from(*rest, rest->ptr[0] == '"' ? 2 : 1);
	}
	return false;
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice cells[CELLS_MAX], text = exact(arena, input);
	char *cell = fy_alloc(arena, input.len + 2);
	size_t count = 0, len;
	while (count < CELLS_MAX - 1 && text.ptr)
		cells[count++] = fy_cut(&text, 0x1f);
	cells[count++] = text;
	fy_csv_row(out, cells, count);
	MUST(!out->failed);
	struct fy_slice rest = fy_buf_slice(out);
	for (size_t i = 0; i < count; i++) {
		if (i) {
			MUST(fy_starts(rest, FY_LIT(";")));
			rest = fy_from(rest, 1);
		}
		MUST(take_cell(&rest, cell, &len));
		MUST(len == 0 || !strchr("=+-@\t\r", cell[0] ? cell[0] : 'x'));
		size_t guard = len == cells[i].len + 1;
		MUST(!guard || cell[0] == '\'');
		MUST(fy_eq(fy_slice(cell + guard, len - guard), cells[i]));
	}
	MUST(fy_eq(rest, FY_LIT("\r\n")));
}

FUZZ_TARGET(run)
