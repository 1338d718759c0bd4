// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes a configuration out, key for key as config_file.c reads it. TOML and JSON differ in little but their punctuation. */
#include "config_print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "duration.h"
#include "json.h"

struct printer {
	FILE *to;
	enum config_format format;
	bool needs_comma; /* JSON: something stands before in this table or array */
};

static void comma(struct printer *printer)
{
	if (printer->format == CONFIG_JSON && printer->needs_comma)
		fputc(',', printer->to);
	printer->needs_comma = true;
}

static void key_begin(struct printer *printer, const char *key)
{
	comma(printer);
	if (printer->format == CONFIG_JSON)
		fprintf(printer->to, "\"%s\":", key);
	else
		fprintf(printer->to, "%s = ", key);
}

static void key_end(struct printer *printer)
{
	if (printer->format == CONFIG_TOML)
		fputc('\n', printer->to);
}

static void print_number(struct printer *printer, const char *key, uint32_t value)
{
	key_begin(printer, key);
	fprintf(printer->to, "%u", value);
	key_end(printer);
}

static void print_bool(struct printer *printer, const char *key, bool value)
{
	key_begin(printer, key);
	fputs(value ? "true" : "false", printer->to);
	key_end(printer);
}

static void print_text(struct printer *printer, const char *key, const char *value)
{
	key_begin(printer, key);
	json_string(printer->to, value);
	key_end(printer);
}

static void print_time(struct printer *printer, const char *key, uint64_t ms)
{
	char text[32];

	duration_format(ms, text, sizeof(text));
	print_text(printer, key, text);
}

/* An element of an array of strings. */
static void print_element(struct printer *printer, size_t number, const char *text)
{
	fputs(number ? ", " : "", printer->to);
	json_string(printer->to, text);
}

static void print_ports(struct printer *printer, const char *key, const struct port_set *ports)
{
	char text[16];
	size_t i;

	key_begin(printer, key);
	fputc('[', printer->to);
	for (i = 0; i < ports->count; i++) {
		snprintf(text, sizeof(text), "%u-%u", ports->ranges[i].first, ports->ranges[i].last);
		print_element(printer, i, text);
	}
	fputc(']', printer->to);
	key_end(printer);
}

static void print_all_ports(struct printer *printer, const struct port_set ports[NAT_PROTOCOLS],
			    const struct port_set *icmp_all, const struct port_set *icmp_in)
{
	print_ports(printer, "tcp_ranges", &ports[NAT_TCP]);
	print_ports(printer, "udp_ranges", &ports[NAT_UDP]);
	print_ports(printer, "icmp_ranges", icmp_all);
	print_ports(printer, "icmp_in_ranges", icmp_in);
	print_ports(printer, "icmp_out_ranges", &ports[NAT_ICMP]);
}

static void print_network(struct printer *printer, size_t number, int family, const struct ip_prefix *prefix)
{
	char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inet_ntop(family, prefix->addr, address, sizeof(address));
	snprintf(text, sizeof(text), "%s/%u", address, prefix->length);
	print_element(printer, number, text);
}

static void print_networks(struct printer *printer, const char *key, const struct internal_network *networks,
			   size_t count)
{
	size_t i;

	key_begin(printer, key);
	fputc('[', printer->to);
	for (i = 0; i < count; i++)
		print_network(printer, i, networks[i].family, &networks[i].prefix);
	fputc(']', printer->to);
	key_end(printer);
}

/* A table begins: under its full name in TOML, as a member in JSON. */
static void table_begin(struct printer *printer, const char *full_name, const char *key)
{
	comma(printer);
	if (printer->format == CONFIG_JSON)
		fprintf(printer->to, "\"%s\":{", key);
	else
		fprintf(printer->to, "\n[%s]\n", full_name);
	printer->needs_comma = false;
}

static void table_end(struct printer *printer)
{
	if (printer->format == CONFIG_JSON)
		fputc('}', printer->to);
	printer->needs_comma = true;
}

/* An array of tables: TOML has nothing to say until the first of them. */
static void tables_begin(struct printer *printer, const char *key)
{
	if (printer->format == CONFIG_JSON) {
		comma(printer);
		fprintf(printer->to, "\"%s\":[", key);
	}
	printer->needs_comma = false;
}

static void tables_next(struct printer *printer, const char *full_name)
{
	comma(printer);
	if (printer->format == CONFIG_JSON)
		fputc('{', printer->to);
	else
		fprintf(printer->to, "\n[[%s]]\n", full_name);
	printer->needs_comma = false;
}

static void tables_end(struct printer *printer)
{
	if (printer->format == CONFIG_JSON)
		fputc(']', printer->to);
	printer->needs_comma = true;
}

