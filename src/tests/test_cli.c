// SPDX-License-Identifier: GPL-2.0-or-later
/* cli and config: words in, a configuration or one line of complaint out. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli.h"

enum { WORDS_MAX = 16 };

/* Splits at single spaces ("'' " cannot be written, an empty word is "~") and parses. */
static void parse(struct cli *cli, const char *line, char *copy, size_t size)
{
	char *argv[WORDS_MAX + 2] = { (char *)"einat" }, *rest = copy, *word;
	int argc = 1;

	assert_true(strlen(line) < size);
	strcpy(copy, line);
	while ((word = strsep(&rest, " ")) && argc <= WORDS_MAX) {
		if (!*word)
			continue;
		if (!strcmp(word, "~"))
			*word = '\0';
		argv[argc++] = word;
	}
	cli_parse(cli, argc, argv);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *error;
	} cases[] = {
		{ "", 2, "no external interface: give --ifname NAME (--help shows all options)" },
		{ "--nat44", 2, "no external interface: give --ifname NAME (--help shows all options)" },
		{ "-i", 2, "--ifname: needs an interface name" },
		{ "-i ~", 2, "--ifname: \"\": not an interface name" },
		{ "--ifname --nat44", 2, "--ifname: needs an interface name" },
		{ "-i a/b", 2, "--ifname: \"a/b\": not an interface name" },
		{ "-i a\033b", 2, "--ifname: \"a\033b\": not an interface name" },
		{ "-i a\177", 2, "--ifname: \"a\177\": not an interface name" },
		{ "-i ..", 2, "--ifname: \"..\": not an interface name" },
		{ "-i sixteen-letters-", 2,
		  "--ifname: \"sixteen-letters-\": longer than an interface name's 15 characters" },
		{ "-i wan --hairpin-if sixteen-letters-", 2,
		  "--hairpin-if: \"sixteen-letters-\": longer than an interface name's 15 characters" },
		{ "-i wan -i wan", 2, "--ifname: given twice" },
		{ "-i wan --ifname lan", 2, "--ifname: given twice" },
		{ "-i wan lan", 2, "\"lan\": not an option (--help shows all options)" },
		{ "wan", 2, "\"wan\": not an option (--help shows all options)" },
		{ "-i wan -", 2, "\"-\": not an option (--help shows all options)" },
		{ "-i wan --", 2, "--: unknown option (--help shows all options)" },
		{ "-i wan --port 1-2", 2, "--port: unknown option (--help shows all options)" },
		{ "-i wan --portsx=1-2", 2, "--portsx=1-2: unknown option (--help shows all options)" },
		{ "-x", 2, "-x: unknown option (--help shows all options)" },
		{ "--ifindex 0", 2, "--ifindex: \"0\": not an interface index" },
		{ "--ifindex -2", 2, "--ifindex: needs an interface index" },
		{ "--ifindex=-2", 2, "--ifindex: \"-2\": not an interface index" },
		{ "--ifindex 2x", 2, "--ifindex: \"2x\": not an interface index" },
		{ "--ifindex 2147483648", 2, "--ifindex: \"2147483648\": not an interface index" },
		{ "-i wan --ifindex 2", 2, "--ifname and --ifindex: give one of them" },
		{ "-i wan --ports", 2, "--ports: needs a port range such as 20000-29999" },
		{ "-i wan --ports --nat44", 2, "--ports: needs a port range such as 20000-29999" },
		{ "-i wan --ports 30000-20000", 2, "--ports: \"30000-20000\": begin is above end" },
		{ "-i wan --ports 1-2 3-70000", 2, "--ports: \"3-70000\": port above 65535" },
		{ "-i wan --ports 1-2,3-4", 2, "--ports: \"1-2,3-4\": not a port range such as 20000-29999" },
		{ "-i wan --ports 0-100", 2, "--ports: \"0-100\": port 0 cannot be used" },
		{ "-i wan --ports=", 2, "--ports: \"\": not a port range such as 20000-29999" },
		{ "-i wan --ports 1-2 --ports 3-4", 2, "--ports: given twice" },
		{ "-i wan --hairpin-if", 2, "--hairpin-if: needs an interface name" },
		{ "-i wan --hairpin-if lo l:n", 2, "--hairpin-if: \"l:n\": not an interface name" },
		{ "-i wan --hairpin-if lo lo", 2, "--hairpin-if: \"lo\": given twice" },
		{ "-i wan --hairpin-if lo wan", 2, "--hairpin-if: wan is the external interface" },
		{ "-i wan --internal", 2, "--internal: needs a network such as 192.168.1.0/24" },
		{ "-i wan --internal 192.168.1.0", 2, "--internal: \"192.168.1.0\": no prefix length, such as /24" },
		{ "-i wan --internal 192.168.1.0/33", 2, "--internal: \"192.168.1.0/33\": prefix length above 32" },
		{ "-i wan --internal 192.168.1/24", 2,
		  "--internal: \"192.168.1/24\": not a network such as 192.168.1.0/24" },
		{ "-i wan --internal 192.168.1.0/", 2,
		  "--internal: \"192.168.1.0/\": not a network such as 192.168.1.0/24" },
		{ "-i wan --internal 192.168.1.0/24x", 2,
		  "--internal: \"192.168.1.0/24x\": not a network such as 192.168.1.0/24" },
		{ "-i wan --internal 2001:db8::/129", 2, "--internal: \"2001:db8::/129\": prefix length above 128" },
		{ "-i wan --internal 2001:db8::/64", 2, "--internal: an IPv6 network, but no --nat66" },
		{ "-i wan --bpf-log", 2, "--bpf-log: needs a level from 0 to 5" },
		{ "-i wan --bpf-log 6", 2, "--bpf-log: \"6\": not a level from 0 to 5" },
		{ "-i wan --bpf-log=-1", 2, "--bpf-log: \"-1\": not a level from 0 to 5" },
		{ "-i wan --nat44=yes", 2, "--nat44: takes no value" },
		{ "-i wan --json", 2, "--json: only with --version, check and doctor" },
		{ "-i wan --nat66 --internal 192.168.1.0/24", 2, "--internal: an IPv4 network, but no --nat44" },
		{ "-i wan --forward", 2, "--forward: needs a static mapping such as tcp:8000=192.168.1.2:80" },
		{ "-i wan --forward tcp:8000", 2,
		  "--forward: \"tcp:8000\": not a static mapping such as tcp:8000=192.168.1.2:80" },
		{ "-i wan --forward tcp:1-9=10.0.0.1 tcp:5=10.0.0.2:7", 2,
		  "--forward: \"tcp:5=10.0.0.2:7\": its external port tcp 5 is that of \"tcp:1-9=10.0.0.1:1\", too" },
		{ "-i wan --forward udp:1=10.0.0.1:7 udp:2=10.0.0.1:7", 2,
		  "--forward: \"udp:2=10.0.0.1:7\": its internal endpoint udp 10.0.0.1:7 is that of "
		  "\"udp:1=10.0.0.1:7\", too" },
		{ "-i wan --forward tcp:1=[fd00::1]", 2, "--forward: an IPv6 address, but no --nat66" },
		{ "-i wan --nat66 --forward tcp:1=10.0.0.1", 2, "--forward: an IPv4 address, but no --nat44" },
		{ "check", 2, "check: give --config FILE, and nothing else but --json" },
		{ "check -i wan", 2, "check: give --config FILE, and nothing else but --json" },
		{ "check -c a -i wan", 2, "check: give --config FILE, and nothing else but --json" },
		{ "check a", 2, "\"a\": not an option (--help shows all options)" },
		{ "-c a check", 2, "\"check\": not an option (--help shows all options)" },
		{ "-c a --json", 2, "--json: only with --version, check and doctor" },
		{ "-c", 2, "--config: needs a file" },
		{ "-c a -i wan", 2, "--config: cannot be combined with other options" },
	};
	char copy[256];
	struct cli cli;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# einat %s\n", cases[i].line);
		parse(&cli, cases[i].line, copy, sizeof(copy));
		assert_int_equal(cli.action, CLI_REFUSE);
		assert_string_equal(cli.error, cases[i].error);
		assert_int_equal(cli.status, cases[i].status);
		config_free(&cli.config);
	}
}

