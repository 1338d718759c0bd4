// SPDX-License-Identifier: GPL-2.0-or-later
/* external_plan: what the configuration's externals come to, with the addresses that an interface has. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_file.h"
#include "external_plan.h"

#define RULE   "[[interfaces.externals]]\n"
#define ONLY   "default_externals = false\n"
#define EVERY4 "network = \"0.0.0.0/0\"\nno_snat = true\nno_hairpin = true\n"

enum { ADDRESSES_MAX = 6 };

/* With this family on, or with both for 0. */
static void config_read(struct config *config, int family, const char *text)
{
	char whole[1024], error[512];

	snprintf(whole, sizeof(whole), "[[interfaces]]\nif_name = \"wan\"\nnat44 = %s\nnat66 = %s\n%s",
		 family == AF_INET6 ? "false" : "true", family == AF_INET ? "false" : "true", text);
	if (config_file_parse(config, "f", whole, strlen(whole), error, sizeof(error)))
		fail_msg("%s", error);
}

static void address_set(struct interface_address *address, const char *text)
{
	memset(address, 0, sizeof(*address));
	assert_int_equal(address_parse(text, &address->family, address->addr), 0);
	address->prefix_length = address->family == AF_INET ? 24 : 64;
	address->scope = RT_SCOPE_UNIVERSE;
	memcpy(address->local, address->addr, sizeof(address->local));
}

static size_t text_add(char *text, size_t size, size_t used, int family, const __be32 addr[4], unsigned int length)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(family, addr, address, sizeof(address));
	used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", address);
	if (length != (family == AF_INET ? 32 : 128))
		used += (size_t)snprintf(text + used, size - used, "/%u", length);
	return used;
}

static void plan_print(const struct external_plan *plan, int family, char *text, size_t size)
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < plan->count; i++)
		used = text_add(text, size, used, family, plan->sources[i], family == AF_INET ? 32 : 128);
	used += (size_t)snprintf(text + used, size - used, " |");
	for (i = 0; i < plan->exempt_count; i++)
		used = text_add(text, size, used, family, plan->exempt[i].addr, plan->exempt[i].length);
}

