// SPDX-License-Identifier: GPL-2.0-or-later
/* assignment: what is logged of a slot's life, and that what cannot be is counted. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "assignment.h"

enum { NOW = 1700000000 }; /* 2023-11-14T22:13:20Z */

static char said[2048];

static void hear(const char *line, void *arg)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static struct assignment_log log_at(uint32_t now)
{
	const struct assignment_log log = {
		.interface = "wan", .family = AF_INET, .now = now, .budget = 100, .say = hear
	};

	said[0] = '\0';
	return log;
}

/* 192.168.1.HOST:25000, which has port 25000, or another one, of 203.0.113.2. */
static struct entry entry_of(unsigned int host, uint16_t port, bool is_live)
{
	struct entry entry = { .family = AF_INET, .protocol = NAT_UDP, .internal_port = 25000, .is_live = is_live };

	entry.internal[0] = htonl(0xc0a80100 + host);
	entry.external[0] = htonl(0xcb007102);
	entry.external_port = port;
	return entry;
}

#define ASSIGNED(host, port, time) "wan: assigned: udp 192.168.1." host ":25000 as 203.0.113.2:" port " at " time "\n"
#define RELEASED(host, port, from, to) \
	"wan: released: udp 192.168.1." host ":25000 as 203.0.113.2:" port " from " from " to " to "\n"
#define T0 "2023-11-14T22:13:20Z"
#define T1 "2023-11-14T22:13:21Z"
#define T2 "2023-11-14T22:13:22Z"

/* What one slot holds, second by second. */
static void test_life(void **state)
{
	static const struct {
		unsigned int host; /* 0: nothing lives */
		uint16_t epoch;
		const char *said;
		unsigned int lost;
	} seconds[] = {
		{ 0, 0, "", 0 },
		{ 7, 1, ASSIGNED("7", "25000", T1), 0 },
		{ 7, 1, "", 0 },
		{ 0, 1, RELEASED("7", "25000", T1, "2023-11-14T22:13:23Z"), 0 },
		{ 0, 1, "", 0 },
		{ 8, 2, ASSIGNED("8", "25000", "2023-11-14T22:13:25Z"), 0 },
		{ 9, 3,
		  RELEASED("8", "25000", "2023-11-14T22:13:25Z", "2023-11-14T22:13:26Z")
			  ASSIGNED("9", "25000", "2023-11-14T22:13:26Z"),
		  0 },
		{ 9, 6,
		  RELEASED("9", "25000", "2023-11-14T22:13:26Z", "2023-11-14T22:13:27Z")
			  ASSIGNED("9", "25000", "2023-11-14T22:13:27Z"),
		  4 },
	};
	struct assignment known = { .since = 0 };
	struct assignment_log log;
	struct entry entry;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
		print_message("# second %u\n", i);
		log = log_at(NOW + i);
		entry = entry_of(seconds[i].host, 25000, seconds[i].host);
		assignment_follow(&known, &entry, seconds[i].epoch, &log);
		assert_string_equal(said, seconds[i].said);
		assert_int_equal(log.lost, seconds[i].lost);
	}
}

/* One that came and went between two looks; the last epoch of all is followed by the first. */
static void test_short(void **state)
{
	struct assignment known = { .since = 0 };
	struct assignment_log log = log_at(NOW);
	struct entry entry = entry_of(7, 25000, false);

	(void)state;
	assignment_follow(&known, &entry, 0xffff, &log);
	assert_string_equal(said, "");
	log = log_at(NOW + 1);
	assignment_follow(&known, &entry, 0, &log);
	assert_string_equal(said, ASSIGNED("7", "25000", T1) RELEASED("7", "25000", T1, T1));
	assert_int_equal(log.lost, 0);
}

/* What is there when the log begins; a static mapping, which is none of it. */
static void test_begin(void **state)
{
	struct assignment known = { .since = 0 }, other = { .since = 0 };
	struct assignment_log log = log_at(NOW);
	struct entry entry = entry_of(7, 25000, true);

	(void)state;
	assignment_follow(&known, &entry, 5, &log);
	assert_string_equal(said, "wan: found assigned: udp 192.168.1.7:25000 as 203.0.113.2:25000 at " T0 "\n");
	entry.is_static = true;
	log = log_at(NOW);
	assignment_follow(&other, &entry, 0, &log);
	assert_string_equal(said, "");
	assignment_follow(&other, &entry, 0, &log);
	assert_string_equal(said, "");
}

static void test_rate(void **state)
{
	struct assignment known[5] = { { .since = 0 } };
	struct assignment_log log = log_at(NOW);
	struct entry entry;
	unsigned int i;

	(void)state;
	log.budget = 2;
	for (i = 0; i < 5; i++) {
		entry = entry_of(i, (uint16_t)(25000 + i), true);
		known[i].is_known = true;
		assignment_follow(&known[i], &entry, 1, &log);
	}
	assert_string_equal(said, ASSIGNED("0", "25000", T0) ASSIGNED("1", "25001", T0));
	assert_int_equal(log.lost, 3);
}

/* The slots are others: one mapping goes on, one has ended, one's port is somebody else's, one is new. */
static void test_carry(void **state)
{
	struct assignment before[3] = { { .since = 0 } }, after[4] = { { .since = 0 } };
	struct assignment_log log = log_at(NOW);
	struct entry entry;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		entry = entry_of(i, (uint16_t)(25000 + i), true);
		assignment_follow(&before[i], &entry, 1, &log);
	}
	entry = entry_of(2, 25002, true);
	assignment_follow(&after[0], &entry, 9, &log);
	entry = entry_of(9, 25000, true);
	assignment_follow(&after[2], &entry, 9, &log);
	entry = entry_of(3, 25003, true);
	assignment_follow(&after[3], &entry, 9, &log);
	log = log_at(NOW + 1);
	assignments_carry(before, 3, after, 4, &log);
	assert_string_equal(said, RELEASED("0", "25000", T0, T1) ASSIGNED("9", "25000", T1) ASSIGNED("3", "25003", T1)
					  RELEASED("1", "25001", T0, T1));
	log = log_at(NOW + 2);
	entry = entry_of(2, 25002, false);
	assignment_follow(&after[0], &entry, 9, &log);
	assert_string_equal(said, RELEASED("2", "25002", T0, T2));
}

static void test_ipv6(void **state)
{
	struct assignment known = { .is_known = true };
	struct assignment_log log = log_at(NOW);
	struct entry entry = entry_of(7, 25000, true);

	(void)state;
	log.family = AF_INET6;
	inet_pton(AF_INET6, "fd00::7", entry.internal);
	inet_pton(AF_INET6, "2001:db8::2", entry.external);
	assignment_follow(&known, &entry, 1, &log);
	assert_string_equal(said, "wan: assigned: udp [fd00::7]:25000 as [2001:db8::2]:25000 at " T0 "\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life), cmocka_unit_test(test_short), cmocka_unit_test(test_begin),
		cmocka_unit_test(test_rate), cmocka_unit_test(test_carry), cmocka_unit_test(test_ipv6),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("assignment", tests, NULL, NULL);
}
