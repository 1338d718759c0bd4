// SPDX-License-Identifier: GPL-2.0-or-later
/* external: which of an interface's addresses packets leave from. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "external.h"

struct given {
	const char *addr, *local; /* as IFA_ADDRESS and IFA_LOCAL; NULL: not there */
	uint32_t flags;
	uint8_t scope;
};

static struct interface_address address_make(const struct given *given)
{
	struct interface_address address = { .flags = given->flags, .scope = given->scope };

	address.family = strchr(given->addr, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(address.family, given->addr, address.addr), 1);
	if (given->local)
		assert_int_equal(inet_pton(address.family, given->local, address.local), 1);
	return address;
}

static void test_choice(void **state)
{
	static const struct {
		const char *what;
		struct given given[4];
		const char *ipv4, *ipv6; /* chosen; NULL: none */
	} cases[] = {
		{ "no address at all", { { 0 } }, NULL, NULL },
		{ "the only one", { { "203.0.113.2", "203.0.113.2", IFA_F_PERMANENT, 0 } }, "203.0.113.2", NULL },
		{ "the first of two, by the kernel's order, not by number",
		  { { "203.0.113.9", "203.0.113.9", 0, 0 }, { "203.0.113.2", "203.0.113.2", 0, 0 } },
		  "203.0.113.9",
		  NULL },
		{ "a primary one behind a secondary",
		  { { "203.0.113.9", "203.0.113.9", IFA_F_SECONDARY, 0 }, { "198.51.100.2", "198.51.100.2", 0, 0 } },
		  "198.51.100.2",
		  NULL },
		{ "point to point: ours, not the peer's",
		  { { "198.51.100.1", "203.0.113.2", 0, 0 } },
		  "203.0.113.2",
		  NULL },
		{ "PPP before negotiation: unspecified never counts", { { "0.0.0.0", "0.0.0.0", 0, 0 } }, NULL, NULL },
		{ "a deprecated one gives way",
		  { { "203.0.113.2", "203.0.113.2", IFA_F_DEPRECATED, 0 }, { "203.0.113.3", "203.0.113.3", 0, 0 } },
		  "203.0.113.3",
		  NULL },
		{ "only a deprecated one: better than none (RFC 4862 section 5.5.4)",
		  { { "203.0.113.2", "203.0.113.2", IFA_F_DEPRECATED, 0 },
		    { "2001:db8::2", NULL, IFA_F_DEPRECATED, 0 } },
		  "203.0.113.2",
		  "2001:db8::2" },
		{ "scope link does not leave the link",
		  { { "169.254.1.1", "169.254.1.1", 0, RT_SCOPE_LINK } },
		  NULL,
		  NULL },
		{ "scope host does not leave the host",
		  { { "127.0.0.1", "127.0.0.1", 0, RT_SCOPE_HOST } },
		  NULL,
		  NULL },
		{ "IPv6 has no IFA_LOCAL without a peer", { { "2001:db8::2", NULL, 0, 0 } }, NULL, "2001:db8::2" },
		{ "IPv6: link-local and tentative are passed over",
		  { { "fe80::1", NULL, 0, RT_SCOPE_LINK },
		    { "2001:db8::2", NULL, IFA_F_TENTATIVE, 0 },
		    { "2001:db8::3", NULL, 0, 0 } },
		  NULL,
		  "2001:db8::3" },
		{ "IPv6: a duplicate and an optimistic one",
		  { { "2001:db8::2", NULL, IFA_F_DADFAILED, 0 }, { "2001:db8::3", NULL, IFA_F_OPTIMISTIC, 0 } },
		  NULL,
		  NULL },
		{ "IPv6: a privacy address gives way",
		  { { "2001:db8::4", NULL, IFA_F_TEMPORARY, 0 },
		    { "2001:db8::2", NULL, 0, 0 },
		    { "2001:db8::5", NULL, IFA_F_TEMPORARY, 0 } },
		  NULL,
		  "2001:db8::2" },
		{ "IPv6: a privacy address alone is better than none",
		  { { "2001:db8::4", NULL, IFA_F_TEMPORARY, 0 }, { "fe80::1", NULL, 0, RT_SCOPE_LINK } },
		  NULL,
		  "2001:db8::4" },
		{ "IPv6: and than a deprecated one",
		  { { "2001:db8::4", NULL, IFA_F_TEMPORARY, 0 }, { "2001:db8::2", NULL, IFA_F_DEPRECATED, 0 } },
		  NULL,
		  "2001:db8::4" },
		{ "IPv6: the oldest, which the kernel names last",
		  { { "2001:db8::9", NULL, 0, 0 }, { "2001:db8::2", NULL, 0, 0 }, { "2001:db8::5", NULL, 0, 0 } },
		  NULL,
		  "2001:db8::5" },
		{ "IPv6: unique local ones do not reach the Internet",
		  { { "fc00::2", NULL, 0, 0 },
		    { "2001:db8::2", NULL, IFA_F_DEPRECATED, 0 },
		    { "fd00::2", NULL, 0, 0 } },
		  NULL,
		  "2001:db8::2" },
		{ "IPv6: a unique local one alone serves",
		  { { "fd00::2", NULL, 0, 0 }, { "fe80::1", NULL, 0, RT_SCOPE_LINK } },
		  NULL,
		  "fd00::2" },
		{ "the families do not mix",
		  { { "2001:db8::2", NULL, 0, 0 }, { "203.0.113.2", "203.0.113.2", 0, 0 } },
		  "203.0.113.2",
		  "2001:db8::2" },
	};
	struct interface_address list[4];
	__be32 chosen[4], expected[4];
	size_t i, n;
	int v;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		for (n = 0; n < 4 && cases[i].given[n].addr; n++)
			list[n] = address_make(&cases[i].given[n]);
		for (v = 0; v < 2; v++) {
			const char *want = v ? cases[i].ipv6 : cases[i].ipv4;
			int family = v ? AF_INET6 : AF_INET;

			memset(expected, 0, sizeof(expected));
			memset(chosen, 0, sizeof(chosen));
			if (want)
				assert_int_equal(inet_pton(family, want, expected), 1);
			assert_int_equal(external_choose(list, n, family, chosen), !!want);
			assert_memory_equal(chosen, expected, sizeof(chosen));
		}
	}
}

