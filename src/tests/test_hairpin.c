// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hairpin: the plan, and the way to it. The kernel is a list here: every step is checked to leave the machine reachable, and
 * the daemon is killed after each of them once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hairpin.h"

enum { LOCAL_PREF = 200, WAN = 3, MAC = 0xaa };

/* An interface wan with the address 203.0.113.2 and the internal interfaces that are named, up to NULL. */
struct fixture {
	struct config config;
	struct hairpin_external external;
};

static void fixture_init(struct fixture *fixture, const char *const *names)
{
	struct interface_config *wan;
	const char *why;

	memset(fixture, 0, sizeof(*fixture));
	config_init(&fixture->config);
	wan = config_add_interface(&fixture->config);
	strcpy(wan->name, "wan");
	assert_int_equal(interface_config_default_ports(wan), 0);
	for (; *names; names++)
		assert_int_equal(hairpin_config_add_interface(&wan->hairpin[CONFIG_IPV4], *names, &why), 0);
	fixture->external.config = wan;
	fixture->external.name = "wan";
	fixture->external.ifindex = WAN;
	fixture->external.is_up = true;
	fixture->external.is_ethernet = true;
	memset(fixture->external.mac, MAC, sizeof(fixture->external.mac));
	assert_int_equal(inet_pton(AF_INET, "203.0.113.2", fixture->external.addr), 1);
}

static struct hairpin_items plan_make(const struct fixture *fixture)
{
	struct hairpin_items wanted = { NULL, 0 };

	assert_int_equal(hairpin_plan(&wanted, CONFIG_IPV4, LOCAL_PREF, &fixture->external, 1), 0);
	return wanted;
}

static void items_print(const struct hairpin_items *items, char *text, size_t size)
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < items->count && used < size; i++) {
		hairpin_item_format(&items->items[i], NULL, text + used, size - used);
		used += strlen(text + used);
		used += (size_t)snprintf(text + used, size - used, "\n");
	}
}

static struct hairpin_item rule(uint32_t preference, uint32_t table, uint8_t owner)
{
	return (struct hairpin_item){
		.kind = HAIRPIN_RULE, .family = AF_INET, .owner = owner, .preference = preference, .table = table
	};
}

static struct hairpin_item neighbour(uint8_t owner, int mac)
{
	struct hairpin_item item = { .kind = HAIRPIN_NEIGHBOUR, .family = AF_INET, .owner = owner, .ifindex = WAN };

	inet_pton(AF_INET, "203.0.113.2", item.addr);
	memset(item.mac, mac, sizeof(item.mac));
	return item;
}

#define EXTERNAL_ITEMS                                    \
	"neighbour 203.0.113.2 dev 3 aa:aa:aa:aa:aa:aa\n" \
	"route 203.0.113.2 dev 3 table 4787\n"

static void test_plans(void **state)
{
	static const struct {
		const char *what, *names[4], *expected;
	} cases[] = {
		{ "nothing asked for", { NULL }, "" },
		{ "lo and lan",
		  { "lo", "lan" },
		  EXTERNAL_ITEMS "rule pref 100 iif lo ipproto tcp lookup 4787\n"
				 "rule pref 100 iif lan ipproto tcp lookup 4787\n"
				 "rule pref 100 iif lo ipproto udp lookup 4787\n"
				 "rule pref 100 iif lan ipproto udp lookup 4787\n"
				 "rule pref 200 lookup local\n" },
		{ "lan without lo: only what hairpinning has brought concerns the router itself",
		  { "lan" },
		  EXTERNAL_ITEMS "rule pref 100 iif lan ipproto tcp lookup 4787\n"
				 "rule pref 100 iif lo ipproto tcp dport 20000-29999 lookup 4787\n"
				 "rule pref 100 iif lan ipproto udp lookup 4787\n"
				 "rule pref 100 iif lo ipproto udp dport 20000-29999 lookup 4787\n"
				 "rule pref 200 lookup local\n" },
	};
	struct hairpin_items wanted;
	struct fixture fixture;
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		fixture_init(&fixture, cases[i].names);
		wanted = plan_make(&fixture);
		items_print(&wanted, text, sizeof(text));
		assert_string_equal(text, cases[i].expected);
		hairpin_items_free(&wanted);
		config_free(&fixture.config);
	}
}

