/* See instance.h. Statements: sql/instance.def. */
#include "storage/instance.h"

#include "storage/keys.h"
#include "storage/statements.h"

#define KEY_FINGERPRINT FY_LIT("master_key")

fy_async int fy_instance_check_key(struct fy_ctx *ctx)
{
	char mine[17];
	struct fy_sql_instance_get_row row;
	struct fy_sql_instance_get_params wanted = { .name = KEY_FINGERPRINT };
	fy_keys_fingerprint(ctx->keys, mine);
	int err = fy_sql_instance_get(ctx, &wanted, &row);
	if (err == FY_ERR_NOT_FOUND) {
		err = fy_sql_instance_insert(
			ctx, &(struct fy_sql_instance_insert_params){ .name = KEY_FINGERPRINT, .value = fy_str(mine) },
			NULL);
		if (err != FY_ERR_CONFLICT) /* another server was first: see what it noted */
			return err;
		err = fy_sql_instance_get(ctx, &wanted, &row);
	}
	if (err)
		return err;
	if (fy_eq(row.value, fy_str(mine)))
		return 0;
	return fy_fail(ctx, FY_ERR_CONFIG, "the master key is not the one that this database was made with");
}
