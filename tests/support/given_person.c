/* See given_person.h. */
#include "tests/support/given_person.h"

#include "storage/keys.h"
#include "storage/persons.h"
#include "storage/statements.h"

struct fy_keys *given_keys(void)
{
	return fy_keys_from_bytes((const uint8_t *)"the master key of all the tests!");
}

fy_async uint64_t given_person(struct fy_ctx *ctx)
{
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	fy_person_new(ctx, fy_id_new(ctx), &person, &key);
	return fy_sql_person_key_insert(ctx, &key, NULL) == 0 ? person.id : 0;
}
