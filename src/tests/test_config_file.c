// SPDX-License-Identifier: GPL-2.0-or-later
/* config_file, config_print and duration: what a file may say, what comes of it, and what is said of a bad one. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_file.h"
#include "config_print.h"
#include "duration.h"

#define WAN "[[interfaces]]\nif_name = \"wan\"\nnat44 = true\n"

#define FORWARD(more) "forwards = [{ external_port = 80, internal_address = \"10.0.0.1\", " more " }]"

#define MATCH	"{ match_address = \"192.0.2.0/24\" },"
#define FOUR	MATCH MATCH MATCH MATCH
#define SIXTEEN FOUR FOUR FOUR FOUR

static void read_good(struct config *config, const char *text)
{
	char error[512];

	if (config_file_parse(config, "f", text, strlen(text), error, sizeof(error)))
		fail_msg("%s", error);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "f:1: no [[interfaces]]: there is nothing to translate" },
		{ "interfaces = []", "f:1: no [[interfaces]]: there is nothing to translate" },
		{ "interfaces = 1", "f:1: interfaces: an integer, where an array of tables: [[interfaces]] belongs" },
		{ "[interfaces]", "f:1: interfaces: a table, where an array of tables: [[interfaces]] belongs" },
		{ "interfaces = [1]", "f:1: interfaces: an integer, where a table belongs" },
		{ "a = ", "f:1:5: expected a value, found the end of the file" },
		{ "versoin = 1", "f:1: versoin: unknown key" },
		{ "version = \"1\"", "f:1: version: a string, where an integer belongs" },
		{ "[default]\n", "f:1: default: unknown key" },
		{ "defaults = 1", "f:1: defaults: an integer, where a table belongs" },
		{ "[control]\nmode = \"0777\"", "f:2: [control]: mode: \"0777\": not a mode such as 0660" },
		{ "[control]\nmode = \"+660\"", "f:2: [control]: mode: \"+660\": not a mode such as 0660" },
		{ WAN "forwards = [{ protocol = \"tcp\", external_port = \"100-110\", internal_address = \"10.0.0.1\", "
		      "internal_port = \"0-10\" }]",
		  "f:4: [[interfaces]] \"wan\": internal_port: \"0-10\": port 0 cannot be used" },
		{ WAN "externals = [{ address = \"0.0.0.0\" }]",
		  "f:4: [[interfaces]] \"wan\": externals: address: the address is unspecified" },
		{ WAN "externals = [{ network = \"224.0.0.0/4\" }]",
		  "f:4: [[interfaces]] \"wan\": externals: network: the address is a multicast address" },
		{ WAN "designated_server = { if_name = \"dmz\", table_id = 4787 }\n"
		      "ipv4_hairpin_route = { internal_if_names = [\"lan\"] }",
		  "f:4: [[interfaces]] \"wan\": designated_server: table_id: 4787 is the table of ipv4_hairpin_route, too" },
		{ "[a.b]\n[a]\n[a]", "f:3:2: \"a\" is already defined in line 2" },
		{ "[log]\nto = \"file\"", "f:2: [log]: to: \"file\": neither stderr nor syslog" },
		{ "[log]\nto = 1", "f:2: [log]: to: an integer, where a string belongs" },
		{ "[log]\nlevel = \"debug\"", "f:2: [log]: level: \"debug\": not error, warning or info" },
		{ "[log]\nsocket = \"log\"", "f:2: [log]: socket: \"log\": not an absolute path of at most 103 bytes" },
		{ "[log]\nassignments_rate = 0", "f:2: [log]: assignments_rate: 0: must be from 1 to 4294967295" },
		{ "[log]\nassignment = true", "f:2: [log]: assignment: unknown key" },
		{ "log = \"syslog\"", "f:1: log: a string, where a table belongs" },
		{ "[control]\nmode = 660", "f:2: [control]: mode: an integer, where a mode such as \"0660\" belongs" },
		{ "[control]\ngroup = \"a:b\"",
		  "f:2: [control]: group: \"a:b\": not the name or the number of a group" },
		{ "[control]\nmetrics_listen = \"127.0.0.1\"",
		  "f:2: [control]: metrics_listen: \"127.0.0.1\": not an address and a port such as 127.0.0.1:9586" },
		{ "[control]\nmetrics_listen = \"::1:80\"",
		  "f:2: [control]: metrics_listen: \"::1:80\": not an address and a port such as 127.0.0.1:9586" },
		{ "[control]\nmetrics_listen = \"[::1]:0\"",
		  "f:2: [control]: metrics_listen: \"[::1]:0\": not an address and a port such as 127.0.0.1:9586" },
		{ "[defaults]\ntcp_range = []", "f:2: [defaults]: tcp_range: unknown key" },
		{ "[defaults]\ntcp_ranges = 1",
		  "f:2: [defaults]: tcp_ranges: an integer, where an array of ranges belongs" },
		{ "[defaults]\ntcp_ranges = [\n1]",
		  "f:3: [defaults]: tcp_ranges: an integer, where a range such as \"20000-29999\" belongs" },
		{ "[defaults]\nipv4_hairpin_table_id = 0",
		  "f:2: [defaults]: ipv4_hairpin_table_id: 0: must be from 1 to 4294967295" },
		{ "[defaults]\nipv6_hairpin_table_id = 254",
		  "f:2: [defaults]: ipv6_hairpin_table_id: 254: is one of the kernel's own tables" },
		{ "[defaults]\nipv4_local_rule_pref = -1",
		  "f:2: [defaults]: ipv4_local_rule_pref: -1: must be from 0 to 4294967295" },
		{ "[defaults]\nicmp_ranges = [\"0-999\"]",
		  "f:2: [defaults]: icmp_ranges: must contain icmp_in_ranges, which is not given" },
		{ "[[interfaces]]\nnat44 = true", "f:1: [[interfaces]]: if_name: is missing" },
		{ "[[interfaces]]\nif_name = 1",
		  "f:2: [[interfaces]]: if_name: an integer, where an interface name belongs" },
		{ "[[interfaces]]\nif_name = \"a b\"", "f:2: [[interfaces]]: if_name: \"a b\": not an interface name" },
		{ "[[interfaces]]\nif_name = \"a\\u0000b\"", "f:2: [[interfaces]]: if_name: a NUL in a string" },
		{ WAN WAN, "f:5: [[interfaces]]: if_name: \"wan\": is there already" },
		{ WAN "nat444 = true", "f:4: [[interfaces]] \"wan\": nat444: unknown key" },
		{ WAN "nat66 = 1", "f:4: [[interfaces]] \"wan\": nat66: an integer, where true or false belongs" },
		{ WAN "bpf_log_level = 6", "f:4: [[interfaces]] \"wan\": bpf_log_level: 6: must be from 0 to 5" },
		{ WAN "bpf_loader = 1", "f:4: [[interfaces]] \"wan\": bpf_loader: an integer, where a string belongs" },
		{ WAN "allow_inbound_icmpx = 1",
		  "f:4: [[interfaces]] \"wan\": allow_inbound_icmpx: an integer, where true or false belongs" },
		{ WAN "tcp_ranges = [\"30000-20000\"]",
		  "f:4: [[interfaces]] \"wan\": tcp_ranges: \"30000-20000\": begin is above end" },
		{ WAN "udp_ranges = [\"1-2\",\n\"3-65536\"]",
		  "f:5: [[interfaces]] \"wan\": udp_ranges: \"3-65536\": port above 65535" },
		{ WAN "udp_ranges = [\"0-5\"]",
		  "f:4: [[interfaces]] \"wan\": udp_ranges: \"0-5\": port 0 cannot be used" },
		{ WAN "icmp_out_ranges = [\"0-5\"]\nicmp_ranges = [\"1-65535\"]\nicmp_in_ranges = []",
		  "f:4: [[interfaces]] \"wan\": icmp_out_ranges: not all of them are in icmp_ranges" },
		{ WAN "timeout_fragment = \"2\xc2\xb5\"",
		  "f:4: [[interfaces]] \"wan\": timeout_fragment: \"2\xc2\xb5\": not a time such as \"2s\" or \"5m\"" },
		{ WAN "timeout_tcp_est = 0",
		  "f:4: [[interfaces]] \"wan\": timeout_tcp_est: \"0\": must be above zero" },
		{ WAN "timeout_tcp_est = \"53w\"",
		  "f:4: [[interfaces]] \"wan\": timeout_tcp_est: \"53w\": more than 52 weeks" },
		{ WAN "timeout_udp_min = 1.5",
		  "f:4: [[interfaces]] \"wan\": timeout_udp_min: a float, where a time such as \"2s\" belongs" },
		{ WAN "frag_track_max_records = 0",
		  "f:4: [[interfaces]] \"wan\": frag_track_max_records: 0: must be from 1 to 16777216" },
		{ WAN "ct_max_records = 16777217",
		  "f:4: [[interfaces]] \"wan\": ct_max_records: 16777217: must be from 1 to 16777216" },
		{ WAN "tcp_mss_clamp = 65536",
		  "f:4: [[interfaces]] \"wan\": tcp_mss_clamp: 65536: must be from 0 to 65535" },
		{ WAN "filtering = \"none\"",
		  "f:4: [[interfaces]] \"wan\": filtering: \"none\": is none of endpoint-independent, address-dependent, "
		  "address-and-port-dependent" },
		{ WAN "pooling = true", "f:4: [[interfaces]] \"wan\": pooling: a boolean, where a string belongs" },
		{ WAN "no_snat_dests = [\"192.0.2.1\"]",
		  "f:4: [[interfaces]] \"wan\": no_snat_dests: \"192.0.2.1\": no prefix length, such as /24" },
		{ WAN "snat_internals = \"10.0.0.0/8\"",
		  "f:4: [[interfaces]] \"wan\": snat_internals: a string, where an array of networks belongs" },
		{ WAN "snat_internals = [\"2001:db8::/32\"]",
		  "f:4: [[interfaces]] \"wan\": snat_internals: an IPv6 network, but nat66 is not on" },
		{ WAN "ipv4_hairpin_route = true",
		  "f:4: [[interfaces]] \"wan\": ipv4_hairpin_route: a boolean, where a table belongs" },
		{ WAN "ipv4_hairpin_route.enable = true",
		  "f:4: [[interfaces]] \"wan\": ipv4_hairpin_route: enable: there are no internal_if_names" },
		{ WAN "[interfaces.ipv4_hairpin_route]\nif_names = []",
		  "f:5: [[interfaces]] \"wan\": ipv4_hairpin_route: if_names: unknown key" },
		{ WAN "ipv6_hairpin_route = { internal_if_names = [\"lan\", \"wan\"] }",
		  "f:4: [[interfaces]] \"wan\": ipv6_hairpin_route: internal_if_names: \"wan\": is the external interface" },
		{ WAN "ipv6_hairpin_route = { internal_if_names = [\"lan\", \"lan\"] }",
		  "f:4: [[interfaces]] \"wan\": ipv6_hairpin_route: internal_if_names: \"lan\": given twice" },
		{ WAN "ipv6_hairpin_route.ip_protocols = [\"sctp\"]",
		  "f:4: [[interfaces]] \"wan\": ipv6_hairpin_route: ip_protocols: \"sctp\": is none of tcp, udp, icmp" },
		{ WAN "ipv6_hairpin_route.table_id = 0",
		  "f:4: [[interfaces]] \"wan\": ipv6_hairpin_route: table_id: 0: must be from 1 to 4294967295" },
		{ WAN "forwards = 1",
		  "f:4: [[interfaces]] \"wan\": forwards: an integer, where an array of tables belongs" },
		{ WAN "forwards = [1]",
		  "f:4: [[interfaces]] \"wan\": forwards: an integer, where a table or a string belongs" },
		{ WAN "forwards = [\"tcp:80\"]",
		  "f:4: [[interfaces]] \"wan\": forwards: \"tcp:80\": not a static mapping such as tcp:8000=192.168.1.2:80" },
		{ WAN "forwards = [\"tcp:80=10.0.0.1\",\n\"tcp:80=10.0.0.2\"]",
		  "f:5: [[interfaces]] \"wan\": forwards: its external port tcp 80 is that of f:4, too" },
		{ WAN "forwards = [\"tcp:80=10.0.0.1\", \"tcp:80=10.0.0.2\"]",
		  "f:4: [[interfaces]] \"wan\": forwards: tcp:80=10.0.0.2:80: its external port tcp 80 is that of "
		  "tcp:80=10.0.0.1:80, too" },
		{ WAN "forwards = [{ protocol = \"tcp\", external_port = 80 }]",
		  "f:4: [[interfaces]] \"wan\": forwards: internal_address: is missing" },
		{ WAN FORWARD("protocol = \"icmp\""),
		  "f:4: [[interfaces]] \"wan\": protocol: \"icmp\": is none of tcp, udp" },
		{ WAN FORWARD("protocol = []"), "f:4: [[interfaces]] \"wan\": forwards: neither tcp nor udp" },
		{ WAN FORWARD("protocol = \"tcp\", internal_port = 0"),
		  "f:4: [[interfaces]] \"wan\": internal_port: 0: must be from 1 to 65535" },
		{ WAN FORWARD("protocol = \"tcp\", internal_port = \"80-81\""),
		  "f:4: [[interfaces]] \"wan\": forwards: internal_port: is not as long a range as external_port" },
		{ WAN FORWARD("protocol = \"tcp\", internal_ports = 80"),
		  "f:4: [[interfaces]] \"wan\": internal_ports: unknown key" },
		{ WAN FORWARD("protocol = \"tcp\", remotes = \"192.0.2.0/24\""),
		  "f:4: [[interfaces]] \"wan\": remotes: a string, where an array of networks belongs" },
		{ WAN FORWARD("protocol = \"tcp\", remotes = [\"2001:db8::/32\"]"),
		  "f:4: [[interfaces]] \"wan\": remotes: \"2001:db8::/32\": is not of the internal address's family" },
		{ WAN FORWARD("protocol = \"tcp\", external_address = 1"),
		  "f:4: [[interfaces]] \"wan\": external_address: an integer, where an address such as \"203.0.113.2\" "
		  "belongs" },
		{ WAN FORWARD("protocol = \"tcp\", external_address = \"2001:db8::1\""),
		  "f:4: [[interfaces]] \"wan\": external_address: \"2001:db8::1\": not an address of the internal one's "
		  "family" },
		{ WAN "externals = [{ address = \"192.0.2.7\", no_snat = true }]\n" FORWARD(
			  "protocol = \"tcp\", external_address = \"192.0.2.7\""),
		  "f:5: [[interfaces]] \"wan\": external_address: \"192.0.2.7\": is not the address of one of the "
		  "externals that internal hosts can have" },
		{ WAN "forwards = [{ protocol = \"tcp\", external_port = 80, internal_address = \"fd00::1\" }]",
		  "f:4: [[interfaces]] \"wan\": forwards: an IPv6 address, but nat66 is not on" },
		{ WAN "[[interfaces.forwards]]\nprotocol = \"tcp\"\nexternal_port = \"80-90\"\n"
		      "internal_address = \"10.0.0.1\"\n[[interfaces.forwards]]\nprotocol = [\"udp\", \"tcp\"]\n"
		      "external_port = 85\ninternal_address = \"10.0.0.2\"",
		  "f:8: [[interfaces]] \"wan\": forwards: its external port tcp 85 is that of f:4, too" },
		{ WAN "[[interfaces.forwards]]\nprotocol = \"tcp\"\nexternal_port = 80\n"
		      "internal_address = \"10.0.0.1\"\n[[interfaces.forwards]]\nprotocol = \"tcp\"\n"
		      "external_port = 85\ninternal_port = 80\ninternal_address = \"10.0.0.1\"",
		  "f:8: [[interfaces]] \"wan\": forwards: its internal endpoint tcp 10.0.0.1:80 is that of f:4, too" },
		{ WAN "designated_server = \"dmz\"",
		  "f:4: [[interfaces]] \"wan\": designated_server: a string, where a table belongs" },
		{ WAN "[interfaces.designated_server]\nmark = 5",
		  "f:4: [[interfaces]] \"wan\": designated_server: if_name: is missing" },
		{ WAN "designated_server.if_name = \"wan\"",
		  "f:4: [[interfaces]] \"wan\": designated_server: if_name: \"wan\": is the external interface" },
		{ WAN "designated_server = { if_name = \"dmz\", ip_rule_pref = 4294967291 }",
		  "f:4: [[interfaces]] \"wan\": designated_server: ip_rule_pref: 4294967291: must be from 0 to 4294967290" },
		{ WAN "designated_server.if_name = \"lo\"",
		  "f:4: [[interfaces]] \"wan\": designated_server: if_name: \"lo\": no server is behind it" },
		{ WAN "designated_server.if_name = \"a/b\"",
		  "f:4: [[interfaces]] \"wan\": designated_server: if_name: \"a/b\": not an interface name" },
		{ WAN "designated_server = { if_name = \"dmz\", address = \"192.0.2.1\" }",
		  "f:4: [[interfaces]] \"wan\": designated_server: address: unknown key" },
		{ WAN "designated_server = { if_name = \"dmz\", mark = 0 }",
		  "f:4: [[interfaces]] \"wan\": designated_server: mark: 0: must be from 1 to 4294967295" },
		{ WAN "designated_server = { if_name = \"dmz\", table_id = 252 }",
		  "f:4: [[interfaces]] \"wan\": designated_server: table_id: 252: the next one, which is used too, is one "
		  "of the kernel's own tables" },
		{ "[[interfaces]]\nif_name = \"wan\"\nnat66 = true\ndesignated_server.if_name = \"dmz\"",
		  "f:4: [[interfaces]] \"wan\": designated_server: is for IPv4, but nat44 is not on" },
		{ WAN "externals = 1",
		  "f:4: [[interfaces]] \"wan\": externals: an integer, where an array of tables belongs" },
		{ WAN "externals = [1]", "f:4: [[interfaces]] \"wan\": externals: an integer, where a table belongs" },
		{ WAN "[[interfaces.externals]]\nno_snat = true",
		  "f:4: [[interfaces]] \"wan\": externals: needs one of address, network and match_address" },
		{ WAN "[[interfaces.externals]]\naddress = \"192.0.2.1\"\nnetwork = \"192.0.2.1/24\"",
		  "f:4: [[interfaces]] \"wan\": externals: needs one of address, network and match_address" },
		{ WAN "[[interfaces.externals]]\naddress = \"192.0.2\"",
		  "f:5: [[interfaces]] \"wan\": address: \"192.0.2\": not an address such as 192.0.2.7" },
		{ WAN "[[interfaces.externals]]\nnetwork = \"192.0.2.0/33\"",
		  "f:5: [[interfaces]] \"wan\": network: \"192.0.2.0/33\": prefix length above 32" },
		{ WAN "[[interfaces.externals]]\nmatch_address = {}",
		  "f:5: [[interfaces]] \"wan\": match_address: needs network, or start and end" },
		{ WAN "[[interfaces.externals]]\nmatch_address = { from = 1 }",
		  "f:5: [[interfaces]] \"wan\": from: unknown key" },
		{ WAN "[[interfaces.externals]]\nmatch_address = { start = \"192.0.2.9\", end = \"192.0.2.8\" }",
		  "f:5: [[interfaces]] \"wan\": match_address: start is above end" },
		{ WAN "[[interfaces.externals]]\nmatch_address = { start = \"192.0.2.9\", end = \"2001:db8::1\" }",
		  "f:5: [[interfaces]] \"wan\": match_address: start and end are not of one family" },
		{ WAN "[[interfaces.externals]]\nmatch_address = \"192.0.2.0/24\"\nis_internal = true",
		  "f:6: [[interfaces]] \"wan\": externals: is_internal: only with address or network" },
		{ WAN "default_externals = false",
		  "f:4: [[interfaces]] \"wan\": default_externals: false, and no IPv4 external is a source" },
		{ WAN "nat66 = true\ndefault_externals = false\nexternals = [{ address = \"192.0.2.1\" }]",
		  "f:5: [[interfaces]] \"wan\": default_externals: false, and no IPv6 external is a source" },
		{ WAN "externals = [" SIXTEEN "]",
		  "f:4: [[interfaces]] \"wan\": externals: more than 15 of one family" },
		{ WAN "[[interfaces.externals]]\naddress = \"192.0.2.1\"\ntcp_ranges = [\"2-1\"]",
		  "f:6: [[interfaces]] \"wan\": tcp_ranges: \"2-1\": begin is above end" },
	};
	struct config config;
	char error[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(
			config_file_parse(&config, "f", cases[i].text, strlen(cases[i].text), error, sizeof(error)));
		assert_string_equal(error, cases[i].error);
		assert_int_equal(config.interfaces_count, 0);
	}
}

/* What each line makes of the effective configuration: one of its lines. */
static void test_effect(void **state)
{
	static const struct {
		const char *text, *effect;
	} cases[] = {
		{ "nat66 = true", "nat66 = true" },
		{ "", "nat66 = false" },
		{ "", "tcp_ranges = [\"20000-29999\"]" },
		{ "tcp_ranges = []", "tcp_ranges = []" },
		{ "tcp_ranges = [\"5-6\", \"1-2\", \"3-4\", \"9-10\", \"20-30\", \"25-40\"]",
		  "tcp_ranges = [\"1-6\", \"9-10\", \"20-40\"]" },
		{ "icmp_ranges = []", "icmp_out_ranges = []" },
		{ "icmp_ranges = []\nexternals = [{ address = \"192.0.2.1\", icmp_ranges = [\"0-65535\"] }]",
		  "icmp_out_ranges = [\"1000-65535\"]" },
		{ "icmp_ranges = []", "icmp_in_ranges = []" },
		{ "bpf_log_level = 5", "bpf_log_level = 5" },
		{ "bpf_fib_lookup_external = false", "bpf_fib_lookup_external = false" },
		{ "prefer_tcx = false", "prefer_tcx = false" },
		{ "timeout_fragment = \"1500ms\"", "timeout_fragment = \"1500ms\"" },
		{ "timeout_icmp_default = \"90\"", "timeout_icmp_default = \"90s\"" },
		{ "timeout_udp_min = 90", "timeout_udp_min = \"90s\"" },
		{ "timeout_udp_default = \"1.5h\"", "timeout_udp_default = \"5400s\"" },
		{ "timeout_tcp_trans = \"5m\"", "timeout_tcp_trans = \"300s\"" },
		{ "", "timeout_tcp_est = \"7440s\"" },
		{ "timeout_tcp_est = \"120m\"", "timeout_tcp_est = \"7200s\"" },
		{ "timeout_pkt_min = \"3m\"", "timeout_udp_min = \"180s\"" },
		{ "timeout_udp_default = \"6m\"\ntimeout_pkt_default = \"3m\"", "timeout_udp_default = \"360s\"" },
		{ "timeout_pkt_default = \"3m\"\ntimeout_udp_default = \"6m\"", "timeout_udp_default = \"360s\"" },
		{ "frag_track_max_records = 65_536", "frag_track_max_records = 65536" },
		{ "", "ct_max_records = 16384" },
		{ "binding_max_records = 0x1000", "ct_max_records = 8192" },
		{ "binding_max_records = 4096\nct_max_records = 5", "ct_max_records = 5" },
		{ "filtering = \"address-dependent\"", "filtering = \"address-dependent\"" },
		{ "pooling = \"paired\"", "pooling = \"paired\"" },
		{ "refresh_inbound = true", "refresh_inbound = true" },
		{ "inbound_mark = 0xffffffff", "inbound_mark = 4294967295" },
		{ "tcp_mss_clamp = 1452", "tcp_mss_clamp = 1452" },
		{ "host_limit_udp = 1000", "host_limit_udp = 1000" },
		{ "host_rate = 50", "host_rate = 50" },
		{ "no_snat_dests = [\"192.0.2.77/24\", \"2001:db8::1/32\"]",
		  "no_snat_dests = [\"192.0.2.0/24\", \"2001:db8::/32\"]" },
		{ "snat_internals = [\"192.168.1.1/16\"]", "snat_internals = [\"192.168.0.0/16\"]" },
		{ "default_externals = false\nexternals = [{ address = \"192.0.2.1\" }]", "default_externals = false" },
		{ "ipv4_hairpin_route.internal_if_names = [\"lo\", \"lan\"]", "internal_if_names = [\"lo\", \"lan\"]" },
		{ "ipv4_hairpin_route.internal_if_names = [\"lo\", \"lan\"]", "enable = true" },
		{ "ipv4_hairpin_route = { internal_if_names = [\"lan\"], ip_protocols = [\"icmp\", \"tcp\", \"icmp\"] }",
		  "ip_protocols = [\"tcp\", \"icmp\"]" },
		{ "[interfaces.ipv6_hairpin_route]\nip_rule_pref = 50", "ip_rule_pref = 50" },
		{ "[interfaces.ipv6_hairpin_route]\ntable_id = 17", "table_id = 17" },
		{ "[defaults]\nipv6_hairpin_table_id = 18", "table_id = 18" },
		{ "designated_server.if_name = \"dmz\"",
		  "[interfaces.designated_server]\nif_name = \"dmz\"\nmark = 4788" },
		{ "designated_server.if_name = \"dmz\"", "icmp_out_ranges = [\"0-65535\"]" },
		{ "designated_server.if_name = \"dmz\"\nicmp_out_ranges = [\"5-9\"]", "icmp_out_ranges = [\"5-9\"]" },
		{ "designated_server.if_name = \"dmz\"\n[defaults]\nicmp_out_ranges = [\"7-8\"]",
		  "icmp_out_ranges = [\"7-8\"]" },
		{ "[interfaces.designated_server]\nif_name = \"dmz\"\nmark = 0x10", "mark = 16" },
		{ "[interfaces.designated_server]\nif_name = \"dmz\"\nip_rule_pref = 55", "ip_rule_pref = 55" },
		{ "[interfaces.designated_server]\nif_name = \"dmz\"\ntable_id = 56", "table_id = 56" },
		{ "[defaults]\nipv4_local_rule_pref = 300", "ipv4_local_rule_pref = 300" },
		{ "[defaults]\nudp_ranges = [\"7-8\"]", "udp_ranges = [\"7-8\"]" },
		{ "udp_ranges = [\"9-9\"]\n[defaults]\nudp_ranges = [\"7-8\"]", "udp_ranges = [\"9-9\"]" },
		{ "[[interfaces.externals]]\naddress = \"192.0.2.7\"", "address = \"192.0.2.7\"" },
		{ "[[interfaces.externals]]\naddress = \"2001:db8::7\"", "address = \"2001:db8::7\"" },
		{ "[[interfaces.externals]]\nnetwork = \"192.0.2.5/24\"", "network = \"192.0.2.5/24\"" },
		{ "externals = [{ network = \"192.0.2.5/24\", is_internal = true }]", "is_internal = true" },
		{ "[[interfaces.externals]]\nmatch_address = \"192.0.2.5/24\"",
		  "match_address = { start = \"192.0.2.0\", end = \"192.0.2.255\" }" },
		{ "[[interfaces.externals]]\nmatch_address = { network = \"2001:db8::/33\" }",
		  "match_address = { start = \"2001:db8::\", end = \"2001:db8:7fff:ffff:ffff:ffff:ffff:ffff\" }" },
		{ "[[interfaces.externals]]\nmatch_address.start = \"192.0.2.1\"\nmatch_address.end = \"192.0.2.1\"",
		  "match_address = { start = \"192.0.2.1\", end = \"192.0.2.1\" }" },
		{ "tcp_ranges = []\n[[interfaces.externals]]\naddress = \"192.0.2.7\"\ntcp_ranges = [\"5-6\"]",
		  "tcp_ranges = [\"5-6\"]" },
		{ "forwards = [\"tcp:80-89=10.0.0.1:8080\"]",
		  "[[interfaces.forwards]]\nprotocol = [\"tcp\"]\nexternal_port = \"80-89\"\ninternal_address = \"10.0.0.1\"\n"
		  "internal_port = \"8080-8089\"\nremotes = []" },
		{ FORWARD("protocol = \"tcp\""),
		  "[[interfaces.forwards]]\nprotocol = [\"tcp\"]\nexternal_port = 80\ninternal_address = \"10.0.0.1\"\n"
		  "internal_port = 80\nremotes = []" },
		{ "externals = [{ match_address = \"192.0.2.6/32\" }, { network = \"192.0.2.7/24\" }]\n" FORWARD(
			  "protocol = \"tcp\", external_address = \"192.0.2.7\""),
		  "external_port = 80\nexternal_address = \"192.0.2.7\"" },
		{ "externals = [{ match_address = \"192.0.2.6/32\" }]\n" FORWARD(
			  "protocol = \"tcp\", external_address = \"192.0.2.6\""),
		  "external_port = 80\nexternal_address = \"192.0.2.6\"" },
		{ "forwards = [{ protocol = [\"udp\", \"tcp\"], external_port = \"80-89\", internal_port = 8080, "
		  "internal_address = \"10.0.0.1\", remotes = [\"192.0.2.7/24\", \"198.51.100.1/32\"] }]",
		  "[[interfaces.forwards]]\nprotocol = [\"tcp\", \"udp\"]\nexternal_port = \"80-89\"\n"
		  "internal_address = \"10.0.0.1\"\ninternal_port = \"8080-8089\"\n"
		  "remotes = [\"192.0.2.0/24\", \"198.51.100.1/32\"]" },
	};
	char text[512], line[256], *printed;
	struct config config;
	size_t i, size;
	FILE *to;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), WAN "%s\n", cases[i].text);
		read_good(&config, text);
		to = open_memstream(&printed, &size);
		assert_non_null(to);
		config_print(to, &config, CONFIG_TOML);
		fclose(to);
		snprintf(line, sizeof(line), "\n%s\n", cases[i].effect);
		if (!strstr(printed, line))
			fail_msg("%s: no line %s in %s", cases[i].text, cases[i].effect, printed);
		free(printed);
		config_free(&config);
	}
}

