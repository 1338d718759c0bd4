// SPDX-License-Identifier: GPL-2.0-or-later
/* See doctor.h. One function for each subject, in the order in which a person would ask. */
#include "doctor.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "external_plan.h"
#include "json.h"

enum { COLUMNS = 80, INDENT = 4, FULL_MTU = 1500 };

static const char *const severity_names[SEVERITIES] = { "note", "warning", "error" };
static const char *const family_names[CONFIG_FAMILIES] = { "IPv4", "IPv6" };
static const int address_families[CONFIG_FAMILIES] = { AF_INET, AF_INET6 };

void findings_free(struct findings *findings)
{
	free(findings->list);
	memset(findings, 0, sizeof(*findings));
}

static void __attribute__((format(printf, 2, 3))) text_set(char text[DOCTOR_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, DOCTOR_TEXT, format, args);
	va_end(args);
}

/* Adds a finding; never NULL, so that its texts can be set without asking. */
static struct finding *found(struct findings *findings, enum severity severity, const char *id)
{
	static struct finding spare;
	struct finding *grown = realloc(findings->list, (findings->count + 1) * sizeof(*grown)), *finding;

	if (grown)
		findings->list = grown;
	findings->is_short = findings->is_short || !grown;
	finding = grown ? &grown[findings->count++] : &spare;
	memset(finding, 0, sizeof(*finding));
	finding->severity = severity;
	finding->order = findings->count;
	finding->id = id;
	return finding;
}

/* sysctl takes slashes for dots, which a name with dots in it needs. */
static void mend_sysctl(struct finding *finding, const char *family, const char *ifname, const char *key, int value)
{
	if (strchr(ifname, '.'))
		text_set(finding->mend, "sysctl -w net/%s/conf/%s/%s=%d", family, ifname, key, value);
	else
		text_set(finding->mend, "sysctl -w net.%s.conf.%s.%s=%d", family, ifname, key, value);
}

static void examine_kernel(const struct facts *facts, struct findings *findings)
{
	struct finding *finding;

	if (!facts->can_network || !facts->can_bpf) {
		finding = found(findings, SEVERITY_ERROR, "no-permission");
		text_set(finding->what, "no permission: it lacks the capabilities %s",
			 facts->can_network ? "BPF" : "NET_ADMIN and BPF");
		text_set(finding->why,
			 "Loading the programs and attaching them takes both. What needs them was not examined.");
		text_set(finding->mend, "sudo einat doctor OPTIONS");
		return;
	}
	if (!facts->kernel_says[0])
		return;
	finding = found(findings, SEVERITY_ERROR, "kernel");
	text_set(finding->what, "this kernel does not take the programs");
	text_set(finding->why, "Tried in a network namespace of its own: %s", facts->kernel_says);
	text_set(finding->mend, "modprobe -a sch_ingress cls_bpf");
}

static void examine_link(const struct facts *facts, struct findings *findings)
{
	const char *name = facts->config->name;
	struct finding *finding;

	if (facts->holder) {
		finding = found(findings, SEVERITY_NOTE, "running");
		text_set(finding->what, "einat is at work on %s: process %ld", name, facts->holder);
		text_set(finding->why, "A second one would refuse to start.");
	}
	if (!facts->is_present) {
		finding = found(findings, SEVERITY_ERROR, "no-interface");
		text_set(finding->what, "there is no interface %s", name);
		text_set(finding->why, "einat waits for it. If it has another name, this lists them all.");
		text_set(finding->mend, "ip -brief link");
		return;
	}
	if (external_link_layer(facts->link_type) == LINK_UNSUPPORTED) {
		finding = found(findings, SEVERITY_ERROR, "link-type");
		text_set(finding->what, "%s has the link type %u, which is not supported", name, facts->link_type);
		text_set(finding->why, "Ethernet, PPP, WireGuard, TUN and IP tunnels are.");
	}
	if (!facts->is_up) {
		finding = found(findings, SEVERITY_ERROR, "link-down");
		text_set(finding->what, "%s is down", name);
		text_set(finding->why, "Nothing is sent or received.");
		text_set(finding->mend, "ip link set dev %s up", name);
	}
	if (facts->mtu < FULL_MTU && !facts->firewall.has_clamp && !facts->config->mss_clamp) {
		finding = found(findings, SEVERITY_WARNING, "mtu");
		text_set(finding->what, "%s takes packets of %u bytes, and no rule clamps the MSS of TCP", name,
			 facts->mtu);
		text_set(finding->why, "Connections hang where somebody drops the ICMP messages that say so. "
				       "The key tcp_mss_clamp of einat does it too.");
		text_set(finding->mend, "nft 'table inet mss { chain forward {\n"
					"type filter hook forward priority -150;\n"
					"tcp flags syn tcp option maxseg size set rt mtu; }; }'");
	}
}