static void print_hairpin(struct printer *printer, const struct hairpin_config *hairpin)
{
	size_t i;

	print_bool(printer, "enable", hairpin->internal_ifs_count);
	key_begin(printer, "internal_if_names");
	fputc('[', printer->to);
	for (i = 0; i < hairpin->internal_ifs_count; i++)
		print_element(printer, i, hairpin->internal_ifs[i]);
	fputc(']', printer->to);
	key_end(printer);
	key_begin(printer, "ip_protocols");
	fputc('[', printer->to);
	for (i = 0; i < NAT_PROTOCOLS && hairpin->ip_protocols[i]; i++)
		print_element(printer, i,
			      hairpin->ip_protocols[i] == IPPROTO_TCP	? "tcp"
			      : hairpin->ip_protocols[i] == IPPROTO_UDP ? "udp"
									: "icmp");
	fputc(']', printer->to);
	key_end(printer);
	print_number(printer, "ip_rule_pref", hairpin->rule_pref);
	print_number(printer, "table_id", hairpin->table_id);
}

/* Nothing without an interface: in TOML its name may not be missing. */
static void print_designated(struct printer *printer, const struct designated_config *designated)
{
	if (!designated->name[0])
		return;
	table_begin(printer, "interfaces.designated_server", "designated_server");
	print_text(printer, "if_name", designated->name);
	print_number(printer, "mark", designated->mark);
	print_number(printer, "ip_rule_pref", designated->rule_pref);
	print_number(printer, "table_id", designated->table_id);
	table_end(printer);
}

static void print_external(struct printer *printer, const struct external_rule *external)
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inet_ntop(external->family, external->first, first, sizeof(first));
	switch (external->form) {
	case EXTERNAL_ADDRESS:
		print_text(printer, "address", first);
		break;
	case EXTERNAL_NETWORK:
		snprintf(text, sizeof(text), "%s/%u", first, external->length);
		print_text(printer, "network", text);
		break;
	case EXTERNAL_MATCH:
		inet_ntop(external->family, external->last, last, sizeof(last));
		key_begin(printer, "match_address");
		if (printer->format == CONFIG_JSON)
			fprintf(printer->to, "{\"start\":\"%s\",\"end\":\"%s\"}", first, last);
		else
			fprintf(printer->to, "{ start = \"%s\", end = \"%s\" }", first, last);
		key_end(printer);
		break;
	}
	print_bool(printer, "is_internal", external->is_internal);
	print_bool(printer, "no_snat", external->no_snat);
	print_bool(printer, "no_hairpin", external->no_hairpin);
	print_all_ports(printer, external->ports, &external->icmp_all, &external->icmp_in);
}

/* A port, or a range of them that begins with it. */
static void print_port(struct printer *printer, const char *key, unsigned int first, unsigned int length)
{
	char text[16];

	if (!length) {
		print_number(printer, key, first);
		return;
	}
	snprintf(text, sizeof(text), "%u-%u", first, first + length);
	print_text(printer, key, text);
}

static void print_forward(struct printer *printer, const struct forward *forward)
{
	unsigned int length = forward->external.last - forward->external.first;
	char address[INET6_ADDRSTRLEN], external[INET6_ADDRSTRLEN];
	size_t count = 0;

	inet_ntop(forward->family, forward->internal_addr, address, sizeof(address));
	key_begin(printer, "protocol");
	fputc('[', printer->to);
	if (forward->protocols[NAT_TCP])
		print_element(printer, count++, "tcp");
	if (forward->protocols[NAT_UDP])
		print_element(printer, count, "udp");
	fputc(']', printer->to);
	key_end(printer);
	print_port(printer, "external_port", forward->external.first, length);
	if (inet_ntop(forward->family, forward->external_addr, external, sizeof(external)) &&
	    forward_has_external(forward))
		print_text(printer, "external_address", external);
	print_text(printer, "internal_address", address);
	print_port(printer, "internal_port", forward->internal_port, length);
	key_begin(printer, "remotes");
	fputc('[', printer->to);
	for (count = 0; count < forward->remotes_count; count++)
		print_network(printer, count, forward->family, &forward->remotes[count]);
	fputc(']', printer->to);
	key_end(printer);
}

static void print_times_and_sizes(struct printer *printer, const struct interface_config *interface)
{
	static const struct {
		const char *key;
		enum nat_timeout which;
	} times[] = {
		{ "timeout_fragment", NAT_TIMEOUT_FRAGMENT },
		{ "timeout_icmp_default", NAT_TIMEOUT_ICMP },
		{ "timeout_udp_min", NAT_TIMEOUT_UDP },
		{ "timeout_udp_default", NAT_TIMEOUT_UDP_CONFIRMED },
		{ "timeout_tcp_trans", NAT_TIMEOUT_TCP_TRANSITORY },
		{ "timeout_tcp_est", NAT_TIMEOUT_TCP_ESTABLISHED },
		{ "timeout_port_hold", NAT_TIMEOUT_HOLD },
	};
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(*times); i++)
		print_time(printer, times[i].key, interface->timeout_ms[times[i].which]);
	print_number(printer, "frag_track_max_records", interface->max_fragments);
	print_number(printer, "ct_max_records", interface->max_sessions);
	print_number(printer, "host_max_records", interface->max_hosts);
	print_number(printer, "remote_max_records", interface->max_remotes);
	print_number(printer, "host_limit_tcp", interface->host_limit[NAT_TCP]);
	print_number(printer, "host_limit_udp", interface->host_limit[NAT_UDP]);
	print_number(printer, "host_limit_icmp", interface->host_limit[NAT_ICMP]);
	print_number(printer, "host_rate", interface->host_rate);
	print_number(printer, "inbound_mark", interface->inbound_mark);
	print_number(printer, "tcp_mss_clamp", interface->mss_clamp);
}