static void test_notes(void **state)
{
	static const struct {
		const char *text, *note;
	} cases[] = {
		{ WAN "bpf_loader = \"aya\"", "f:4: [[interfaces]] \"wan\": bpf_loader: has no effect here" },
		{ WAN "allow_inbound_icmpx = true",
		  "f:4: [[interfaces]] \"wan\": allow_inbound_icmpx: has no effect here: nothing from outside makes a mapping" },
		{ WAN "allow_inbound_icmpx = false", NULL },
		{ "[[interfaces]]\nif_name = \"wan\"",
		  "f:1: [[interfaces]] \"wan\": neither nat44 nor nat66 is on: nothing is translated" },
		{ WAN, NULL },
	};
	struct config config;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		read_good(&config, cases[i].text);
		assert_int_equal(config.notes_count, cases[i].note ? 1 : 0);
		if (cases[i].note)
			assert_string_equal(config.notes[0], cases[i].note);
		config_free(&config);
	}
}

static char *print_toml(const struct config *config)
{
	char *printed;
	size_t size;
	FILE *to = open_memstream(&printed, &size);

	assert_non_null(to);
	config_print(to, config, CONFIG_TOML);
	fclose(to);
	return printed;
}

/* The effective configuration reads back to itself. `text` is freed. */
static void assert_round_trip(char *text)
{
	char *first, *second;
	struct config config;

	read_good(&config, text);
	first = print_toml(&config);
	config_free(&config);
	read_good(&config, first);
	second = print_toml(&config);
	config_free(&config);
	assert_string_equal(first, second);
	free(first);
	free(second);
	free(text);
}