/* Nothing is wrong with waiting for them, unless they are misspelt. */
static void examine_names(const struct facts *facts, struct findings *findings)
{
	const struct missing_name *missing = facts->missing;
	struct finding *finding;

	for (; missing < facts->missing + facts->missing_count; missing++) {
		finding = found(findings, SEVERITY_WARNING, "no-internal-interface");
		text_set(finding->what, "there is no interface %s, %s", missing->name,
			 missing->is_designated ? "which the designated server is behind"
						: "from which the external address is to be reached");
		text_set(finding->why, "einat waits for it. If it has another name, this lists them all.");
		text_set(finding->mend, "ip -brief link");
	}
}

/* An address that the Internet does not route: whoever gave it translates once more. */
static bool is_shared_address(uint32_t address)
{
	static const struct {
		uint32_t network, mask;
	} networks[] = {
		{ 0x0a000000, 0xff000000 }, /* RFC 1918 */
		{ 0xac100000, 0xfff00000 }, { 0xc0a80000, 0xffff0000 },
		{ 0x64400000, 0xffc00000 }, /* RFC 6598: carrier-grade NAT */
		{ 0xc0000000, 0xffffff00 }, /* RFC 7335: DS-Lite, 464XLAT */
		{ 0xa9fe0000, 0xffff0000 }, /* RFC 3927 */
	};
	size_t i;

	for (i = 0; i < sizeof(networks) / sizeof(*networks); i++)
		if ((address & networks[i].mask) == networks[i].network)
			return true;
	return false;
}

static bool has_temporary(const struct facts *facts)
{
	size_t i;

	for (i = 0; i < facts->addresses_count; i++)
		if (facts->addresses[i].family == AF_INET6 && facts->addresses[i].flags & IFA_F_TEMPORARY)
			return true;
	return false;
}

/* The first address that packets leave from; false: there is none. Short of memory it is none, too. */
static bool source_find(const struct facts *facts, enum config_family family, __be32 source[4])
{
	static const __be32 none[4];
	struct external_plan plan;
	bool is_found = false;
	unsigned int i;
	int err;

	err = external_plan_init(&plan, facts->config, address_families[family]);
	err = err
		      ?: external_plan_update(&plan, facts->config, address_families[family], facts->addresses,
					      facts->addresses_count);
	for (i = 0; !err && !is_found && i < plan.count; i++) {
		is_found = memcmp(plan.sources[i], none, sizeof(none));
		memcpy(source, plan.sources[i], sizeof(none));
	}
	external_plan_free(&plan);
	return is_found;
}

static void examine_address(const struct facts *facts, struct findings *findings, enum config_family family)
{
	const char *name = facts->config->name, *option = family == CONFIG_IPV4 ? "" : "-6 ";
	char text[INET6_ADDRSTRLEN];
	struct finding *finding;
	__be32 chosen[4];

	if (!source_find(facts, family, chosen)) {
		finding = found(findings, SEVERITY_ERROR,
				family == CONFIG_IPV4 ? "no-address-ipv4" : "no-address-ipv6");
		text_set(finding->what, "%s has no external %s address", name, family_names[family]);
		text_set(finding->why,
			 "It takes a global one that is neither deprecated, temporary nor still being checked. "
			 "einat waits for one; DHCP, PPP or router advertisements bring it.");
		text_set(finding->mend, "ip %saddress add ADDRESS/LENGTH dev %s", option, name);
	} else if (family == CONFIG_IPV4 && is_shared_address(ntohl(chosen[0]))) {
		finding = found(findings, SEVERITY_WARNING, "double-nat");
		text_set(finding->what, "the address %s of %s is not a public one",
			 inet_ntop(AF_INET, chosen, text, sizeof(text)), name);
		text_set(finding->why,
			 "Another NAT stands between here and the Internet, and strangers reach only as far as "
			 "that one lets them. Ask the provider for a public address.");
	}
	if (family == CONFIG_IPV6 && has_temporary(facts)) {
		finding = found(findings, SEVERITY_NOTE, "temporary-addresses");
		text_set(finding->what, "%s has temporary IPv6 addresses (privacy extensions)", name);
		text_set(finding->why,
			 "The router's own connections leave from them untranslated. Internal hosts get the other.");
		mend_sysctl(finding, "ipv6", name, "use_tempaddr", 0);
	}
}