/* Mappings die with their address: it changes only for a better one, or when it is gone. */
static void test_last_choice(void **state)
{
	static const struct {
		const char *what, *before;
		struct given given[3];
		const char *chosen; /* NULL: none */
	} cases[] = {
		{ "it stays, whatever comes in front of it or behind",
		  "203.0.113.2",
		  { { "203.0.113.9", NULL, 0, 0 }, { "203.0.113.2", NULL, 0, 0 }, { "203.0.113.3", NULL, 0, 0 } },
		  "203.0.113.2" },
		{ "IPv6: the same",
		  "2001:db8::2",
		  { { "2001:db8::9", NULL, 0, 0 }, { "2001:db8::2", NULL, 0, 0 }, { "2001:db8::5", NULL, 0, 0 } },
		  "2001:db8::2" },
		{ "it is gone", "203.0.113.2", { { "203.0.113.9", NULL, 0, 0 } }, "203.0.113.9" },
		{ "it is gone, and there is no other", "203.0.113.2", { { 0 } }, NULL },
		{ "IPv6: it is gone, and there is no other",
		  "2001:db8::2",
		  { { "fe80::1", NULL, 0, RT_SCOPE_LINK } },
		  NULL },
		{ "it is deprecated, and there is another",
		  "203.0.113.2",
		  { { "203.0.113.2", NULL, IFA_F_DEPRECATED, 0 }, { "203.0.113.9", NULL, 0, 0 } },
		  "203.0.113.9" },
		{ "it is deprecated, and there is no other",
		  "2001:db8::2",
		  { { "2001:db8::2", NULL, IFA_F_DEPRECATED, 0 }, { "fd00::2", NULL, 0, 0 } },
		  "2001:db8::2" },
		{ "it is being checked again",
		  "2001:db8::2",
		  { { "2001:db8::9", NULL, 0, 0 }, { "2001:db8::2", NULL, IFA_F_TENTATIVE, 0 } },
		  "2001:db8::9" },
		{ "it is unique local, and there is a better one",
		  "fd00::2",
		  { { "2001:db8::9", NULL, 0, 0 }, { "fd00::2", NULL, 0, 0 } },
		  "2001:db8::9" },
		{ "it is a privacy address, and there is a better one",
		  "2001:db8::2",
		  { { "2001:db8::9", NULL, 0, 0 }, { "2001:db8::2", NULL, IFA_F_TEMPORARY, 0 } },
		  "2001:db8::9" },
	};
	struct interface_address list[3];
	__be32 chosen[4], expected[4];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int family = strchr(cases[i].before, ':') ? AF_INET6 : AF_INET;

		print_message("# %s\n", cases[i].what);
		for (n = 0; n < 3 && cases[i].given[n].addr; n++)
			list[n] = address_make(&cases[i].given[n]);
		memset(chosen, 0, sizeof(chosen));
		memset(expected, 0, sizeof(expected));
		assert_int_equal(inet_pton(family, cases[i].before, chosen), 1);
		if (cases[i].chosen)
			assert_int_equal(inet_pton(family, cases[i].chosen, expected), 1);
		assert_int_equal(external_choose(list, n, family, chosen), !!cases[i].chosen);
		assert_memory_equal(chosen, expected, sizeof(chosen));
	}
}