static void test_described(void **state)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{ "-i wan", "ports 20000-29999" },
		{ "-iwan", "ports 20000-29999" },
		{ "-i=wan", "ports 20000-29999" },
		{ "--ifname wan", "ports 20000-29999" },
		{ "--ifname=wan --nat44", "ports 20000-29999" },
		{ "-i wan --hairpin-if lo lan", "ports 20000-29999, hairpin lo lan" },
		{ "--hairpin-if lo lan -i wan", "ports 20000-29999, hairpin lo lan" },
		{ "--hairpin-if=lo lan -i wan", "ports 20000-29999, hairpin lo lan" },
		{ "-i wan --ports 20000-21000 22000-23000", "ports 20000-21000 22000-23000" },
		{ "-i wan --ports=20000-21000", "ports 20000-21000" },
		{ "--ports 5 -i wan --internal 10.0.0.0/8 192.168.0.0/16 --hairpin-if wg0", "ports 5-5, hairpin wg0" },
		{ "-i wan --bpf-log 5 --bpf-loader aya", "ports 20000-29999" },
		{ "-i wan --forward tcp:8000=10.172.16.2:8000 udp:5-9=10.172.16.2:6 --hairpin-if wg0",
		  "ports 20000-29999, hairpin wg0, forward tcp:8000=10.172.16.2:8000 udp:5-9=10.172.16.2:6" },
		{ "-i wan --nat44 --nat66 --forward tcp:80=[fd00::2]:80 tcp,udp:53=10.0.0.1",
		  "ports 20000-29999, forward tcp,udp:53=10.0.0.1:53" },
	};
	char copy[256], text[128];
	struct cli cli;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# einat %s\n", cases[i].line);
		parse(&cli, cases[i].line, copy, sizeof(copy));
		assert_string_equal(cli.error, "");
		assert_int_equal(cli.action, CLI_RUN);
		assert_int_equal(cli.config.interfaces_count, 1);
		assert_string_equal(cli.config.interfaces[0].name, "wan");
		interface_config_describe(&cli.config.interfaces[0], CONFIG_IPV4, text, sizeof(text));
		assert_string_equal(text, cases[i].expected);
		config_free(&cli.config);
	}
}