static char *file_read(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "r");

	assert_non_null(text);
	if (!file)
		fail_msg("%s: run this from the top of the tree", path);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static const char sample[] = "packaging/einat.toml";

/* Takes the "#" away from line `number` of the sample; false: it has none, or is text. */
static bool line_uncomment(char *text, int number)
{
	for (; number > 1 && text; number--)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	if (!text || text[0] != '#' || text[1] == ' ' || text[1] == '\n')
		return false;
	*text = ' ';
	return true;
}

static int lines_count(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* As it is, with each single line of it in force, and with all of them. */
static void test_sample(void **state)
{
	char *text = file_read(sample), *one;
	int i, lines = lines_count(text), keys = 0;
	struct config config;
	char error[512];

	(void)state;
	read_good(&config, text);
	assert_int_equal(config.notes_count, 0);
	config_free(&config);
	for (i = 1; i <= lines; i++) {
		one = strdup(text);
		assert_non_null(one);
		if (line_uncomment(one, i)) {
			keys++;
			/* A bare header, a key of one, and `enable` without names lack what stands beside them. */
			if (config_file_parse(&config, "f", one, strlen(one), error, sizeof(error)) &&
			    !strstr(error, "needs one of") && !strstr(error, "is missing") &&
			    !strstr(error, "no internal_if_names") && !strstr(error, "unknown key") &&
			    !strstr(error, "is already defined"))
				fail_msg("%s", error);
			config_free(&config);
		}
		free(one);
	}
	assert_true(keys > 70);
	for (i = 1; i <= lines; i++)
		line_uncomment(text, i);
	assert_round_trip(text);
}

/* Every key that a configuration is printed with is in the sample, and no default there is another than in force. */
static void test_sample_is_complete(void **state)
{
	char *text = file_read(sample), *printed, *line, *rest, *end;
	struct config config;
	int i, lines = lines_count(text);

	(void)state;
	for (i = 1; i <= lines; i++)
		line_uncomment(text, i);
	read_good(&config, text);
	printed = print_toml(&config);
	for (rest = printed; (line = strsep(&rest, "\n"));) {
		end = strstr(line, " = ");
		if (!end)
			continue;
		end[3] = '\0';
		if (!strstr(text, line))
			fail_msg("%s is not in %s", line, sample);
	}
	config_free(&config);
	free(printed);
	free(text);
}

/* What takes longer, or more memory, with each element is bounded. */
static void test_bounds(void **state)
{
	static const struct {
		const char *before, *element, *after, *error;
	} cases[] = {
		{ "interfaces = [", "{ if_name = \"w%d\" },", "]", "f:1: interfaces: more than 256" },
		{ "interfaces = [{ if_name = \"wan\", externals = [", "{ address = \"192.0.2.%d\", no_snat = true },",
		  "] }]", "f:1: [[interfaces]] \"wan\": externals: more than 256" },
		{ "interfaces = [{ if_name = \"wan\", ipv4_hairpin_route.internal_if_names = [", "\"l%d\",", "] }]",
		  "f:1: [[interfaces]] \"wan\": ipv4_hairpin_route: internal_if_names: more than 256" },
	};
	char error[256], *text = NULL;
	struct config config;
	size_t length;
	FILE *file;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file = open_memstream(&text, &length);
		fputs(cases[i].before, file);
		for (int n = 0; n < 257; n++)
			fprintf(file, cases[i].element, n % 256);
		fputs(cases[i].after, file);
		fclose(file);
		assert_int_equal(config_file_parse(&config, "f", text, length, error, sizeof(error)), -EINVAL);
		assert_string_equal(error, cases[i].error);
		free(text);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* 0: refused, for this reason */
		const char *why;
	} cases[] = {
		{ "2s", 2000, NULL },
		{ "2", 2000, NULL },
		{ "1ns", 1, NULL },
		{ "999999ns", 1, NULL },
		{ "1000001ns", 2, NULL },
		{ "1000us", 1, NULL },
		{ "2000\xc2\xb5s", 2, NULL },
		{ "3000\xce\xbcs", 3, NULL },
		{ "7ms", 7, NULL },
		{ "2m", 120000, NULL },
		{ "2h", 7200000, NULL },
		{ "1d", 86400000, NULL },
		{ "1w", 604800000, NULL },
		{ "0.5s", 500, NULL },
		{ "1.25m", 75000, NULL },
		{ "52w", 31449600000, NULL },
		{ "53w", 0, "more than 52 weeks" },
		{ "52.9w", 0, "more than 52 weeks" },
		{ "99999999999999999999999999s", 0, "more than 52 weeks" },
		{ "0", 0, "must be above zero" },
		{ "0.0s", 0, "must be above zero" },
		{ "", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "s", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "-1s", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "1 s", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "1.s", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "1h30m", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "1S", 0, "not a time such as \"2s\" or \"5m\"" },
		{ "1sec", 0, "not a time such as \"2s\" or \"5m\"" },
	};
	const char *why;
	uint64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# \"%s\"\n", cases[i].text);
		assert_int_equal(duration_parse(cases[i].text, &ms, &why), cases[i].ms ? 0 : -EINVAL);
		if (cases[i].ms)
			assert_int_equal(ms, cases[i].ms);
		else
			assert_string_equal(why, cases[i].why);
	}
}

