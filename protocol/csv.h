/* Writes tables that spreadsheets open: UTF-8 with a byte order mark, semicolons (what French Excel expects), CRLF,
 * quoting of RFC 4180. A cell that a spreadsheet would take for a formula is made text by an apostrophe before it, so
 * nothing that a visitor typed is computed on somebody's desk. Leaves what stands in the cells to its callers. */
#pragma once

#include <stddef.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

/* Once, before the first row. */
#define FY_CSV_BOM FY_LIT("\xef\xbb\xbf")

void fy_csv_row(struct fy_buf *out, const struct fy_slice *cells, size_t count);