static void examine_route(const struct facts *facts, struct findings *findings, enum config_family family)
{
	const struct family_facts *of = &facts->family[family];
	const char *name = facts->config->name;
	struct finding *finding;

	if (of->has_default)
		return;
	finding = found(findings, of->other_default[0] ? SEVERITY_WARNING : SEVERITY_ERROR,
			family == CONFIG_IPV4 ? "no-route-ipv4" : "no-route-ipv6");
	text_set(finding->what, "no %s default route leads through %s", family_names[family], name);
	if (of->other_default[0])
		text_set(finding->why, "It leads through %s, and what leaves there is not translated here.",
			 of->other_default);
	else
		text_set(finding->why,
			 "Internal hosts reach the Internet by none. DHCP, PPP or router advertisements bring one.");
	text_set(finding->mend, "ip %sroute add default %sdev %s", family == CONFIG_IPV4 ? "" : "-6 ",
		 facts->is_ethernet ? "via GATEWAY " : "", name);
}

static void examine_forwarding(const struct facts *facts, struct findings *findings, enum config_family family)
{
	const struct family_facts *of = &facts->family[family];
	const char *name = facts->config->name;
	struct finding *finding;

	if (!of->forwarding || !of->wan_forwarding) {
		finding = found(findings, SEVERITY_ERROR,
				family == CONFIG_IPV4 ? "forwarding-ipv4" : "forwarding-ipv6");
		text_set(finding->what, "%s forwarding is off%s%s", family_names[family], of->forwarding ? " on " : "",
			 of->forwarding ? name : "");
		text_set(finding->why, "Packets between internal hosts and the Internet end here.");
		if (of->forwarding)
			mend_sysctl(finding, family == CONFIG_IPV4 ? "ipv4" : "ipv6", name, "forwarding", 1);
		else
			text_set(finding->mend, "sysctl -w %s=1",
				 family == CONFIG_IPV4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding");
	}
	if (family == CONFIG_IPV6 && of->disabled == 1) {
		finding = found(findings, SEVERITY_ERROR, "ipv6-disabled");
		text_set(finding->what, "IPv6 is switched off on %s", name);
		text_set(finding->why, "It gets no address there.");
		mend_sysctl(finding, "ipv6", name, "disable_ipv6", 0);
	}
	if (family == CONFIG_IPV6 && of->accept_ra == 1 && !of->has_static_default) {
		finding = found(findings, SEVERITY_WARNING, "accept-ra");
		text_set(finding->what, "%s ignores router advertisements while it forwards", name);
		text_set(finding->why,
			 "accept_ra=1 holds for hosts only: address and default route run out. No harm if a "
			 "program, such as odhcp6c, minds the advertisements.");
		mend_sysctl(finding, "ipv6", name, "accept_ra", 2);
	}
}

static void examine_reverse_path(const struct facts *facts, struct findings *findings)
{
	const struct family_facts *of = &facts->family[CONFIG_IPV4];
	const bool is_harmful = !of->has_default || of->other_default[0];
	struct finding *finding;

	if (of->rp_filter != 1)
		return;
	finding = found(findings, is_harmful ? SEVERITY_WARNING : SEVERITY_NOTE, "rp-filter");
	text_set(finding->what, "strict reverse-path filtering is on for %s", facts->config->name);
	if (is_harmful)
		text_set(finding->why,
			 "Answers are dropped whose sender the main route would not reach through %s. "
			 "Loose filtering is enough.",
			 facts->config->name);
	else
		text_set(finding->why,
			 "It drops packets if ever the default route leads elsewhere. Loose filtering is enough.");
	mend_sysctl(finding, "ipv4", facts->config->name, "rp_filter", 2);
}

static const char *nft_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	default:
		return "inet";
	}
}

