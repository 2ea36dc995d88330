/* All routes there are, for the router. A table's length is not a constant here, so the list is of pairs of
 * pointers. */
#include "server/routes/tables.h"

#define FY_ROUTE_TABLE_ROW(name) { fy_##name##_routes, &fy_##name##_route_count },

const struct fy_route_table fy_route_tables[] = { FY_ROUTE_TABLES(FY_ROUTE_TABLE_ROW) };
const unsigned fy_route_table_count = sizeof fy_route_tables / sizeof fy_route_tables[0];
