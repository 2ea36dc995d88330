/* See instance.h. Statements: sql/instance.def, sql/person_key.def. */
#include "storage/instance.h"

#include "storage/keys.h"
#include "storage/statements.h"

/* What versions before sealing noted: the fingerprint in words. */
#define OLD_FINGERPRINT FY_LIT("master_key")

static fy_async int note_first(struct fy_ctx *ctx, uint64_t mine)
{
	char fingerprint[17];
	struct fy_sql_instance_get_row old;
	fy_keys_fingerprint(ctx->keys, fingerprint);
	int err = fy_sql_instance_get(ctx, &(struct fy_sql_instance_get_params){ .name = OLD_FINGERPRINT }, &old);
	if (err == 0 && !fy_eq(old.value, fy_str(fingerprint)))
		return FY_ERR_NOT_FOUND;
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	return fy_sql_master_key_insert(
		ctx, &(struct fy_sql_master_key_insert_params){ .id = mine, .created_at = ctx->now }, NULL);
}

fy_async int fy_instance_check_key(struct fy_ctx *ctx)
{
	uint64_t mine[2], lost = 0;
	struct fy_sql_master_key_list_row *known;
	size_t count;
	unsigned held = fy_keys_masters(ctx->keys, mine);
	int err = fy_sql_master_key_list(ctx, &known, &count);
	if (err == 0 && count == 0) {
		err = note_first(ctx, mine[0]);
		if (err == 0) /* another server may have been first: see what stands there */
			err = fy_sql_master_key_list(ctx, &known, &count);
	}
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	unsigned found = 0;
	for (size_t i = 0; i < count && err == 0; i++) {
		struct fy_sql_person_key_count_row row;
		bool ours = known[i].id == mine[0] || (held == 2 && known[i].id == mine[1]);
		found += ours;
		if (ours)
			continue;
		err = fy_sql_person_key_count(
			ctx, &(struct fy_sql_person_key_count_params){ .master_key_id = known[i].id }, &row);
		if (err == 0 && row.persons)
			lost = known[i].id;
	}
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	if (found == 0)
		return fy_fail(ctx, FY_ERR_CONFIG, "the master key is not the one that this database was made with");
	if (lost)
		return fy_fail(ctx, FY_ERR_CONFIG,
			       "keys of persons need master key %016llx, which is in no file here: put back the "
			       "FILE.next of the rotation that was begun",
			       (unsigned long long)lost);
	/* Known before it wraps: from here on new persons are wrapped with it. */
	return held == 2 ? fy_sql_master_key_insert(
				   ctx,
				   &(struct fy_sql_master_key_insert_params){ .id = mine[1], .created_at = ctx->now },
				   NULL)
			 : 0;
}