static bool is_wanted(const struct facts *facts, uint8_t family)
{
	return (family != NFPROTO_IPV6 && facts->family[CONFIG_IPV4].is_wanted) ||
	       (family != NFPROTO_IPV4 && facts->family[CONFIG_IPV6].is_wanted);
}

static struct finding *found_masquerade(const struct facts *facts, struct findings *findings, bool is_narrow)
{
	const bool take_over = facts->config->take_over_masquerade;
	struct finding *finding = found(findings,
					take_over   ? SEVERITY_NOTE
					: is_narrow ? SEVERITY_WARNING
						    : SEVERITY_ERROR,
					"masquerade");

	if (take_over)
		text_set(finding->why, "einat keeps it off what it translates (take_over_masquerade).");
	else
		text_set(finding->why,
			 "%s are translated before they reach einat, so no stranger reaches them. "
			 "A firewall that made the rule makes it again: tell that, or set take_over_masquerade.",
			 is_narrow ? "The packets that it takes" : "Packets of internal hosts");
	return finding;
}

static void examine_masquerade(const struct facts *facts, struct findings *findings, const struct nft_rule *rule)
{
	struct finding *finding = found_masquerade(facts, findings, rule->is_narrow);

	text_set(finding->what, "a source NAT rule is in the way: chain %s of table %s", rule->chain.name,
		 rule->chain.table);
	text_set(finding->mend, "nft delete rule %s %s %s handle %llu", nft_family(rule->chain.family),
		 rule->chain.table, rule->chain.name, (unsigned long long)rule->handle);
}

/* The last one first, and all of one severity: so deleting one does not change the numbers of those that follow. */
static void examine_legacy(const struct facts *facts, struct findings *findings)
{
	bool is_narrow = true;
	unsigned int i;

	for (i = 0; i < facts->legacy_count; i++)
		is_narrow = is_narrow && facts->legacy[i].is_narrow;

	for (i = facts->legacy_count; i > 0; i--) {
		const struct legacy_rule *rule = &facts->legacy[i - 1];
		struct finding *finding = found_masquerade(facts, findings, is_narrow);

		text_set(finding->what, "a source NAT rule is in the way: rule %u of iptables-legacy", rule->number);
		text_set(finding->mend, "iptables-legacy -t nat -D POSTROUTING %u", rule->number);
	}
}

static void examine_offload(struct findings *findings, const struct nft_rule *rule)
{
	struct finding *finding = found(findings, rule->is_hardware ? SEVERITY_ERROR : SEVERITY_WARNING,
					"flow-offload");

	text_set(finding->what, "%s flow offload is on: chain %s of table %s",
		 rule->is_hardware ? "hardware" : "software", rule->chain.name, rule->chain.table);
	text_set(finding->why, "%s",
		 rule->is_hardware ? "The device forwards packets that then never meet einat."
				   : "Its packets take a way past the rules; einat has not been tried there.");
	text_set(finding->mend, "nft delete rule %s %s %s handle %llu", nft_family(rule->chain.family),
		 rule->chain.table, rule->chain.name, (unsigned long long)rule->handle);
}

static void examine_firewall(const struct facts *facts, struct findings *findings)
{
	const struct nft_rule *rule = facts->firewall.rules;
	size_t i;

	for (i = 0; i < facts->firewall.rules_count; i++, rule++) {
		if (rule->is_in_the_way && is_wanted(facts, rule->only_family))
			examine_masquerade(facts, findings, rule);
		if (rule->is_offload && is_wanted(facts, rule->only_family))
			examine_offload(findings, rule);
	}
}