/* Static mappings outside the managed ports: the router is to reach them, and its answers them. */
static void test_forwards(void **state)
{
	static const char *const words[] = { "tcp:8000=10.172.16.2:80", "tcp:19999-20000=10.172.16.2:90",
					     "udp:25000=10.172.16.2", "udp:8001=[fd00::2]" };
	static const char *const names[] = { "lan", NULL };
	struct hairpin_items wanted;
	struct fixture fixture;
	struct forward *forward;
	char text[2048];
	const char *why;
	size_t i;

	(void)state;
	fixture_init(&fixture, names);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		forward = interface_config_add_forward(&fixture.config.interfaces[0]);
		assert_non_null(forward);
		assert_int_equal(forward_parse(forward, words[i], &why), 0);
	}
	wanted = plan_make(&fixture);
	items_print(&wanted, text, sizeof(text));
	assert_string_equal(text, EXTERNAL_ITEMS "rule pref 100 iif lan ipproto tcp lookup 4787\n"
						 "rule pref 100 iif lo ipproto tcp dport 20000-29999 lookup 4787\n"
						 "rule pref 100 iif lo ipproto tcp dport 8000-8000 lookup 4787\n"
						 "rule pref 100 iif lo ipproto tcp dport 19999-20000 lookup 4787\n"
						 "rule pref 100 iif lan ipproto udp lookup 4787\n"
						 "rule pref 100 iif lo ipproto udp dport 20000-29999 lookup 4787\n"
						 "rule pref 200 lookup local\n");
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