static void test_families(void **state)
{
	static const struct {
		const char *line;
		bool nat44, nat66;
		const char *warning; /* of IPv6; NULL: none */
	} cases[] = {
		{ "-i wan", true, false, NULL },
		{ "-i wan --nat44", true, false, NULL },
		{ "-i wan --nat66", false, true, NULL },
		{ "-i wan --nat66 --nat44", true, true, NULL },
		{ "-i wan --nat44 --nat66 --internal 10.0.0.0/8 fd00::/8", true, true, NULL },
		{ "-i wan --nat44 --nat66 --internal 10.0.0.0/8", true, true,
		  "no IPv6 packet is translated: --internal names no IPv6 network" },
		{ "-i wan --internal 10.0.0.0/8", true, false, NULL },
	};
	const struct interface_config *wan;
	char copy[128], text[192];
	struct cli cli;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# einat %s\n", cases[i].line);
		parse(&cli, cases[i].line, copy, sizeof(copy));
		assert_int_equal(cli.action, CLI_RUN);
		wan = &cli.config.interfaces[0];
		assert_int_equal(interface_config_translates(wan, CONFIG_IPV4), cases[i].nat44);
		assert_int_equal(interface_config_translates(wan, CONFIG_IPV6), cases[i].nat66);
		assert_false(interface_config_warn(wan, CONFIG_IPV4, 200, text, sizeof(text)));
		assert_int_equal(interface_config_warn(wan, CONFIG_IPV6, 200, text, sizeof(text)), !!cases[i].warning);
		if (cases[i].warning)
			assert_string_equal(text, cases[i].warning);
		config_free(&cli.config);
	}
}

static void test_defaults(void **state)
{
	const struct interface_config *wan;
	char copy[64];
	struct cli cli;

	(void)state;
	parse(&cli, "-i wan", copy, sizeof(copy));
	wan = &cli.config.interfaces[0];
	assert_true(wan->nat44);
	assert_false(wan->nat66);
	assert_true(wan->prefer_tcx);
	assert_int_equal(wan->bpf_log_level, 0);
	assert_int_equal(port_set_size(&wan->ports[NAT_TCP]), 10000);
	assert_int_equal(port_set_size(&wan->ports[NAT_UDP]), 10000);
	assert_int_equal(wan->ports[NAT_ICMP].count, 1);
	assert_int_equal(wan->ports[NAT_ICMP].ranges[0].first, 1000);
	assert_int_equal(wan->ports[NAT_ICMP].ranges[0].last, 65535);
	assert_int_equal(wan->internals_count, 0);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].internal_ifs_count, 0);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].rule_pref, 100);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].table_id, 4787);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].ip_protocols[0], IPPROTO_TCP);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].ip_protocols[1], IPPROTO_UDP);
	assert_int_equal(wan->hairpin[CONFIG_IPV4].ip_protocols[2], 0);
	assert_int_equal(cli.config.local_rule_pref[CONFIG_IPV4], 200);
	config_free(&cli.config);
}

static void test_values(void **state)
{
	const struct interface_config *wan;
	char copy[128];
	struct cli cli;

	(void)state;
	parse(&cli, "--ifindex 7 --bpf-log 3 --internal 192.168.1.77/24 0.0.0.0/0 10.1.2.3/32", copy, sizeof(copy));
	assert_int_equal(cli.action, CLI_RUN);
	wan = &cli.config.interfaces[0];
	assert_string_equal(wan->name, "");
	assert_int_equal(wan->ifindex, 7);
	assert_int_equal(wan->bpf_log_level, 3);
	assert_int_equal(wan->internals_count, 3);
	assert_int_equal(ntohl(wan->internals[0].prefix.addr[0]), 0xc0a80100); /* the bits behind /24 are gone */
	assert_int_equal(wan->internals[0].prefix.length, 24);
	assert_int_equal(wan->internals[1].prefix.addr[0], 0);
	assert_int_equal(wan->internals[1].prefix.length, 0);
	assert_int_equal(ntohl(wan->internals[2].prefix.addr[0]), 0x0a010203);
	config_free(&cli.config);
}

