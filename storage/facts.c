/* See facts.h. Statements: sql/instance.def. */
#include "storage/facts.h"

#include <stdlib.h>

#include "storage/statements.h"

fy_async int fy_fact_get_time(struct fy_ctx *ctx, struct fy_slice name, fy_time *ret_time)
{
	struct fy_sql_instance_get_row row;
	int err = fy_sql_instance_get(ctx, &(struct fy_sql_instance_get_params){ .name = name }, &row);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_time = err ? 0 : strtoll(fy_cstr(ctx->arena, row.value), NULL, 10);
	return 0;
}

fy_async int fy_fact_set_time(struct fy_ctx *ctx, struct fy_slice name, fy_time time)
{
	return fy_sql_instance_set(ctx,
				   &(struct fy_sql_instance_set_params){
					   .name = name, .value = fy_fmt(ctx->arena, "%lld", (long long)time) },
				   NULL);
}