/* ICMP has no ports; and a ragged set of them is spanned by one range. */
static void test_other_protocols_and_ports(void **state)
{
	static const char *const names[] = { "lan", NULL };
	struct hairpin_items wanted;
	struct fixture fixture;
	char text[2048];

	(void)state;
	fixture_init(&fixture, names);
	fixture.config.interfaces[0].hairpin[CONFIG_IPV4].ip_protocols[2] = IPPROTO_ICMP;
	assert_int_equal(port_set_add(&fixture.config.interfaces[0].ports[NAT_UDP], 40000, 40001), 0);
	wanted = plan_make(&fixture);
	items_print(&wanted, text, sizeof(text));
	assert_string_equal(text, EXTERNAL_ITEMS "rule pref 100 iif lan ipproto tcp lookup 4787\n"
						 "rule pref 100 iif lo ipproto tcp dport 20000-29999 lookup 4787\n"
						 "rule pref 100 iif lan ipproto udp lookup 4787\n"
						 "rule pref 100 iif lo ipproto udp dport 20000-40001 lookup 4787\n"
						 "rule pref 100 iif lan ipproto icmp lookup 4787\n"
						 "rule pref 100 iif lo ipproto icmp lookup 4787\n"
						 "rule pref 200 lookup local\n");
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

/* The same for IPv6. */
static void test_ipv6(void **state)
{
	struct hairpin_items wanted = { NULL, 0 };
	struct hairpin_config *hairpin;
	struct fixture fixture;
	const char *why;
	char text[2048];
	size_t i;

	(void)state;
	fixture_init(&fixture, (const char *const[]){ NULL });
	hairpin = &fixture.config.interfaces[0].hairpin[CONFIG_IPV6];
	assert_int_equal(hairpin_config_add_interface(hairpin, "lan", &why), 0);
	hairpin->ip_protocols[0] = IPPROTO_UDP;
	hairpin->ip_protocols[1] = IPPROTO_ICMPV6;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", fixture.external.addr), 1);
	assert_int_equal(hairpin_plan(&wanted, CONFIG_IPV4, LOCAL_PREF, &fixture.external, 1), 0);
	assert_int_equal(wanted.count, 0);
	assert_int_equal(hairpin_plan(&wanted, CONFIG_IPV6, LOCAL_PREF, &fixture.external, 1), 0);
	items_print(&wanted, text, sizeof(text));
	assert_string_equal(text, "neighbour 2001:db8::2 dev 3 aa:aa:aa:aa:aa:aa\n"
				  "route 2001:db8::2 dev 3 table 4787\n"
				  "rule pref 100 iif lan ipproto udp lookup 4787\n"
				  "rule pref 100 iif lo ipproto udp dport 20000-29999 lookup 4787\n"
				  "rule pref 100 iif lan ipproto ipv6-icmp lookup 4787\n"
				  "rule pref 100 iif lo ipproto ipv6-icmp lookup 4787\n"
				  "rule pref 200 lookup local\n");
	for (i = 0; i < wanted.count; i++)
		assert_int_equal(wanted.items[i].family, AF_INET6);
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

static void test_wants_nothing(void **state)
{
	static const char *const names[] = { "lo", "lan", NULL };
	struct hairpin_items wanted;
	struct fixture fixture;
	size_t i;

	(void)state;
	fixture_init(&fixture, names);
	fixture.external.is_up = false;
	wanted = plan_make(&fixture);
	assert_int_equal(wanted.count, 0);
	fixture.external.is_up = true;
	memset(fixture.external.addr, 0, sizeof(fixture.external.addr));
	wanted = plan_make(&fixture);
	assert_int_equal(wanted.count, 0);
	assert_int_equal(inet_pton(AF_INET, "203.0.113.2", fixture.external.addr), 1);
	fixture.external.is_ethernet = false; /* PPP: there are no neighbours */
	wanted = plan_make(&fixture);
	assert_int_equal(wanted.count, 6);
	for (i = 0; i < wanted.count; i++)
		assert_int_not_equal(wanted.items[i].kind, HAIRPIN_NEIGHBOUR);
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

/* Two external interfaces, one table: the rules are there once, routes and neighbours for each. */
static void test_two_externals(void **state)
{
	static const char *const names[] = { "lo", "lan", NULL };
	struct hairpin_external externals[2];
	struct hairpin_items wanted = { NULL, 0 };
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, names);
	externals[0] = externals[1] = fixture.external;
	externals[1].name = "wan2";
	externals[1].ifindex = WAN + 1;
	assert_int_equal(inet_pton(AF_INET, "198.51.100.2", externals[1].addr), 1);
	assert_int_equal(hairpin_plan(&wanted, CONFIG_IPV4, LOCAL_PREF, externals, 2), 0);
	assert_int_equal(wanted.count, 2 + 2 + 4 + 1);
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

static bool kernel_has(const struct hairpin_items *kernel, const struct hairpin_item *item)
{
	size_t i;

	for (i = 0; i < kernel->count; i++)
		if (hairpin_item_equal(&kernel->items[i], item))
			return true;
	return false;
}

static size_t kernel_local_rules(const struct hairpin_items *kernel)
{
	size_t i, count = 0;

	for (i = 0; i < kernel->count; i++)
		count += hairpin_is_local_rule(&kernel->items[i]);
	return count;
}

static void kernel_apply(struct hairpin_items *kernel, const struct hairpin_step *step)
{
	struct hairpin_item *old;
	size_t i;

	if (step->add) {
		assert_false(kernel_has(kernel, &step->item));
		for (i = 0; i < kernel->count; i++) { /* a neighbour replaces what has its address */
			old = &kernel->items[i];
			if (step->item.kind == HAIRPIN_NEIGHBOUR && old->kind == HAIRPIN_NEIGHBOUR &&
			    old->ifindex == step->item.ifindex && old->addr[0] == step->item.addr[0])
				kernel->items[i--] = kernel->items[--kernel->count];
		}
		assert_int_equal(hairpin_items_add(kernel, &step->item), 0);
		return;
	}
	assert_true(step->item.owner == HAIRPIN_OWNER || hairpin_is_local_rule(&step->item));
	for (i = 0; i < kernel->count && !hairpin_item_equal(&kernel->items[i], &step->item); i++)
		;
	assert_true(i < kernel->count);
	kernel->items[i] = kernel->items[--kernel->count];
	assert_true(kernel_local_rules(kernel) > 0);
}

/* Carries out at most `limit` steps. Returns how many there were. */
static size_t kernel_follow(struct hairpin_items *kernel, const struct hairpin_items *wanted,
			    struct hairpin_items *displaced, size_t limit)
{
	struct hairpin_steps steps = { NULL, 0 };
	const struct hairpin_item *conflict;
	size_t i, count;

	assert_int_equal(hairpin_changes(&steps, wanted, kernel, displaced, &conflict), 0);
	count = steps.count;
	for (i = 0; i < count && i < limit; i++)
		kernel_apply(kernel, &steps.steps[i]);
	hairpin_steps_free(&steps);
	return count;
}

static void kernel_check_wanted(const struct hairpin_items *kernel, const struct hairpin_items *wanted)
{
	size_t i;

	for (i = 0; i < wanted->count; i++)
		assert_true(kernel_has(kernel, &wanted->items[i]));
	for (i = 0; i < kernel->count; i++)
		assert_true(kernel->items[i].owner != HAIRPIN_OWNER || kernel->items[i].is_foreign ||
			    kernel_has(wanted, &kernel->items[i]));
}

static void kernel_check_same(const struct hairpin_items *a, const struct hairpin_items *b)
{
	size_t i;

	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++)
		assert_true(kernel_has(b, &a->items[i]));
}

static struct hairpin_items kernel_copy(const struct hairpin_items *kernel)
{
	struct hairpin_items copy = { NULL, 0 };
	size_t i;

	for (i = 0; i < kernel->count; i++)
		assert_int_equal(hairpin_items_add(&copy, &kernel->items[i]), 0);
	return copy;
}

/* What machines look like before. is_foreign rules are told apart by their preference. */
static const struct machine {
	const char *what;
	struct hairpin_item items[4];
	bool needs_move; /* of the local table's rule */
} machines[] = {
	{ "as it boots", { { .kind = HAIRPIN_RULE, .owner = RTPROT_KERNEL, .table = RT_TABLE_LOCAL } }, true },
	{ "the local rule stands behind already",
	  { { .kind = HAIRPIN_RULE, .owner = RTPROT_BOOT, .preference = 150, .table = RT_TABLE_LOCAL } },
	  false },
	{ "the local rule has been moved, but not far enough",
	  { { .kind = HAIRPIN_RULE, .owner = RTPROT_BOOT, .preference = 50, .table = RT_TABLE_LOCAL } },
	  true },
	{ "level with the hairpin rules",
	  { { .kind = HAIRPIN_RULE, .owner = RTPROT_BOOT, .preference = 100, .table = RT_TABLE_LOCAL } },
	  true },
	{ "two local rules",
	  { { .kind = HAIRPIN_RULE, .owner = RTPROT_KERNEL, .table = RT_TABLE_LOCAL },
	    { .kind = HAIRPIN_RULE, .owner = RTPROT_STATIC, .preference = 300, .table = RT_TABLE_LOCAL } },
	  true },
	{ "foreign rules, one of them just like ours but for its owner",
	  { { .kind = HAIRPIN_RULE, .owner = RTPROT_KERNEL, .table = RT_TABLE_LOCAL },
	    { .kind = HAIRPIN_RULE,
	      .owner = RTPROT_STATIC,
	      .preference = 100,
	      .table = 4787,
	      .iif = "lan",
	      .ip_protocol = IPPROTO_TCP },
	    { .kind = HAIRPIN_RULE, .owner = HAIRPIN_OWNER, .is_foreign = true, .preference = 100, .table = 4787 },
	    { .kind = HAIRPIN_RULE,
	      .owner = RTPROT_STATIC,
	      .preference = 10,
	      .is_foreign = true,
	      .table = RT_TABLE_LOCAL } },
	  true },
};

static struct hairpin_items machine_make(const struct machine *machine)
{
	struct hairpin_items kernel = { NULL, 0 };
	struct hairpin_item item;
	size_t i;

	for (i = 0; i < 4 && machine->items[i].table; i++) {
		item = machine->items[i];
		item.family = AF_INET;
		assert_int_equal(hairpin_items_add(&kernel, &item), 0);
	}
	return kernel;
}

static void test_there_and_back(void **state)
{
	static const char *const names[] = { "lan", NULL };
	struct hairpin_items nothing = { NULL, 0 }, displaced = { NULL, 0 }, before, kernel, wanted;
	struct hairpin_item local = rule(LOCAL_PREF, RT_TABLE_LOCAL, HAIRPIN_OWNER);
	struct fixture fixture;
	size_t i;

	(void)state;
	fixture_init(&fixture, names);
	wanted = plan_make(&fixture);
	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		print_message("# %s\n", machines[i].what);
		kernel = machine_make(&machines[i]);
		before = kernel_copy(&kernel);
		kernel_follow(&kernel, &wanted, &displaced, SIZE_MAX);
		assert_int_equal(kernel_has(&kernel, &local), machines[i].needs_move);
		assert_int_equal(kernel_follow(&kernel, &wanted, &displaced, SIZE_MAX), 0); /* and there it rests */
		if (machines[i].needs_move)
			kernel_check_wanted(&kernel, &wanted);
		kernel_follow(&kernel, &nothing, &displaced, SIZE_MAX);
		kernel_check_same(&kernel, &before);
		hairpin_items_free(&displaced);
		hairpin_items_free(&before);
		hairpin_items_free(&kernel);
	}
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

/* SIGKILL after each step, on the way there and on the way back: the next daemon goes on, and leaves all as it was. */
static void test_killed_after_each_step(void **state)
{
	static const char *const names[] = { "lan", NULL };
	struct hairpin_items nothing = { NULL, 0 }, displaced = { NULL, 0 }, before, kernel, wanted;
	struct fixture fixture;
	size_t kill_after, steps, back;

	(void)state;
	fixture_init(&fixture, names);
	wanted = plan_make(&fixture);
	before = machine_make(&machines[0]);
	for (back = 0; back < 2; back++) {
		steps = SIZE_MAX;
		for (kill_after = 0; kill_after <= steps; kill_after++) {
			kernel = kernel_copy(&before);
			steps = kernel_follow(&kernel, &wanted, &displaced, back ? SIZE_MAX : kill_after);
			if (back)
				steps = kernel_follow(&kernel, &nothing, &displaced, kill_after);
			hairpin_items_free(&displaced); /* dies */
			if (kill_after % 2) {
				kernel_follow(&kernel, &wanted, &displaced, SIZE_MAX);
				kernel_check_wanted(&kernel, &wanted);
			}
			kernel_follow(&kernel, &nothing, &displaced, SIZE_MAX);
			kernel_check_same(&kernel, &before);
			hairpin_items_free(&displaced);
			hairpin_items_free(&kernel);
		}
		assert_true(steps >= 8);
	}
	hairpin_items_free(&before);
	hairpin_items_free(&wanted);
	config_free(&fixture.config);
}

/* What changes around it: address, hardware address, index, another set of interfaces. */
static void test_follows_changes(void **state)
{
	static const char *const names[] = { "lo", "lan", NULL };
	struct hairpin_items nothing = { NULL, 0 }, displaced = { NULL, 0 }, before, kernel, wanted;
	struct fixture fixture;
	int change;

	(void)state;
	fixture_init(&fixture, names);
	before = machine_make(&machines[0]);
	kernel = kernel_copy(&before);
	for (change = 0; change < 6; change++) {
		if (change == 1)
			assert_int_equal(inet_pton(AF_INET, "203.0.113.77", fixture.external.addr), 1);
		if (change == 2)
			memset(fixture.external.mac, 0xbb, sizeof(fixture.external.mac));
		if (change == 3)
			fixture.external.ifindex++;
		if (change == 4) /* lo goes */
			memmove(fixture.config.interfaces[0].hairpin[CONFIG_IPV4].internal_ifs,
				"lan\0\0\0\0\0\0\0\0\0\0\0\0\0wg0\0\0\0\0\0\0\0\0\0\0\0\0", 2 * IFNAMSIZ);
		if (change == 5)
			fixture.external.is_up = false;
		wanted = plan_make(&fixture);
		assert_true(kernel_follow(&kernel, &wanted, &displaced, SIZE_MAX) > 0);
		kernel_check_wanted(&kernel, &wanted);
		hairpin_items_free(&wanted);
	}
	kernel_follow(&kernel, &nothing, &displaced, SIZE_MAX);
	kernel_check_same(&kernel, &before);
	hairpin_items_free(&displaced);
	hairpin_items_free(&before);
	hairpin_items_free(&kernel);
	config_free(&fixture.config);
}

static void test_foreign_neighbours(void **state)
{
	static const char *const names[] = { "lo", "lan", NULL };
	struct hairpin_items nothing = { NULL, 0 }, displaced = { NULL, 0 }, kernel = { NULL, 0 }, wanted;
	struct hairpin_item same = neighbour(RTPROT_UNSPEC, MAC), other = neighbour(RTPROT_UNSPEC, 0xbb);
	struct hairpin_item boot = rule(0, RT_TABLE_LOCAL, RTPROT_KERNEL);
	struct hairpin_steps steps = { NULL, 0 };
	const struct hairpin_item *conflict = NULL;
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, names);
	wanted = plan_make(&fixture);
	assert_int_equal(hairpin_items_add(&kernel, &boot), 0);
	assert_int_equal(hairpin_items_add(&kernel, &same), 0);
	kernel_follow(&kernel, &wanted, &displaced, SIZE_MAX); /* it serves */
	kernel_follow(&kernel, &nothing, &displaced, SIZE_MAX);
	assert_int_equal(kernel.count, 2);
	assert_true(kernel_has(&kernel, &same)); /* and stays */
	hairpin_items_free(&displaced);

	kernel.count = 1;
	assert_int_equal(hairpin_items_add(&kernel, &other), 0);
	assert_int_equal(hairpin_changes(&steps, &wanted, &kernel, &displaced, &conflict), -EEXIST);
	assert_ptr_equal(conflict, &wanted.items[0]);
	hairpin_steps_free(&steps);
	hairpin_items_free(&displaced);
	hairpin_items_free(&wanted);
	hairpin_items_free(&kernel);
	config_free(&fixture.config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_other_protocols_and_ports),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_wants_nothing),
		cmocka_unit_test(test_two_externals),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_killed_after_each_step),
		cmocka_unit_test(test_follows_changes),
		cmocka_unit_test(test_foreign_neighbours),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hairpin", tests, NULL, NULL);
}
