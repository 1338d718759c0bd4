// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: facts in, findings out. The machine that these facts are of is doctor.t's. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netfilter.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "doctor.h"

static struct interface_config config;
static struct interface_address addresses[2];
static struct nft_rule rule;

/* Those of a file, each with an address by itself. */
static struct external_rule externals[] = {
	{ .form = EXTERNAL_ADDRESS, .family = AF_INET, .first = { 0x0100cbcb } },
	{ .form = EXTERNAL_NETWORK, .family = AF_INET6, .first = { 0xb80d0120 }, .length = 64 },
};

/* A machine on which everything is well, for both families. */
static struct facts facts_make(void)
{
	struct facts facts = { .config = &config, .can_network = true, .can_bpf = true };
	int family;

	facts.is_present = facts.is_up = facts.is_ethernet = true;
	facts.link_type = ARPHRD_ETHER;
	facts.mtu = 1500;
	facts.local_ports = (struct port_range){ 32768, 60999 };
	for (family = 0; family < CONFIG_FAMILIES; family++)
		facts.family[family] = (struct family_facts){
			.is_wanted = true,
			.forwarding = 1,
			.wan_forwarding = 1,
			.has_default = true,
			.has_static_default = true,
		};
	config.take_over_masquerade = false;
	config.default_externals = true;
	config.externals_count = 0;
	memset(addresses, 0, sizeof(addresses));
	addresses[0].family = AF_INET;
	addresses[1].family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET, "203.0.113.2", addresses[0].addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", addresses[1].addr), 1);
	facts.addresses = addresses;
	facts.addresses_count = 2;
	memset(&rule, 0, sizeof(rule));
	strcpy(rule.chain.table, "nat");
	strcpy(rule.chain.name, "postrouting");
	rule.chain.family = NFPROTO_INET;
	rule.handle = 7;
	facts.firewall.rules = &rule;
	facts.firewall.rules_count = 1;
	return facts;
}

static void no_names(struct facts *facts)
{
	facts->missing[0] = (struct missing_name){ "lam", false };
	facts->missing[1] = (struct missing_name){ "dnz", true };
	facts->missing_count = 2;
}

static void address_set(struct facts *facts, const char *text)
{
	(void)facts;
	assert_int_equal(inet_pton(AF_INET, text, addresses[0].addr), 1);
}

/* Each case changes the facts of a machine that is well. */
#define IPV4 facts->family[CONFIG_IPV4]
#define IPV6 facts->family[CONFIG_IPV6]
#define CASE(name, ...)                       \
	static void name(struct facts *facts) \
	{                                     \
		(void)facts;                  \
		__VA_ARGS__;                  \
	}
CASE(well, )
CASE(no_rights, facts->can_bpf = false)
CASE(no_kernel, strcpy(facts->kernel_says, "wan: attach egress: Operation not supported"))
CASE(no_interface, facts->is_present = false; facts->addresses_count = 0)
CASE(infiniband, facts->link_type = ARPHRD_INFINIBAND)
CASE(down, facts->is_up = false)
CASE(pppoe, facts->mtu = 1492)
CASE(pppoe_clamped, facts->mtu = 1492; facts->firewall.has_clamp = true)
CASE(running, facts->holder = 12; IPV4.left_rules = 3)
CASE(killed, IPV4.left_rules = 3)
CASE(no_address, facts->addresses_count = 0)
CASE(no_address_of_its_own, facts->addresses_count = 0; config.externals = externals; config.externals_count = 2)
CASE(shared, address_set(facts, "100.127.255.255"))
CASE(not_shared, address_set(facts, "100.128.0.0"))
CASE(private_12, address_set(facts, "172.31.0.1"))
CASE(not_private_12, address_set(facts, "172.32.0.1"))
CASE(temporary, addresses[0].family = AF_INET6; addresses[0].flags = IFA_F_TEMPORARY; IPV4.is_wanted = false)
CASE(no_route, IPV4.has_default = false)
CASE(route_elsewhere, IPV6.has_default = false; strcpy(IPV6.other_default, "lte"))
CASE(no_forwarding, IPV4.forwarding = 0; IPV4.wan_forwarding = 0)
CASE(not_on_wan, IPV6.wan_forwarding = 0)
CASE(unknown_forwarding, IPV4.forwarding = -1)
CASE(ra_ignored, IPV6.accept_ra = 1; IPV6.has_static_default = false)
CASE(ra_minded, IPV6.accept_ra = 2; IPV6.has_static_default = false)
CASE(ra_not_needed, IPV6.accept_ra = 1)
CASE(strict, IPV4.rp_filter = 1)
CASE(strict_two, IPV4.rp_filter = 1; strcpy(IPV4.other_default, "lte"))
CASE(loose, IPV4.rp_filter = 2)
CASE(masquerade, rule.is_in_the_way = true)
CASE(masquerade_narrow, rule.is_in_the_way = rule.is_narrow = true)
CASE(masquerade_taken, rule.is_in_the_way = true; config.take_over_masquerade = true)
CASE(masquerade_other, rule.is_in_the_way = true; rule.only_family = NFPROTO_IPV6; IPV6.is_wanted = false)
CASE(offload, rule.is_offload = true)
CASE(offload_hardware, rule.is_offload = rule.is_hardware = true)
CASE(legacy, facts->legacy_count = 2; facts->legacy[0].number = 1; facts->legacy[1].number = 4;
     facts->legacy[1].is_narrow = true)
