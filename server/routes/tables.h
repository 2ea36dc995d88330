/* The route tables of all features; tables.c puts them together. One pair a feature, in its own file. */
#pragma once

#include "server/http/route.h"

#define FY_ROUTE_TABLES(X) \
	X(health)          \
	X(site)            \
	X(privacy)         \
	X(register)        \
	X(login)           \
	X(password)        \
	X(account)         \
	X(security)        \
	X(email_change)    \
	X(erasure)         \
	X(contact)         \
	X(requests)        \
	X(export)          \
	X(privacy_request) \
	X(people)          \
	X(notice)          \
	X(withdraw)        \
	X(manage_login)    \
	X(manage_sessions) \
	X(manage_contact)  \
	X(manage_requests) \
	X(record_request)  \
	X(manage_breaches) \
	X(manage_holds)    \
	X(manage_studies)  \
	X(breach_facts)    \
	X(breach_letter)   \
	X(manage_jobs)     \
	X(manage_privacy)  \
	X(manage_people)   \
	X(manage_person)   \
	X(manage_access)   \
	X(account_access)  \
	X(api_me)          \
	X(api_people)      \
	X(api_manage)

#define FY_ROUTE_TABLE_DECLARE(name)                       \
	extern const struct fy_route fy_##name##_routes[]; \
	extern const unsigned fy_##name##_route_count;
FY_ROUTE_TABLES(FY_ROUTE_TABLE_DECLARE)
