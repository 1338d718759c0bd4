// SPDX-License-Identifier: GPL-2.0-or-later
/* port_set: what users write, and what is kept of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "port_set.h"

static void set_print(const struct port_set *set, char *text, size_t size)
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < set->count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u-%u", i ? " " : "", set->ranges[i].first,
					 set->ranges[i].last);
}

static void test_words(void **state)
{
	static const struct {
		const char *word;
		int err;
		const char *expected; /* the set, or why not */
	} cases[] = {
		{ "20000-29999", 0, "20000-29999" },
		{ "7", 0, "7-7" },
		{ "7-7", 0, "7-7" },
		{ "0-65535", 0, "0-65535" },
		{ "65535", 0, "65535-65535" },
		{ "0020-0030", 0, "20-30" },
		{ "30000-20000", -EINVAL, "begin is above end" },
		{ "1-65536", -EINVAL, "port above 65535" },
		{ "4294967297", -EINVAL, "port above 65535" },
		{ "99999999999999999999", -EINVAL, "port above 65535" },
		{ "", -EINVAL, "not a port range such as 20000-29999" },
		{ "-", -EINVAL, "not a port range such as 20000-29999" },
		{ "1-", -EINVAL, "not a port range such as 20000-29999" },
		{ "-1", -EINVAL, "not a port range such as 20000-29999" },
		{ "+1", -EINVAL, "not a port range such as 20000-29999" },
		{ " 1", -EINVAL, "not a port range such as 20000-29999" },
		{ "1-2-3", -EINVAL, "not a port range such as 20000-29999" },
		{ "1,2", -EINVAL, "not a port range such as 20000-29999" },
		{ "http", -EINVAL, "not a port range such as 20000-29999" },
		{ "0x10", -EINVAL, "not a port range such as 20000-29999" },
	};
	struct port_set set;
	const char *why;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# \"%s\"\n", cases[i].word);
		memset(&set, 0, sizeof(set));
		why = NULL;
		assert_int_equal(port_set_parse(&set, cases[i].word, &why), cases[i].err);
		set_print(&set, text, sizeof(text));
		assert_string_equal(cases[i].err ? why : text, cases[i].expected);
		if (cases[i].err)
			assert_int_equal(set.count, 0);
		port_set_free(&set);
	}
}

static void test_merging(void **state)
{
	static const struct {
		const char *what, *words[6], *expected;
		size_t size;
	} cases[] = {
		{ "sorted", { "30-40", "10-20" }, "10-20 30-40", 22 },
		{ "adjacent ones join", { "10-20", "21-30" }, "10-30", 21 },
		{ "adjacent ones join, the later first", { "21-30", "10-20" }, "10-30", 21 },
		{ "a gap of one stays", { "10-20", "22-30" }, "10-20 22-30", 20 },
		{ "overlapping", { "10-20", "15-30" }, "10-30", 21 },
		{ "inside another", { "10-30", "15-20" }, "10-30", 21 },
		{ "around another", { "15-20", "10-30" }, "10-30", 21 },
		{ "bridges two", { "10-20", "30-40", "21-29" }, "10-40", 31 },
		{ "swallows three of five",
		  { "1-2", "10-11", "20-21", "30-31", "40-41", "9-32" },
		  "1-2 9-32 40-41",
		  28 },
		{ "between two", { "10-20", "50-60", "30-40" }, "10-20 30-40 50-60", 33 },
		{ "to the last port", { "65535", "65534" }, "65534-65535", 2 },
		{ "everything", { "1-65535", "0" }, "0-65535", 65536 },
	};
	struct port_set set;
	const char *why;
	char text[128];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		memset(&set, 0, sizeof(set));
		for (n = 0; n < 6 && cases[i].words[n]; n++)
			assert_int_equal(port_set_parse(&set, cases[i].words[n], &why), 0);
		set_print(&set, text, sizeof(text));
		assert_string_equal(text, cases[i].expected);
		assert_int_equal(port_set_size(&set), cases[i].size);
		port_set_free(&set);
	}
}

/* Against a plain table of booleans: whatever is added in whatever order. */
static void test_against_a_table(void **state)
{
	static bool table[65536];
	struct port_set set = { NULL, 0 };
	unsigned int seed = 1, round, port;
	size_t expected = 0;

	(void)state;
	for (round = 0; round < 200; round++) {
		uint16_t first = (uint16_t)rand_r(&seed), last = (uint16_t)(first + rand_r(&seed) % 200);

		if (first > last) {
			assert_int_equal(port_set_add(&set, first, last), -EINVAL);
			continue;
		}
		assert_int_equal(port_set_add(&set, first, last), 0);
		for (port = first; port <= last; port++)
			table[port] = true;
	}
	for (port = 0; port < 65536; port++) {
		expected += table[port];
		assert_int_equal(port_set_contains(&set, (uint16_t)port), table[port]);
	}
	assert_int_equal(port_set_size(&set), expected);
	for (size_t i = 1; i < set.count; i++)
		assert_true(set.ranges[i - 1].last + 1 < set.ranges[i].first);
	port_set_free(&set);
	port_set_free(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_against_a_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("port_set", tests, NULL, NULL);
}