static void examine_listeners(const struct facts *facts, struct findings *findings, enum nat_protocol protocol)
{
	unsigned int i, count = facts->listeners_count[protocol];
	struct finding *finding;
	size_t used;

	if (!count)
		return;
	finding = found(findings, SEVERITY_NOTE, protocol == NAT_TCP ? "listeners-tcp" : "listeners-udp");
	text_set(finding->what, "the router itself listens on managed %s port%s", protocol == NAT_TCP ? "TCP" : "UDP",
		 count > 1 ? "s" : "");
	for (i = 0; i < count && i < FACTS_PORTS; i++) {
		used = strlen(finding->what);
		snprintf(finding->what + used, sizeof(finding->what) - used, " %u", facts->listeners[protocol][i]);
	}
	used = strlen(finding->what);
	if (count > FACTS_PORTS)
		snprintf(finding->what + used, sizeof(finding->what) - used, " and %u more", count - FACTS_PORTS);
	text_set(finding->why,
		 "No internal host gets them; packets to them reach the router, so its firewall should know.");
}

/* The reserved ports as the kernel writes them, "20000-29999,40000". */
static void reserved_parse(struct port_set *set, const char *text)
{
	char word[16];
	const char *why;
	size_t length;

	for (; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		if (length >= sizeof(word))
			return;
		memcpy(word, text, length);
		word[length] = '\0';
		port_set_parse(set, word, &why);
	}
}

/* The managed TCP and UDP ports that the router may choose for itself: the part of each range that is left. */
static void examine_local_ports(const struct facts *facts, struct findings *findings)
{
	struct port_set both = { NULL, 0 }, reserved = { NULL, 0 };
	struct finding *finding;
	unsigned int shared = 0;
	size_t p, i, used;
	uint32_t port;

	reserved_parse(&reserved, facts->reserved_ports);
	for (p = NAT_TCP; p <= NAT_UDP; p++)
		for (i = 0; i < facts->config->ports[p].count; i++)
			port_set_add(&both, facts->config->ports[p].ranges[i].first,
				     facts->config->ports[p].ranges[i].last);
	for (port = facts->local_ports.first; port && port <= facts->local_ports.last; port++)
		shared += port_set_contains(&both, (uint16_t)port) && !port_set_contains(&reserved, (uint16_t)port);
	if (shared) {
		finding = found(findings, SEVERITY_NOTE, "local-ports");
		text_set(finding->what, "the router's own connections may take %u of the managed ports", shared);
		text_set(finding->why,
			 "They are in net.ipv4.ip_local_port_range. einat maps such a connection like an internal "
			 "host's, so nothing collides, but fewer are left for the hosts.");
		text_set(finding->mend, "sysctl -w net.ipv4.ip_local_reserved_ports=");
		for (i = 0; i < both.count; i++)
			port_set_add(&reserved, both.ranges[i].first, both.ranges[i].last);
		for (i = 0; i < reserved.count; i++) {
			used = strlen(finding->mend);
			snprintf(finding->mend + used, sizeof(finding->mend) - used, "%s%u-%u", i ? "," : "",
				 reserved.ranges[i].first, reserved.ranges[i].last);
		}
	}
	port_set_free(&both);
	port_set_free(&reserved);
}

static void examine_left(const struct facts *facts, struct findings *findings, enum config_family family)
{
	struct finding *finding;

	if (facts->holder || !facts->family[family].left_rules)
		return;
	finding = found(findings, SEVERITY_WARNING, family == CONFIG_IPV4 ? "leftovers-ipv4" : "leftovers-ipv6");
	text_set(finding->what, "%u %s rules of an einat that was killed are still there",
		 facts->family[family].left_rules, family_names[family]);
	text_set(finding->why,
		 "They send traffic for the external address nowhere. The next start takes them over. This one removes "
		 "them, and whatever else was left, without a start.");
	text_set(finding->mend, "einat cleanup");
}

/* The worst first; of equals as they were found. */
static int finding_compare(const void *a, const void *b)
{
	const struct finding *one = a, *other = b;

	if (one->severity != other->severity)
		return one->severity < other->severity ? 1 : -1;
	return one->order < other->order ? -1 : 1;
}

