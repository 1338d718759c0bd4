// SPDX-License-Identifier: GPL-2.0-or-later
/* The defaults of a configuration, and the checks that both its writers (command line and file) share. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "designated.h"

enum {
	DEFAULT_FIRST_PORT = 20000,
	DEFAULT_LAST_PORT = 29999,
	/* Identifiers below are left to the router's own ping and to queries from outside. */
	DEFAULT_FIRST_ICMP_ID = 1000,
	DEFAULT_HAIRPIN_RULE_PREF = 100,
	DEFAULT_CONTROL_MODE = 0600,
	DEFAULT_ASSIGNMENTS_RATE = 1000,
	DEFAULT_LOCAL_RULE_PREF = 200,
	DEFAULT_HAIRPIN_TABLE = 4787,
	DEFAULT_DESIGNATED_RULE_PREF = 110,
	DEFAULT_DESIGNATED_TABLE = 4788, /* and the mark */
};

const char *const config_filterings[] = {
	[FILTERING_ENDPOINT_INDEPENDENT] = "endpoint-independent",
	[FILTERING_ADDRESS] = "address-dependent",
	[FILTERING_ADDRESS_AND_PORT] = "address-and-port-dependent",
};
const char *const config_log_levels[LOG_INFO + 1] = {
	[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info"
};
const char *const config_poolings[] = { [POOLING_FIRST] = "first", [POOLING_PAIRED] = "paired" };

int config_address_family(enum config_family family)
{
	return family == CONFIG_IPV4 ? AF_INET : AF_INET6;
}

bool interface_config_translates(const struct interface_config *interface, enum config_family family)
{
	return family == CONFIG_IPV4 ? interface->nat44 : interface->nat66;
}

bool interface_config_designates(const struct interface_config *interface, enum config_family family)
{
	return family == CONFIG_IPV4 && interface->nat44 && interface->designated.name[0];
}

void config_init(struct config *config)
{
	int family;

	memset(config, 0, sizeof(*config));
	for (family = 0; family < CONFIG_FAMILIES; family++)
		config->local_rule_pref[family] = DEFAULT_LOCAL_RULE_PREF;
	config->control.mode = DEFAULT_CONTROL_MODE;
	config->log.level = LOG_INFO;
	config->log.assignments_rate = DEFAULT_ASSIGNMENTS_RATE;
	snprintf(config->log.socket, sizeof(config->log.socket), "/dev/log");
}

int config_add_note(struct config *config, const char *note)
{
	char **grown;

	grown = realloc(config->notes, (config->notes_count + 1) * sizeof(char *));
	if (!grown)
		return -ENOMEM;
	config->notes = grown;
	grown[config->notes_count] = strdup(note);
	if (!grown[config->notes_count])
		return -ENOMEM;
	config->notes_count++;
	return 0;
}

static void interface_set_defaults(struct interface_config *interface)
{
	struct datapath_config dp;

	datapath_config_init(&dp);
	interface->prefer_tcx = dp.prefer_tcx;
	interface->bpf_fib_lookup_external = dp.fib_source;
	interface->default_externals = true;
	memcpy(interface->timeout_ms, dp.timeout_ms, sizeof(interface->timeout_ms));
	interface->max_sessions = dp.max_sessions;
	interface->max_fragments = dp.max_fragments;
	interface->max_remotes = dp.max_remotes;
	interface->max_hosts = dp.max_hosts;
	interface->filtering = dp.filtering;
	interface->pooling = dp.pooling;
}

struct interface_config *config_add_interface(struct config *config)
{
	struct interface_config *grown, *interface;
	int family;

	grown = realloc(config->interfaces, (config->interfaces_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	config->interfaces = grown;
	interface = &grown[config->interfaces_count++];
	memset(interface, 0, sizeof(*interface));
	interface_set_defaults(interface);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		interface->hairpin[family].ip_protocols[0] = IPPROTO_TCP;
		interface->hairpin[family].ip_protocols[1] = IPPROTO_UDP;
		interface->hairpin[family].rule_pref = DEFAULT_HAIRPIN_RULE_PREF;
		interface->hairpin[family].table_id = DEFAULT_HAIRPIN_TABLE;
	}
	interface->designated.mark = DEFAULT_DESIGNATED_TABLE;
	interface->designated.rule_pref = DEFAULT_DESIGNATED_RULE_PREF;
	interface->designated.table_id = DEFAULT_DESIGNATED_TABLE;
	return interface;
}

int interface_config_default_ports(struct interface_config *interface)
{
	int protocol, err = 0;

	for (protocol = NAT_TCP; protocol <= NAT_UDP; protocol++)
		if (!interface->ports[protocol].count)
			err = err ?: port_set_add(&interface->ports[protocol], DEFAULT_FIRST_PORT, DEFAULT_LAST_PORT);
	if (!interface->ports[NAT_ICMP].count)
		err = err ?: port_set_add(&interface->ports[NAT_ICMP], DEFAULT_FIRST_ICMP_ID, UINT16_MAX);
	return err;
}

bool interface_name_is_valid(const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false; /* the kernel would have it, but whoever prints it would obey it */
	/* The kernel's own dev_valid_name(). */
	return length > 0 && length < IFNAMSIZ && !strpbrk(name, "/: \t\n\v\f\r") && strcmp(name, ".") &&
	       strcmp(name, "..");
}

void ip_prefix_mask(struct ip_prefix *prefix)
{
	unsigned int word, bits;

	for (word = 0; word < 4; word++) {
		bits = prefix->length > word * 32 ? prefix->length - word * 32 : 0;
		if (bits < 32)
			prefix->addr[word] &= bits ? htonl(~0u << (32 - bits)) : 0;
	}
}

int address_parse(const char *text, int *family, __be32 addr[4])
{
	memset(addr, 0, 4 * sizeof(*addr));
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, addr) == 1 ? 0 : -EINVAL;
}

int address_port_parse(const char *text, int *family, __be32 addr[4], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	const bool has_brackets = length > 2 && text[0] == '[' && colon[-1] == ']';
	unsigned long number;
	char copy[64], *end;

	if (!length || length >= sizeof(copy) || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	number = strtoul(colon + 1, &end, 10);
	if (*end || !number || number > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)number;
	memcpy(copy, text + has_brackets, length - 2 * has_brackets);
	copy[length - 2 * has_brackets] = '\0';
	if (address_parse(copy, family, addr))
		return -EINVAL;
	return has_brackets == (*family == AF_INET6) ? 0 : -EINVAL;
}

int network_parse(const char *text, int *family, struct ip_prefix *prefix, const char **why)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t digits;

	*why = "not a network such as 192.168.1.0/24";
	if (!slash) {
		*why = "no prefix length, such as /24";
		return -EINVAL;
	}
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (address_parse(address, family, prefix->addr))
		return -EINVAL;
	digits = strspn(slash + 1, "0123456789");
	if (!digits || digits > 3 || slash[1 + digits])
		return -EINVAL;
	prefix->length = (unsigned int)strtoul(slash + 1, NULL, 10);
	if (prefix->length > (*family == AF_INET ? 32 : 128)) {
		*why = *family == AF_INET ? "prefix length above 32" : "prefix length above 128";
		return -EINVAL;
	}
	return 0;
}

static int networks_add(struct internal_network **networks, size_t *count, const char *text, const char **why)
{
	struct internal_network network = { 0 }, *grown;

	if (network_parse(text, &network.family, &network.prefix, why))
		return -EINVAL;
	ip_prefix_mask(&network.prefix);
	grown = realloc(*networks, (*count + 1) * sizeof(*grown));
	if (!grown) {
		*why = "out of memory";
		return -ENOMEM;
	}
	*networks = grown;
	grown[(*count)++] = network;
	return 0;
}

int interface_config_add_internal(struct interface_config *interface, const char *text, const char **why)
{
	return networks_add(&interface->internals, &interface->internals_count, text, why);
}

int interface_config_add_exempt(struct interface_config *interface, const char *text, const char **why)
{
	return networks_add(&interface->exempt_destinations, &interface->exempt_destinations_count, text, why);
}

struct external_rule *interface_config_add_external(struct interface_config *interface)
{
	struct external_rule *grown;

	grown = realloc(interface->externals, (interface->externals_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	interface->externals = grown;
	memset(&grown[interface->externals_count], 0, sizeof(*grown));
	return &grown[interface->externals_count++];
}

struct forward *interface_config_add_forward(struct interface_config *interface)
{
	struct forward *grown;

	if (interface->forwards_count == FORWARDS_MAX)
		return NULL;
	grown = realloc(interface->forwards, (interface->forwards_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	interface->forwards = grown;
	memset(&grown[interface->forwards_count], 0, sizeof(*grown));
	return &grown[interface->forwards_count++];
}

const struct forward *interface_config_forward_conflict(const struct interface_config *interface, char *what,
							size_t size)
{
	const struct forward *last = interface->forwards + interface->forwards_count - 1, *other;

	for (other = interface->forwards; other < last; other++)
		if (forward_conflicts(last, other, what, size))
			return other;
	return NULL;
}

size_t interface_config_internals(const struct interface_config *interface, enum config_family family)
{
	size_t i, count = 0;

	for (i = 0; i < interface->internals_count; i++)
		count += interface->internals[i].family == config_address_family(family);
	return count;
}

bool hairpin_config_has_interface(const struct hairpin_config *hairpin, const char *name)
{
	size_t i;

	for (i = 0; i < hairpin->internal_ifs_count; i++)
		if (!strcmp(hairpin->internal_ifs[i], name))
			return true;
	return false;
}

int hairpin_config_add_interface(struct hairpin_config *hairpin, const char *name, const char **why)
{
	char(*grown)[IFNAMSIZ];

	if (!interface_name_is_valid(name)) {
		*why = strlen(name) < IFNAMSIZ ? "not an interface name"
					       : "longer than an interface name's 15 characters";
		return -EINVAL;
	}
	if (hairpin_config_has_interface(hairpin, name)) {
		*why = "given twice";
		return -EINVAL;
	}
	grown = realloc(hairpin->internal_ifs, (hairpin->internal_ifs_count + 1) * sizeof(*grown));
	if (!grown) {
		*why = "out of memory";
		return -ENOMEM;
	}
	hairpin->internal_ifs = grown;
	memset(grown[hairpin->internal_ifs_count], 0, IFNAMSIZ);
	memcpy(grown[hairpin->internal_ifs_count++], name, strlen(name));
	return 0;
}

int config_check(const struct config *config, char *text, size_t size)
{
	const struct interface_config *interface;
	bool is_ipv4;
	size_t i, n;

	for (i = 0; i < config->interfaces_count; i++) {
		interface = &config->interfaces[i];
		/* Its inbound packets would be sent straight out again. */
		if (hairpin_config_has_interface(&interface->hairpin[CONFIG_IPV4], interface->name) ||
		    hairpin_config_has_interface(&interface->hairpin[CONFIG_IPV6], interface->name)) {
			snprintf(text, size, "--hairpin-if: %s is the external interface", interface->name);
			return -EINVAL;
		}
		for (n = 0; n < interface->internals_count; n++) {
			if (interface->internals[n].family == AF_INET ? interface->nat44 : interface->nat66)
				continue;
			snprintf(text, size, "--internal: %s network, but no %s",
				 interface->internals[n].family == AF_INET ? "an IPv4" : "an IPv6",
				 interface->internals[n].family == AF_INET ? "--nat44" : "--nat66");
			return -EINVAL;
		}
		for (n = 0; n < interface->forwards_count; n++) {
			is_ipv4 = interface->forwards[n].family == AF_INET;
			if (is_ipv4 ? interface->nat44 : interface->nat66)
				continue;
			snprintf(text, size, "--forward: an IPv%c address, but no --nat%s", is_ipv4 ? '4' : '6',
				 is_ipv4 ? "44" : "66");
			return -EINVAL;
		}
	}
	return 0;
}

bool interface_config_warn(const struct interface_config *interface, enum config_family family,
			   uint32_t local_rule_pref, char *text, size_t size)
{
	const struct hairpin_config *hairpin = &interface->hairpin[family];
	const char *name = family == CONFIG_IPV4 ? "IPv4" : "IPv6";

	if (!interface_config_translates(interface, family))
		return false;
	if (interface->internals_count && !interface_config_internals(interface, family)) {
		snprintf(text, size, "no %s packet is translated: --internal names no %s network", name, name);
		return true;
	}
	if (interface_config_designates(interface, family) &&
	    interface->designated.rule_pref + DESIGNATED_RULES - 1 >= local_rule_pref) {
		snprintf(
			text, size,
			"the designated server is not reached: its rules' preferences %u to %u are not below the local "
			"rule's, %u",
			interface->designated.rule_pref, interface->designated.rule_pref + DESIGNATED_RULES - 1,
			local_rule_pref);
		return true;
	}
	if (!hairpin->internal_ifs_count)
		return false;
	if (hairpin->rule_pref >= local_rule_pref) {
		snprintf(text, size,
			 "hairpinning has no effect: its rule's preference %u is not below the local rule's, %u",
			 hairpin->rule_pref, local_rule_pref);
		return true;
	}
	if (hairpin->internal_ifs_count == 1 && hairpin_config_has_interface(hairpin, "lo")) {
		snprintf(text, size, "hairpinning for lo alone reaches no internal host: name their interfaces too");
		return true;
	}
	return false;
}

static bool hairpin_config_equal(const struct hairpin_config *a, const struct hairpin_config *b)
{
	size_t i;

	for (i = 0; i < a->internal_ifs_count; i++)
		if (!hairpin_config_has_interface(b, a->internal_ifs[i]))
			return false;
	return a->internal_ifs_count == b->internal_ifs_count &&
	       !memcmp(a->ip_protocols, b->ip_protocols, sizeof(a->ip_protocols));
}

static bool hairpins(const struct interface_config *interface, enum config_family family)
{
	return interface_config_translates(interface, family) && interface->hairpin[family].internal_ifs_count;
}

bool config_warn_table(const struct config *config, size_t number, enum config_family family, char *text, size_t size)
{
	const struct interface_config *interface = &config->interfaces[number], *other;
	const struct hairpin_config *hairpin = &interface->hairpin[family];

	for (other = config->interfaces; hairpins(interface, family) && other < interface; other++) {
		if (!hairpins(other, family) || other->hairpin[family].table_id != hairpin->table_id ||
		    hairpin_config_equal(&other->hairpin[family], hairpin))
			continue;
		snprintf(
			text, size,
			"hairpin table %u is %s's, too: what the rules of either bring is hairpinned by both; table_id "
			"names another",
			hairpin->table_id, other->name);
		return true;
	}
	return false;
}

static void timeouts_warn(const struct interface_config *interface, void (*say)(const char *line))
{
	static const struct {
		const char *key, *least;
		uint64_t ms;
	} least[NAT_TIMEOUTS] = {
		[NAT_TIMEOUT_UDP] = { "timeout_udp_min", "2 minutes (RFC 4787 REQ-5)", 120000 },
		[NAT_TIMEOUT_UDP_CONFIRMED] = { "timeout_udp_default", "2 minutes (RFC 4787 REQ-5)", 120000 },
		[NAT_TIMEOUT_TCP_TRANSITORY] = { "timeout_tcp_trans", "4 minutes (RFC 5382 REQ-5)", 240000 },
		[NAT_TIMEOUT_TCP_ESTABLISHED] = { "timeout_tcp_est", "124 minutes (RFC 5382 REQ-5)", 7440000 },
		[NAT_TIMEOUT_ICMP] = { "timeout_icmp_default", "1 minute (RFC 5508 REQ-2)", 60000 },
	};
	char line[192];
	size_t i;

	for (i = 0; i < NAT_TIMEOUTS; i++) {
		if (interface->timeout_ms[i] >= least[i].ms)
			continue;
		snprintf(line, sizeof(line), "%s: %s is less than %s: what is still in use may lose its mapping",
			 interface->name, least[i].key, least[i].least);
		say(line);
	}
}

void config_warnings(const struct config *config, void (*say)(const char *line))
{
	char text[192], line[sizeof(text) + IFNAMSIZ + 2];
	enum config_family family;
	size_t i;

	for (i = 0; i < config->interfaces_count; i++)
		timeouts_warn(&config->interfaces[i], say);
	for (i = 0; i < config->interfaces_count * CONFIG_FAMILIES; i++) {
		const struct interface_config *interface = &config->interfaces[i / CONFIG_FAMILIES];

		family = i % CONFIG_FAMILIES;
		if (interface_config_warn(interface, family, config->local_rule_pref[family], text, sizeof(text))) {
			snprintf(line, sizeof(line), "%s: %s", interface->name, text);
			say(line);
		}
		if (config_warn_table(config, i / CONFIG_FAMILIES, family, text, sizeof(text))) {
			snprintf(line, sizeof(line), "%s: %s", interface->name, text);
			say(line);
		}
	}
}

/* Appends to a text that is cut off where it is full. */
static void __attribute__((format(printf, 3, 4))) text_append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static void ports_describe(const struct port_set *ports, char *text, size_t size)
{
	size_t i;

	for (i = 0; i < ports->count; i++)
		text_append(text, size, " %u-%u", ports->ranges[i].first, ports->ranges[i].last);
	if (!ports->count)
		text_append(text, size, " none");
}

static void forwards_describe(const struct interface_config *interface, int family, char *text, size_t size)
{
	const char *before = ", forward ";
	char forward[FORWARD_TEXT];
	size_t i;

	for (i = 0; i < interface->forwards_count; i++) {
		if (interface->forwards[i].family != family)
			continue;
		forward_format(&interface->forwards[i], forward, sizeof(forward));
		text_append(text, size, "%s%s", before, forward);
		before = " ";
	}
}

void interface_config_describe(const struct interface_config *interface, enum config_family family, char *text,
			       size_t size)
{
	const struct port_set *tcp = &interface->ports[NAT_TCP], *udp = &interface->ports[NAT_UDP];
	const struct hairpin_config *hairpin = &interface->hairpin[family];
	size_t i;

	text[0] = '\0';
	if (tcp->count == udp->count && !memcmp(tcp->ranges, udp->ranges, tcp->count * sizeof(*tcp->ranges))) {
		text_append(text, size, "ports");
		ports_describe(tcp, text, size);
	} else {
		text_append(text, size, "tcp ports");
		ports_describe(tcp, text, size);
		text_append(text, size, ", udp ports");
		ports_describe(udp, text, size);
	}
	for (i = 0; i < hairpin->internal_ifs_count; i++)
		text_append(text, size, "%s%s", i ? " " : ", hairpin ", hairpin->internal_ifs[i]);
	forwards_describe(interface, config_address_family(family), text, size);
	if (interface_config_designates(interface, family))
		text_append(text, size, ", designated server behind %s", interface->designated.name);
}

static void interface_config_free(struct interface_config *interface)
{
	struct external_rule *external;
	size_t i, n;

	for (n = 0; n < NAT_PROTOCOLS; n++)
		port_set_free(&interface->ports[n]);
	port_set_free(&interface->icmp_all);
	port_set_free(&interface->icmp_in);
	for (i = 0; i < interface->externals_count; i++) {
		external = &interface->externals[i];
		for (n = 0; n < NAT_PROTOCOLS; n++)
			port_set_free(&external->ports[n]);
		port_set_free(&external->icmp_all);
		port_set_free(&external->icmp_in);
	}
	for (n = 0; n < CONFIG_FAMILIES; n++)
		free(interface->hairpin[n].internal_ifs);
	for (i = 0; i < interface->forwards_count; i++)
		free(interface->forwards[i].remotes);
	free(interface->forwards);
	free(interface->externals);
	free(interface->exempt_destinations);
	free(interface->internals);
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->interfaces_count; i++)
		interface_config_free(&config->interfaces[i]);
	free(config->interfaces);
	for (i = 0; i < config->notes_count; i++)
		free(config->notes[i]);
	free(config->notes);
	memset(config, 0, sizeof(*config));
}
