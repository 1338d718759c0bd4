// SPDX-License-Identifier: GPL-2.0-or-later
/* forward: what a static mapping may look like, and which two cannot be had together. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "forward.h"

#define NO_FORWARD "not a static mapping such as tcp:8000=192.168.1.2:80"

static void test_parsed(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "tcp:8000=10.172.16.2:8000", "tcp:8000=10.172.16.2:8000" },
		{ "udp:1=10.0.0.1", "udp:1=10.0.0.1:1" },
		{ "udp,tcp:1-1=10.0.0.1:65535", "tcp,udp:1=10.0.0.1:65535" },
		{ "tcp:8000-8010=10.0.0.1:80", "tcp:8000-8010=10.0.0.1:80" },
		{ "tcp:8000-8010=10.0.0.1:80-90", "tcp:8000-8010=10.0.0.1:80" },
		{ "tcp:8000-8010=10.0.0.1", "tcp:8000-8010=10.0.0.1:8000" },
		{ "tcp:1-65535=[fd00::2]", "tcp:1-65535=[fd00::2]:1" },
		{ "tcp,udp:53=[2001:DB8::0:2]:5353", "tcp,udp:53=[2001:db8::2]:5353" },
	};
	char printed[FORWARD_TEXT];
	struct forward forward;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# \"%s\"\n", cases[i].text);
		assert_int_equal(forward_parse(&forward, cases[i].text, &why), 0);
		forward_format(&forward, printed, sizeof(printed));
		assert_string_equal(printed, cases[i].printed);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", NO_FORWARD },
		{ "tcp", NO_FORWARD },
		{ "tcp:8000", NO_FORWARD },
		{ "tcp=8000:10.0.0.1", NO_FORWARD },
		{ ":8000=10.0.0.1", NO_FORWARD },
		{ "sctp:8000=10.0.0.1", NO_FORWARD },
		{ "tcp,tcp:8000=10.0.0.1", NO_FORWARD },
		{ "tcp,:8000=10.0.0.1", NO_FORWARD },
		{ "TCP:8000=10.0.0.1", NO_FORWARD },
		{ "tcp:8000=", NO_FORWARD },
		{ "tcp:8000=host:80", NO_FORWARD },
		{ "tcp:8000=10.0.0.1:80:81", NO_FORWARD },
		{ "tcp:8000=fd00::2", NO_FORWARD },
		{ "tcp:8000=[fd00::2", NO_FORWARD },
		{ "tcp:8000=[fd00::2]80", NO_FORWARD },
		{ "tcp:8000=[10.0.0.1]:80", NO_FORWARD },
		{ "tcp:8000=[]:80", NO_FORWARD },
		{ "tcp:=10.0.0.1", "not a port range such as 20000-29999" },
		{ "tcp:8000=10.0.0.1:", "not a port range such as 20000-29999" },
		{ "tcp:65536=10.0.0.1", "port above 65535" },
		{ "tcp:9-8=10.0.0.1", "begin is above end" },
		{ "tcp:0=10.0.0.1:80", "port 0 cannot be used" },
		{ "tcp:80=10.0.0.1:0", "port 0 cannot be used" },
		{ "tcp:8000-8010=10.0.0.1:80-89", "the two ranges of ports are not as long" },
		{ "tcp:8000-8010=10.0.0.1:65530", "the last internal port is above 65535" },
		{ "tcp:80=0.0.0.0:80", "the address is unspecified" },
		{ "tcp:80=127.0.0.1:80", "the address is a loopback address" },
		{ "tcp:80=255.255.255.255:80", "the address is a broadcast or reserved address" },
		{ "tcp:80=240.0.0.1:80", "the address is a broadcast or reserved address" },
		{ "tcp:80=0.0.0.5:80", "the address is one of this network, 0.0.0.0/8" },
		{ "tcp:80=[::ffff:192.0.2.1]:80", "the address is an IPv4 address in IPv6 clothes" },
		{ "tcp:80=[::192.0.2.1]:80", "the address is an IPv4 address in IPv6 clothes" },
		{ "tcp:80=239.1.2.3:80", "the address is a multicast address" },
		{ "tcp:80=[::]:80", "the address is unspecified" },
		{ "tcp:80=[::1]:80", "the address is a loopback address" },
		{ "tcp:80=[ff02::1]:80", "the address is a multicast address" },
		{ "tcp:80=[fe80::1]:80", "the address is link-local" },
	};
	struct forward forward;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# \"%s\"\n", cases[i].text);
		assert_int_equal(forward_parse(&forward, cases[i].text, &why), -EINVAL);
		assert_string_equal(why, cases[i].why);
	}
}

static void test_conflicts(void **state)
{
	static const struct {
		const char *first, *second, *what; /* NULL: they go together */
	} cases[] = {
		{ "tcp:80=10.0.0.1", "tcp:81=10.0.0.1", NULL },
		{ "tcp:80=10.0.0.1", "udp:80=10.0.0.1", NULL },
		{ "tcp:80=10.0.0.1", "tcp:80=[fd00::1]", NULL },
		{ "tcp:80-89=10.0.0.1", "tcp:90-99=10.0.0.1", NULL },
		{ "tcp:80=10.0.0.1:7", "tcp:81=10.0.0.2:7", NULL },
		{ "tcp:80=10.0.0.1", "tcp:80=10.0.0.2", "external port tcp 80" },
		{ "tcp,udp:80=10.0.0.1", "udp:80=10.0.0.2", "external port udp 80" },
		{ "tcp:80-89=10.0.0.1", "tcp:89-99=10.0.0.2", "external port tcp 89" },
		{ "tcp:1-65535=10.0.0.1", "tcp:7=10.0.0.2", "external port tcp 7" },
		{ "tcp:80=10.0.0.1:7", "tcp:81=10.0.0.1:7", "internal endpoint tcp 10.0.0.1:7" },
		{ "udp:80-89=10.0.0.1:1", "udp:90-91=10.0.0.1:10", "internal endpoint udp 10.0.0.1:10" },
		{ "udp:80=[fd00::1]:1", "udp:90=[fd00::1]:1", "internal endpoint udp [fd00::1]:1" },
	};
	struct forward first, second;
	char what[FORWARD_TEXT];
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s %s\n", cases[i].first, cases[i].second);
		assert_int_equal(forward_parse(&first, cases[i].first, &why), 0);
		assert_int_equal(forward_parse(&second, cases[i].second, &why), 0);
		assert_int_equal(forward_conflicts(&first, &second, what, sizeof(what)), !!cases[i].what);
		if (cases[i].what)
			assert_string_equal(what, cases[i].what);
		assert_int_equal(forward_conflicts(&second, &first, what, sizeof(what)), !!cases[i].what);
		if (cases[i].what)
			assert_string_equal(what, cases[i].what);
	}
}

static void test_ports(void **state)
{
	struct port_set ports = { NULL, 0 };
	struct forward forward;
	const char *why;

	(void)state;
	assert_int_equal(forward_parse(&forward, "udp:80-89=10.0.0.1", &why), 0);
	assert_int_equal(forward_add_ports(&forward, NAT_TCP, &ports), 0);
	assert_int_equal(forward_add_ports(&forward, NAT_ICMP, &ports), 0);
	assert_int_equal(port_set_size(&ports), 0);
	assert_int_equal(forward_add_ports(&forward, NAT_UDP, &ports), 0);
	assert_int_equal(port_set_size(&ports), 10);
	assert_int_equal(forward_remote_set(&forward, 4), 0);
	forward.remotes_count = 1;
	assert_int_equal(forward_remote_set(&forward, 4), 5);
	port_set_free(&ports);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_ports),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