CASE(listener, facts->listeners_count[NAT_TCP] = 9; facts->listeners[NAT_TCP][0] = 25000)
CASE(local_ports, facts->local_ports = (struct port_range){ 29998, 60999 })
CASE(local_ports_reserved, facts->local_ports = (struct port_range){ 29998, 60999 };
     strcpy(facts->reserved_ports, "29000-29998,29999,40000"))

/* "id: the first words of what, or of the command" in the order of the findings. */
static void test_findings(void **state)
{
	static const struct {
		const char *what;
		void (*change)(struct facts *facts);
		int status;
		const char *found; /* "severity id", joined by a comma */
		const char *mend;  /* of the first */
	} cases[] = {
		{ "well", well, 0, "", NULL },
		{ "no rights", no_rights, 1, "error no-permission", "sudo einat doctor OPTIONS" },
		{ "kernel", no_kernel, 1, "error kernel", "modprobe -a sch_ingress cls_bpf" },
		{ "no interface: its address is not asked for", no_interface, 1, "error no-interface", NULL },
		{ "link type", infiniband, 1, "error link-type", "" },
		{ "internal interfaces that are not there", no_names, 3,
		  "warning no-internal-interface,warning no-internal-interface", "ip -brief link" },
		{ "down", down, 1, "error link-down", "ip link set dev wan up" },
		{ "PPPoE", pppoe, 3, "warning mtu", NULL },
		{ "PPPoE with a clamp", pppoe_clamped, 0, "", NULL },
		{ "at work: its rules are no left-overs", running, 0, "note running", "" },
		{ "killed", killed, 3, "warning leftovers-ipv4", "einat cleanup" },
		{ "no address", no_address, 1, "error no-address-ipv4,error no-address-ipv6",
		  "ip address add ADDRESS/LENGTH dev wan" },
		{ "no address but those that the file names", no_address_of_its_own, 0, "", NULL },
		{ "100.64.0.0/10", shared, 3, "warning double-nat", "" },
		{ "behind it", not_shared, 0, "", NULL },
		{ "172.16.0.0/12", private_12, 3, "warning double-nat", "" },
		{ "behind that", not_private_12, 0, "", NULL },
		{ "temporary addresses", temporary, 0, "note temporary-addresses",
		  "sysctl -w net.ipv6.conf.wan.use_tempaddr=0" },
		{ "no route", no_route, 1, "error no-route-ipv4", "ip route add default via GATEWAY dev wan" },
		{ "route elsewhere", route_elsewhere, 3, "warning no-route-ipv6",
		  "ip -6 route add default via GATEWAY dev wan" },
		{ "no forwarding", no_forwarding, 1, "error forwarding-ipv4", "sysctl -w net.ipv4.ip_forward=1" },
		{ "none on wan", not_on_wan, 1, "error forwarding-ipv6", "sysctl -w net.ipv6.conf.wan.forwarding=1" },
		{ "no word on forwarding is no finding", unknown_forwarding, 0, "", NULL },
		{ "advertisements ignored", ra_ignored, 3, "warning accept-ra",
		  "sysctl -w net.ipv6.conf.wan.accept_ra=2" },
		{ "advertisements minded", ra_minded, 0, "", NULL },
		{ "advertisements not needed", ra_not_needed, 0, "", NULL },
		{ "strict", strict, 0, "note rp-filter", "sysctl -w net.ipv4.conf.wan.rp_filter=2" },
		{ "strict with two ways out", strict_two, 3, "warning rp-filter", NULL },
		{ "loose", loose, 0, "", NULL },
		{ "masquerade", masquerade, 1, "error masquerade", "nft delete rule inet nat postrouting handle 7" },
		{ "masquerade for some", masquerade_narrow, 3, "warning masquerade", NULL },
		{ "masquerade taken over", masquerade_taken, 0, "note masquerade", NULL },
		{ "masquerade of the other family", masquerade_other, 0, "", NULL },
		{ "flow offload", offload, 3, "warning flow-offload", "nft delete rule inet nat postrouting handle 7" },
		{ "flow offload in hardware", offload_hardware, 1, "error flow-offload", NULL },
		{ "iptables-legacy, from the last to the first", legacy, 1, "error masquerade,error masquerade",
		  "iptables-legacy -t nat -D POSTROUTING 4" },
		{ "a listener", listener, 0, "note listeners-tcp", "" },
		{ "local ports", local_ports, 0, "note local-ports",
		  "sysctl -w net.ipv4.ip_local_reserved_ports=20000-29999" },
		{ "local ports reserved", local_ports_reserved, 0, "", NULL },
	};
	static const char *const severities[] = { "note", "warning", "error" };
	struct findings findings;
	struct facts facts;
	char text[256];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].what);
		facts = facts_make();
		cases[i].change(&facts);
		memset(&findings, 0, sizeof(findings));
		doctor_examine(&facts, &findings);
		text[0] = '\0';
		for (k = 0; k < findings.count; k++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s", k ? "," : "",
				 severities[findings.list[k].severity], findings.list[k].id);
		assert_string_equal(text, cases[i].found);
		assert_int_equal(findings_status(&findings), cases[i].status);
		if (cases[i].mend)
			assert_string_equal(findings.list[0].mend, cases[i].mend);
		findings_free(&findings);
	}
}

