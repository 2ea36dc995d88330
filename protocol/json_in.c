/* Reads JSON bodies through jansson, with a depth check before it.
 * Leaves declared members and their rules to routes. jansson parses recursively and allows 2,048 levels, more
 * than a fiber's stack holds, so the nesting is counted first. */
#include "protocol/json_in.h"

#include <jansson.h>

#include "foyer/err.h"

static json_t *inner(const struct fy_json_value *value)
{
	return (json_t *)value;
}

static const struct fy_json_value *outer(json_t *value)
{
	return (const struct fy_json_value *)value;
}

/* The deepest nesting of brackets outside strings; no grammar. */
static unsigned depth_of(struct fy_slice text)
{
	unsigned depth = 0, deepest = 0;
	bool string = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
		} else if (c == '"') {
			string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((c == ']' || c == '}') && depth) {
			depth--;
		}
	}
	return deepest;
}

static void free_document(void *document)
{
	json_decref(document);
}

static int refuse(struct fy_json_fault *fault, int line, int column, const char *text)
{
	if (fault == NULL)
		return FY_ERR_INVALID;
	/* jansson appends "near '...'", which would carry a person's text into logs. */
	const char *near = strstr(text, " near ");
	size_t n = near ? (size_t)(near - text) : strlen(text);
	if (n >= sizeof(fault->text))
		n = sizeof(fault->text) - 1;
	memcpy(fault->text, text, n);
	fault->text[n] = 0;
	fault->line = line;
	fault->column = column;
	return FY_ERR_INVALID;
}

int fy_json_parse(struct fy_arena *arena, struct fy_slice text, unsigned depth_max,
		  const struct fy_json_value **ret_value, struct fy_json_fault *fault)
{
	json_error_t error;
	if (depth_of(text) > depth_max)
		return refuse(fault, 1, 1, "too deeply nested");
	json_t *root = json_loadb(text.len ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL)
		return refuse(fault, error.line, error.column, error.text);
	fy_arena_on_finish(arena, free_document, root);
	*ret_value = outer(root);
	return 0;
}

enum fy_json_type fy_json_type(const struct fy_json_value *value)
{
	if (value == NULL)
		return 0;
	switch (json_typeof(inner(value))) {
	case JSON_OBJECT:
		return FY_JSON_OBJECT;
	case JSON_ARRAY:
		return FY_JSON_ARRAY;
	case JSON_STRING:
		return FY_JSON_STRING;
	case JSON_INTEGER:
		return FY_JSON_INT;
	case JSON_REAL:
		return FY_JSON_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return FY_JSON_BOOL;
	case JSON_NULL:
		return FY_JSON_NULL;
	}
	return 0;
}

const struct fy_json_value *fy_json_member(const struct fy_json_value *object, const char *key)
{
	return outer(json_object_get(inner(object), key));
}

size_t fy_json_size(const struct fy_json_value *container)
{
	return json_is_array(inner(container)) ? json_array_size(inner(container)) : json_object_size(inner(container));
}

const struct fy_json_value *fy_json_item(const struct fy_json_value *array, size_t index)
{
	return outer(json_array_get(inner(array), index));
}

/* *at holds jansson's own iterator between calls. */
bool fy_json_each(const struct fy_json_value *object, size_t *at, struct fy_slice *ret_key,
		  const struct fy_json_value **ret_value)
{
	if (*at == SIZE_MAX)
		return false;
	void *iter = *at ? json_object_iter_next(inner(object), (void *)*at) : json_object_iter(inner(object));
	*at = iter ? (size_t)iter : SIZE_MAX;
	if (iter == NULL)
		return false;
	*ret_key = fy_str(json_object_iter_key(iter));
	*ret_value = outer(json_object_iter_value(iter));
	return true;
}

int fy_json_as_str(const struct fy_json_value *value, struct fy_slice *ret_text)
{
	if (!json_is_string(inner(value)))
		return FY_ERR_INVALID;
	*ret_text = fy_slice(json_string_value(inner(value)), json_string_length(inner(value)));
	return 0;
}

int fy_json_as_int(const struct fy_json_value *value, int64_t *ret_number)
{
	if (!json_is_integer(inner(value)))
		return FY_ERR_INVALID;
	*ret_number = json_integer_value(inner(value));
	return 0;
}

int fy_json_as_bool(const struct fy_json_value *value, bool *ret_truth)
{
	if (!json_is_boolean(inner(value)))
		return FY_ERR_INVALID;
	*ret_truth = json_is_true(inner(value));
	return 0;
}

int fy_json_get_str(const struct fy_json_value *object, const char *key, struct fy_slice *ret_text)
{
	const struct fy_json_value *value = fy_json_member(object, key);
	return value ? fy_json_as_str(value, ret_text) : FY_ERR_NOT_FOUND;
}

int fy_json_get_int(const struct fy_json_value *object, const char *key, int64_t *ret_number)
{
	const struct fy_json_value *value = fy_json_member(object, key);
	return value ? fy_json_as_int(value, ret_number) : FY_ERR_NOT_FOUND;
}

int fy_json_get_bool(const struct fy_json_value *object, const char *key, bool *ret_truth)
{
	const struct fy_json_value *value = fy_json_member(object, key);
	return value ? fy_json_as_bool(value, ret_truth) : FY_ERR_NOT_FOUND;
}