static void test_plans(void **state)
{
	static const struct {
		const char *what, *text;
		int family;
		const char *addresses[ADDRESSES_MAX];
		const char *plan; /* the sources | what passes */
	} cases[] = {
		{ "by default the interface's address", "", AF_INET, { "203.0.113.2" }, "203.0.113.2 |" },
		{ "none yet", "", AF_INET, { NULL }, "0.0.0.0 |" },
		{ "of the other family only", "", AF_INET6, { "203.0.113.2" }, ":: |" },
		{ "a second address passes",
		  "",
		  AF_INET,
		  { "203.0.113.2", "203.0.113.3" },
		  "203.0.113.2 | 203.0.113.3" },
		{ "an address that the interface has not",
		  ONLY RULE "address = \"192.0.2.7\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "192.0.2.7 |" },
		{ "and the default behind it",
		  RULE "address = \"192.0.2.7\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "192.0.2.7 203.0.113.2 |" },
		{ "the same address only once",
		  RULE "address = \"203.0.113.2\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "203.0.113.2 0.0.0.0 |" },
		{ "no default: an address that nobody names is not external",
		  ONLY RULE "match_address = \"192.0.2.0/24\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "0.0.0.0 |" },
		{ "a match is the address that matches",
		  ONLY RULE "match_address = \"192.0.2.0/24\"",
		  AF_INET,
		  { "203.0.113.2", "192.0.2.9" },
		  "192.0.2.9 |" },
		{ "a range, both ends in it",
		  ONLY RULE "match_address = { start = \"203.0.113.3\", end = \"203.0.113.4\" }",
		  AF_INET,
		  { "203.0.113.2", "203.0.113.4", "203.0.113.5" },
		  "203.0.113.4 |" },
		{ "in the order of the rules, not of the addresses",
		  RULE "match_address = \"192.0.2.0/24\"\n" RULE "match_address = \"198.51.100.0/24\"",
		  AF_INET,
		  { "203.0.113.2", "198.51.100.5", "192.0.2.9" },
		  "192.0.2.9 198.51.100.5 203.0.113.2 |" },
		{ "two matches give two addresses",
		  ONLY RULE "match_address = \"192.0.2.0/24\"\n" RULE "match_address = \"192.0.2.0/24\"",
		  AF_INET,
		  { "192.0.2.8", "192.0.2.9" },
		  "192.0.2.8 192.0.2.9 |" },
		{ "a network is external as a whole",
		  ONLY RULE "network = \"203.0.113.5/24\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "203.0.113.5 | 203.0.113.0/24" },
		{ "no_snat: its address passes",
		  RULE "address = \"203.0.113.2\"\nno_snat = true",
		  AF_INET,
		  { "203.0.113.2", "203.0.113.3" },
		  "203.0.113.3 | 203.0.113.2" },
		{ "no_snat: every match passes",
		  RULE "match_address = \"192.0.2.0/24\"\nno_snat = true",
		  AF_INET,
		  { "192.0.2.8", "203.0.113.2", "192.0.2.9" },
		  "203.0.113.2 | 192.0.2.8 192.0.2.9" },
		{ "an address behind a network that passes",
		  RULE EVERY4 RULE "address = \"192.0.2.7\"",
		  AF_INET,
		  { "203.0.113.2" },
		  "192.0.2.7 203.0.113.2 | 0.0.0.0/0" },
		{ "the earlier of two for one network",
		  ONLY RULE "network = \"192.0.2.5/24\"\n" RULE "network = \"192.0.2.6/24\"",
		  AF_INET,
		  { NULL },
		  "192.0.2.5 | 192.0.2.0/24" },
		{ "an internal network is no source",
		  RULE "network = \"192.168.0.0/16\"\nis_internal = true",
		  AF_INET,
		  { "203.0.113.2" },
		  "203.0.113.2 |" },
		{ "IPv6",
		  RULE "match_address = \"2001:db8:1::/48\"",
		  AF_INET6,
		  { "2001:db8::2", "203.0.113.2", "2001:db8:1::9" },
		  "2001:db8:1::9 2001:db8::2 |" },
		{ "rules of the other family do not count",
		  RULE "address = \"192.0.2.7\"",
		  AF_INET6,
		  { "2001:db8::2" },
		  "2001:db8::2 |" },
	};
	struct interface_address addresses[ADDRESSES_MAX];
	struct external_plan plan;
	struct config config;
	size_t i, count;
	char text[512];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		config_read(&config, cases[i].family, cases[i].text);
		for (count = 0; count < ADDRESSES_MAX && cases[i].addresses[count]; count++)
			address_set(&addresses[count], cases[i].addresses[count]);
		assert_int_equal(external_plan_init(&plan, &config.interfaces[0], cases[i].family), 0);
		assert_int_equal(external_plan_update(&plan, &config.interfaces[0], cases[i].family, addresses, count),
				 0);
		plan_print(&plan, cases[i].family, text, sizeof(text));
		assert_string_equal(text, cases[i].plan);
		/* The same addresses again change nothing. */
		assert_int_equal(external_plan_update(&plan, &config.interfaces[0], cases[i].family, addresses, count),
				 0);
		plan_print(&plan, cases[i].family, text, sizeof(text));
		assert_string_equal(text, cases[i].plan);
		external_plan_free(&plan);
		config_free(&config);
	}
}

static void test_internals(void **state)
{
	static const struct {
		const char *what, *text;
		int family;
		const char *internals;
	} cases[] = {
		{ "everybody is internal", "", AF_INET, "" },
		{ "only these", "snat_internals = [\"192.168.1.0/24\", \"10.0.0.0/8\", \"2001:db8::/32\"]", AF_INET,
		  "192.168.1.0/24 10.0.0.0/8" },
		{ "only these, of the other family", "snat_internals = [\"192.168.1.0/24\"]", AF_INET6, "::" },
		{ "a network back from an external one", RULE "network = \"10.1.2.3/8\"\nis_internal = true", AF_INET,
		  "10.0.0.0/8 0.0.0.0/0" },
		{ "a network back from everything", RULE EVERY4 RULE "network = \"10.0.0.0/8\"\nis_internal = true",
		  AF_INET, "10.0.0.0/8" },
		{ "as snat_internals says it is", "snat_internals = [\"10.0.0.0/8\"]", AF_INET, "10.0.0.0/8" },
		{ "the earlier of two for one network", RULE EVERY4 RULE "network = \"0.0.0.0/0\"\nis_internal = true",
		  AF_INET, "" },
	};
	struct ip_prefix *internals;
	struct config config;
	size_t i, n, count, used;
	char text[256];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		config_read(&config, 0, cases[i].text);
		assert_int_equal(external_plan_internals(&config.interfaces[0], cases[i].family, &internals, &count),
				 0);
		text[0] = '\0';
		for (n = 0, used = 0; n < count; n++)
			used = text_add(text, sizeof(text), used, cases[i].family, internals[n].addr,
					internals[n].length);
		assert_string_equal(text, cases[i].internals);
		free(internals);
		config_free(&config);
	}
}

/* Of several that match, the one that was chosen stays, whatever comes beside it; a new one only where it is gone. */
static void test_choice_stays(void **state)
{
	struct interface_address addresses[2];
	struct external_plan plan;
	struct config config;
	char text[128];

	(void)state;
	config_read(&config, AF_INET, ONLY RULE "match_address = \"192.0.2.0/24\"");
	address_set(&addresses[0], "192.0.2.9");
	address_set(&addresses[1], "192.0.2.8");
	assert_int_equal(external_plan_init(&plan, &config.interfaces[0], AF_INET), 0);
	assert_int_equal(external_plan_update(&plan, &config.interfaces[0], AF_INET, addresses, 2), 0);
	assert_int_equal(external_plan_update(&plan, &config.interfaces[0], AF_INET, addresses + 1, 1), 0);
	plan_print(&plan, AF_INET, text, sizeof(text));
	assert_string_equal(text, "192.0.2.8 |");
	assert_int_equal(external_plan_update(&plan, &config.interfaces[0], AF_INET, addresses, 0), 0);
	plan_print(&plan, AF_INET, text, sizeof(text));
	assert_string_equal(text, "0.0.0.0 |");
	external_plan_free(&plan);
	config_free(&config);
}

static void test_refused(void **state)
{
	char text[NAT_EXTERNALS_MAX * 64 + 64], *to = text;
	struct external_plan plan;
	struct config config;
	int i;

	(void)state;
	config_read(&config, AF_INET, "");
	config.interfaces[0].default_externals = false;
	assert_int_equal(external_plan_init(&plan, &config.interfaces[0], AF_INET), -ENOENT);
	config_free(&config);
	*to = '\0';
	for (i = 1; i < NAT_EXTERNALS_MAX; i++)
		to += sprintf(to, RULE "address = \"192.0.2.%d\"\n", i);
	config_read(&config, AF_INET, text);
	assert_int_equal(external_plan_init(&plan, &config.interfaces[0], AF_INET), 0);
	assert_int_equal(plan.count, NAT_EXTERNALS_MAX);
	assert_ptr_equal(plan.rules[0], &config.interfaces[0].externals[0]);
	assert_null(plan.rules[NAT_EXTERNALS_MAX - 1]);
	config.interfaces[0].externals[1].no_snat = true;
	assert_int_equal(external_plan_init(&plan, &config.interfaces[0], AF_INET), 0);
	assert_int_equal(plan.count, NAT_EXTERNALS_MAX - 1);
	config_free(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_internals),
		cmocka_unit_test(test_choice_stays),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("external_plan", tests, NULL, NULL);
}