static void test_json(void **state)
{
	static const char *const parts[] = {
		"{\"defaults\":{\"ipv4_local_rule_pref\":200,\"ipv6_local_rule_pref\":200},\"control\":{\"mode\":\"0600\"},"
		"\"log\":{\"to\":\"stderr\",\"level\":\"info\",\"socket\":\"/dev/log\",\"assignments\":false,"
		"\"assignments_rate\":1000},"
		"\"interfaces\":[{\"if_name\":\"wan\",",
		",\"tcp_ranges\":[\"1-2\", \"5-6\"],",
		",\"ipv6_hairpin_route\":{\"enable\":false,\"internal_if_names\":[],\"ip_protocols\":[\"tcp\", \"udp\"],",
		",\"externals\":[{\"address\":\"192.0.2.7\",\"is_internal\":false,",
		"},{\"match_address\":{\"start\":\"192.0.2.0\",\"end\":\"192.0.2.255\"},",
		"\"]}],\"forwards\":[]},{\"if_name\":\"q\\\"\",",
		",\"externals\":[],\"forwards\":[]}]}\n",
	};
	struct config config;
	char *printed;
	size_t i, size;
	FILE *to;

	(void)state;
	read_good(&config, WAN "tcp_ranges = [\"1-2\", \"5-6\"]\n[[interfaces.externals]]\naddress = \"192.0.2.7\"\n"
			       "[[interfaces.externals]]\nmatch_address = \"192.0.2.0/24\"\n"
			       "[[interfaces]]\nif_name = \"q\\\"\"\nnat66 = true\n");
	to = open_memstream(&printed, &size);
	assert_non_null(to);
	config_print(to, &config, CONFIG_JSON);
	fclose(to);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strstr(printed, parts[i]))
			fail_msg("no %s in %s", parts[i], printed);
	free(printed);
	config_free(&config);
}

static void test_file(void **state)
{
	struct config config;
	char error[512];

	(void)state;
	assert_int_equal(config_file_load(&config, "/nonexistent/einat.toml", error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "/nonexistent/einat.toml: No such file or directory");
	assert_int_equal(config_file_load(&config, "/", error, sizeof(error)), -EISDIR);
	assert_string_equal(error, "/: Is a directory");
	assert_int_equal(config_file_load(&config, "/dev/zero", error, sizeof(error)), -EFBIG);
	assert_string_equal(error, "/dev/zero:1:1: more than 1 MB");
	assert_int_equal(config_file_load(&config, sample, error, sizeof(error)), 0);
	assert_int_equal(config.interfaces_count, 1);
	config_free(&config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_effect),
		cmocka_unit_test(test_notes),	  cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_sample),	  cmocka_unit_test(test_sample_is_complete),
		cmocka_unit_test(test_durations), cmocka_unit_test(test_json),
		cmocka_unit_test(test_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
}