static void test_dots_in_names(void **state)
{
	struct findings findings = { NULL, 0, false };
	struct facts facts = facts_make();

	(void)state;
	strcpy(config.name, "eth0.100");
	facts.family[CONFIG_IPV4].wan_forwarding = 0;
	doctor_examine(&facts, &findings);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.list[0].mend, "sysctl -w net/ipv4/conf/eth0.100/forwarding=1");
	findings_free(&findings);
	strcpy(config.name, "wan");
}

/* What is printed for people and for machines, whatever a name holds. */
static void test_printing(void **state)
{
	struct finding list[] = {
		{ .severity = SEVERITY_ERROR,
		  .id = "masquerade",
		  .what = "a \"b\" \\ \n c \xff",
		  .why = "one two three four five six seven eight nine ten eleven twelve thirteen four",
		  .mend = "" }
	};
	struct findings findings = { list, 1, false };
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_non_null(file);
	findings_print_json(file, "w\"n", &findings);
	fclose(file);
	assert_string_equal(
		text, "{\"interface\":\"w\\\"n\",\"verdict\":\"cannot work\",\"findings\":[{\"severity\":\"error\","
		      "\"id\":\"masquerade\",\"what\":\"a \\\"b\\\" \\\\ \\n c \\u00ff\",\"why\":\"one two three "
		      "four five six seven eight nine ten eleven twelve thirteen four\",\"mend\":null}]}");
	free(text);
	strcpy(list[0].what, "it is so");
	strcpy(list[0].mend, "run this");
	file = open_memstream(&text, &size);
	assert_non_null(file);
	findings_print(file, "wan", &findings);
	fclose(file);
	assert_string_equal(text, "error: it is so\n"
				  "    one two three four five six seven eight nine ten eleven twelve thirteen four\n"
				  "    # run this\n"
				  "wan: the NAT cannot work: errors: 1, warnings: 0\n");
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_dots_in_names),
		cmocka_unit_test(test_printing),
	};

	strcpy(config.name, "wan");
	assert_int_equal(interface_config_default_ports(&config), 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