static void test_help_and_version(void **state)
{
	static const char *const options[] = { "--help",    "--version",    "--config", "--ifname",	"--ifindex",
					       "--nat44",   "--nat66",	    "--ports",	"--hairpin-if", "--internal",
					       "--bpf-log", "--bpf-loader", "--forward" };
	char copy[64];
	struct cli cli;
	size_t i;

	(void)state;
	parse(&cli, "-h", copy, sizeof(copy));
	assert_int_equal(cli.action, CLI_HELP);
	config_free(&cli.config);
	parse(&cli, "-i wan --help", copy, sizeof(copy));
	assert_int_equal(cli.action, CLI_HELP);
	config_free(&cli.config);
	parse(&cli, "-v", copy, sizeof(copy));
	assert_int_equal(cli.action, CLI_VERSION);
	assert_false(cli.json);
	config_free(&cli.config);
	parse(&cli, "--json --version", copy, sizeof(copy));
	assert_int_equal(cli.action, CLI_VERSION);
	assert_true(cli.json);
	config_free(&cli.config);
	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		assert_non_null(strstr(cli_help_text, options[i]));
}

static void test_file(void **state)
{
	static const struct {
		const char *line;
		enum cli_action action;
		bool json;
	} cases[] = {
		{ "-c f", CLI_RUN, false },
		{ "--config=f", CLI_RUN, false },
		{ "check -c f", CLI_CHECK, false },
		{ "check --json -c f", CLI_CHECK, true },
		{ "check --config f --json", CLI_CHECK, true },
		{ "doctor -c f", CLI_DOCTOR, false },
		{ "doctor --json -c f", CLI_DOCTOR, true },
		{ "doctor --config f --json", CLI_DOCTOR, true },
	};
	char copy[64];
	struct cli cli;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		parse(&cli, cases[i].line, copy, sizeof(copy));
		assert_int_equal(cli.action, cases[i].action);
		assert_int_equal(cli.json, cases[i].json);
		assert_string_equal(cli.file, "f");
		config_free(&cli.config);
	}
}

static void test_warnings(void **state)
{
	const struct interface_config *wan;
	char text[192], copy[64];
	struct cli cli;

	(void)state;
	parse(&cli, "-i wan --hairpin-if lan", copy, sizeof(copy));
	wan = &cli.config.interfaces[0];
	assert_false(interface_config_warn(wan, CONFIG_IPV4, 101, text, sizeof(text)));
	assert_true(interface_config_warn(wan, CONFIG_IPV4, 100, text, sizeof(text)));
	assert_string_equal(text,
			    "hairpinning has no effect: its rule's preference 100 is not below the local rule's, 100");
	config_free(&cli.config);
	parse(&cli, "-i wan --hairpin-if lo", copy, sizeof(copy));
	wan = &cli.config.interfaces[0];
	assert_true(interface_config_warn(wan, CONFIG_IPV4, 200, text, sizeof(text)));
	assert_string_equal(text, "hairpinning for lo alone reaches no internal host: name their interfaces too");
	config_free(&cli.config);
	parse(&cli, "-i wan", copy, sizeof(copy));
	assert_false(interface_config_warn(&cli.config.interfaces[0], CONFIG_IPV4, 100, text, sizeof(text)));
	config_free(&cli.config);
}

/* Many ranges: the description is cut off, not overrun. */
static void test_long_description(void **state)
{
	struct interface_config *wan;
	struct config config;
	char text[64];
	uint16_t port;

	(void)state;
	config_init(&config);
	wan = config_add_interface(&config);
	for (port = 1000; port < 3000; port = (uint16_t)(port + 10))
		assert_int_equal(port_set_add(&wan->ports[NAT_TCP], port, (uint16_t)(port + 5)), 0);
	interface_config_describe(wan, CONFIG_IPV4, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
	port_set_free(&wan->ports[NAT_TCP]);
	assert_int_equal(port_set_add(&wan->ports[NAT_UDP], 1, 2), 0);
	interface_config_describe(wan, CONFIG_IPV4, text, sizeof(text));
	assert_string_equal(text, "tcp ports none, udp ports 1-2");
	config_free(&config);
	config_free(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),		 cmocka_unit_test(test_described),
		cmocka_unit_test(test_defaults),	 cmocka_unit_test(test_values),
		cmocka_unit_test(test_help_and_version), cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_long_description), cmocka_unit_test(test_file),
		cmocka_unit_test(test_families),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
