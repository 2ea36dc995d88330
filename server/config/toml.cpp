/* toml++ behind the C face of toml.h. Exceptions are off: a syntax error is a result, and running out of
 * memory ends the process as it does everywhere else. Compiled once, header only, so that no C++ library
 * of Debian's beside libstdc++ has to be there at run time. */
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <cstdio>
#include <string_view>
#include <vector>

#include "server/config/toml.h"

static fy_toml_text text_of(std::string_view text)
{
	return fy_toml_text{ text.data(), text.size() };
}

static void visit_value(fy_toml_text section, fy_toml_text key, const toml::node &node, fy_toml_visit_fn visit, void *arg)
{
	fy_toml_value value{};
	std::vector<fy_toml_text> list;

	value.kind = FY_TOML_OTHER;
	value.line = node.source().begin.line;
	if (const auto *b = node.as_boolean()) {
		value.kind = FY_TOML_BOOL;
		value.boolean = b->get();
	} else if (const auto *i = node.as_integer()) {
		value.kind = FY_TOML_INT;
		value.integer = i->get();
	} else if (const auto *s = node.as_string()) {
		value.kind = FY_TOML_TEXT;
		value.text = text_of(s->get());
	} else if (node.is_table()) {
		value.kind = FY_TOML_TABLE;
	} else if (const auto *a = node.as_array()) {
		value.kind = FY_TOML_LIST;
		for (const toml::node &item : *a) {
			if (const auto *text = item.as_string())
				list.push_back(text_of(text->get()));
			else
				value.kind = FY_TOML_OTHER;
		}
		value.list = list.data();
		value.count = list.size();
	}
	visit(arg, section, key, &value);
}

extern "C" bool fy_toml_visit(fy_toml_text text, fy_toml_visit_fn visit, void *arg, unsigned *ret_line, char *ret_error,
			      size_t error_size)
{
	const toml::parse_result parsed = toml::parse(std::string_view(text.len ? text.ptr : "", text.len));

	if (!parsed) {
		std::string_view why = parsed.error().description();
		*ret_line = parsed.error().source().begin.line;
		std::snprintf(ret_error, error_size, "%.*s", (int)why.size(), why.data());
		return false;
	}
	for (auto &&[name, node] : parsed.table()) {
		const toml::table *section = node.as_table();
		if (section == nullptr) {
			visit_value(fy_toml_text{ nullptr, 0 }, text_of(name.str()), node, visit, arg);
			continue;
		}
		visit_value(text_of(name.str()), fy_toml_text{ nullptr, 0 }, node, visit, arg);
		for (auto &&[key, value] : *section)
			visit_value(text_of(name.str()), text_of(key.str()), value, visit, arg);
	}
	return true;
}