static void test_others(void **state)
{
	static const struct given given[] = {
		{ "203.0.113.2", "203.0.113.2", 0, 0 },
		{ "203.0.113.3", "203.0.113.3", IFA_F_SECONDARY, 0 },
		{ "198.51.100.1", "198.51.100.2", 0, 0 }, /* with a peer */
		{ "192.168.100.2", "192.168.100.2", IFA_F_DEPRECATED, RT_SCOPE_LINK },
		{ "0.0.0.0", "0.0.0.0", 0, 0 },
		{ "2001:db8::2", NULL, 0, 0 },
	};
	static const char *const expected[] = { "203.0.113.3", "198.51.100.2", "192.168.100.2" };
	struct interface_address list[6];
	struct ip_prefix others[6];
	char text[INET6_ADDRSTRLEN];
	__be32 chosen[4] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		list[i] = address_make(&given[i]);
	assert_true(external_choose(list, 6, AF_INET, chosen));
	assert_int_equal(external_others(list, 6, AF_INET, chosen, others), 3);
	for (i = 0; i < 3; i++) {
		assert_string_equal(inet_ntop(AF_INET, others[i].addr, text, sizeof(text)), expected[i]);
		assert_int_equal(others[i].length, 32);
	}
	memset(chosen, 0, sizeof(chosen));
	assert_true(external_choose(list, 6, AF_INET6, chosen));
	assert_int_equal(external_others(list, 6, AF_INET6, chosen, others), 0);
	memset(chosen, 0, sizeof(chosen));
	assert_int_equal(external_others(list, 6, AF_INET6, chosen, others), 1);
	assert_int_equal(others[0].length, 128);
}

static void test_link_layers(void **state)
{
	(void)state;
	assert_int_equal(external_link_layer(ARPHRD_ETHER), LINK_ETHERNET);
	assert_int_equal(external_link_layer(ARPHRD_PPP), LINK_IP);
	assert_int_equal(external_link_layer(ARPHRD_NONE), LINK_IP);  /* WireGuard, TUN */
	assert_int_equal(external_link_layer(ARPHRD_RAWIP), LINK_IP); /* LTE modems */
	assert_int_equal(external_link_layer(ARPHRD_INFINIBAND), LINK_UNSUPPORTED);
	assert_int_equal(external_link_layer(ARPHRD_VOID), LINK_UNSUPPORTED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_last_choice),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_link_layers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