void doctor_examine(const struct facts *facts, struct findings *findings)
{
	int family;

	examine_kernel(facts, findings);
	examine_link(facts, findings);
	examine_names(facts, findings);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		examine_left(facts, findings, family);
		if (!facts->family[family].is_wanted)
			continue;
		if (facts->is_present) {
			examine_address(facts, findings, family);
			examine_route(facts, findings, family);
		}
		examine_forwarding(facts, findings, family);
	}
	if (facts->family[CONFIG_IPV4].is_wanted)
		examine_reverse_path(facts, findings);
	examine_firewall(facts, findings);
	if (facts->family[CONFIG_IPV4].is_wanted)
		examine_legacy(facts, findings);
	examine_listeners(facts, findings, NAT_TCP);
	examine_listeners(facts, findings, NAT_UDP);
	examine_local_ports(facts, findings);
	if (findings->count)
		qsort(findings->list, findings->count, sizeof(*findings->list), finding_compare);
}

static unsigned int findings_count(const struct findings *findings, enum severity severity)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < findings->count; i++)
		count += findings->list[i].severity == severity;
	return count;
}

int findings_status(const struct findings *findings)
{
	if (findings->is_short || findings_count(findings, SEVERITY_ERROR))
		return 1;
	return findings_count(findings, SEVERITY_WARNING) ? 3 : 0;
}

/* Fills lines up to COLUMNS; `break_with` ends one that goes on. A newline in the text is one. */
static void print_wrapped(FILE *file, size_t column, const char *text, const char *break_with)
{
	const size_t room = COLUMNS - strlen(break_with);
	bool is_first = true; /* of its line */
	size_t length;

	for (; *text; text += length + (text[length] == ' ' || text[length] == '\n')) {
		length = strcspn(text, " \n");
		if (!is_first && column + 1 + length > room) {
			fprintf(file, "%s\n%*s", break_with, INDENT, "");
			column = INDENT;
			is_first = true;
		}
		column += (size_t)fprintf(file, "%s%.*s", is_first ? "" : " ", (int)length, text);
		is_first = text[length] == '\n';
		if (is_first)
			column = (size_t)fprintf(file, "\n%*s", INDENT, "") - 1;
	}
	fputc('\n', file);
}

void findings_print(FILE *file, const char *ifname, const struct findings *findings)
{
	const unsigned int errors = findings_count(findings, SEVERITY_ERROR);
	const unsigned int warnings = findings_count(findings, SEVERITY_WARNING);
	size_t i;

	for (i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		print_wrapped(file, (size_t)fprintf(file, "%s: ", severity_names[finding->severity]), finding->what,
			      "");
		print_wrapped(file, (size_t)fprintf(file, "%*s", INDENT, ""), finding->why, "");
		if (finding->mend[0])
			print_wrapped(file, (size_t)fprintf(file, "%*s# ", INDENT, ""), finding->mend, " \\");
	}
	if (findings->is_short)
		fputs("error: out of memory: findings are missing\n", file);
	if (errors)
		fprintf(file, "%s: the NAT cannot work: errors: %u, warnings: %u\n", ifname, errors, warnings);
	else if (warnings)
		fprintf(file, "%s: the NAT works, with warnings: %u\n", ifname, warnings);
	else
		fprintf(file, "%s: nothing stops the NAT\n", ifname);
}

void findings_print_json(FILE *file, const char *ifname, const struct findings *findings)
{
	static const char *const verdicts[] = { [0] = "works", [1] = "cannot work", [3] = "works with warnings" };
	size_t i;

	fputs("{\"interface\":", file);
	json_string(file, ifname);
	fprintf(file, ",\"verdict\":\"%s\",\"findings\":[", verdicts[findings_status(findings)]);
	for (i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		fprintf(file, "%s{\"severity\":\"%s\",\"id\":\"%s\",\"what\":", i ? "," : "",
			severity_names[finding->severity], finding->id);
		json_string(file, finding->what);
		fputs(",\"why\":", file);
		json_string(file, finding->why);
		fputs(",\"mend\":", file);
		if (finding->mend[0])
			json_string(file, finding->mend);
		else
			fputs("null", file);
		fputc('}', file);
	}
	fputs("]}", file);
}