/* The tables below an interface come last: in TOML a key behind them would be theirs. */
static void print_interface(struct printer *printer, const struct interface_config *interface)
{
	static const char *const hairpins[CONFIG_FAMILIES] = { "ipv4_hairpin_route", "ipv6_hairpin_route" };
	char full_name[48];
	size_t i;

	print_text(printer, "if_name", interface->name);
	print_bool(printer, "nat44", interface->nat44);
	print_bool(printer, "nat66", interface->nat66);
	print_number(printer, "bpf_log_level", interface->bpf_log_level);
	print_bool(printer, "bpf_fib_lookup_external", interface->bpf_fib_lookup_external);
	print_bool(printer, "prefer_tcx", interface->prefer_tcx);
	print_bool(printer, "persist", interface->persist);
	print_bool(printer, "take_over_masquerade", interface->take_over_masquerade);
	print_all_ports(printer, interface->ports, &interface->icmp_all, &interface->icmp_in);
	print_times_and_sizes(printer, interface);
	print_text(printer, "filtering", config_filterings[interface->filtering]);
	print_text(printer, "pooling", config_poolings[interface->pooling]);
	print_bool(printer, "refresh_inbound", interface->refresh_inbound);
	print_networks(printer, "no_snat_dests", interface->exempt_destinations, interface->exempt_destinations_count);
	print_networks(printer, "snat_internals", interface->internals, interface->internals_count);
	print_bool(printer, "default_externals", interface->default_externals);
	for (i = 0; i < CONFIG_FAMILIES; i++) {
		snprintf(full_name, sizeof(full_name), "interfaces.%s", hairpins[i]);
		table_begin(printer, full_name, hairpins[i]);
		print_hairpin(printer, &interface->hairpin[i]);
		table_end(printer);
	}
	print_designated(printer, &interface->designated);
	tables_begin(printer, "externals");
	for (i = 0; i < interface->externals_count; i++) {
		tables_next(printer, "interfaces.externals");
		print_external(printer, &interface->externals[i]);
		table_end(printer);
	}
	tables_end(printer);
	tables_begin(printer, "forwards");
	for (i = 0; i < interface->forwards_count; i++) {
		tables_next(printer, "interfaces.forwards");
		print_forward(printer, &interface->forwards[i]);
		table_end(printer);
	}
	tables_end(printer);
}

void config_print_interface(FILE *to, const struct interface_config *interface)
{
	struct printer printer = { to, CONFIG_TOML, false };

	print_interface(&printer, interface);
}

static void print_control(struct printer *printer, const struct control_config *control)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", control->mode & 0777);
	table_begin(printer, "control", "control");
	if (control->group[0])
		print_text(printer, "group", control->group);
	print_text(printer, "mode", mode);
	if (control->metrics_listen[0])
		print_text(printer, "metrics_listen", control->metrics_listen);
	table_end(printer);
}

static void print_log(struct printer *printer, const struct log_config *log)
{
	table_begin(printer, "log", "log");
	print_text(printer, "to", log->to_syslog ? "syslog" : "stderr");
	print_text(printer, "level", config_log_levels[log->level]);
	print_text(printer, "socket", log->socket);
	print_bool(printer, "assignments", log->assignments);
	print_number(printer, "assignments_rate", log->assignments_rate);
	table_end(printer);
}

void config_print(FILE *to, const struct config *config, enum config_format format)
{
	struct printer printer = { to, format, false };
	size_t i;

	if (format == CONFIG_JSON)
		fputc('{', to);
	table_begin(&printer, "defaults", "defaults");
	print_number(&printer, "ipv4_local_rule_pref", config->local_rule_pref[CONFIG_IPV4]);
	print_number(&printer, "ipv6_local_rule_pref", config->local_rule_pref[CONFIG_IPV6]);
	table_end(&printer);
	print_control(&printer, &config->control);
	print_log(&printer, &config->log);
	tables_begin(&printer, "interfaces");
	for (i = 0; i < config->interfaces_count; i++) {
		tables_next(&printer, "interfaces");
		print_interface(&printer, &config->interfaces[i]);
		table_end(&printer);
	}
	tables_end(&printer);
	if (format == CONFIG_JSON)
		fputs("}\n", to);
}
