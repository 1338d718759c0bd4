// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The original's configuration file, and what only we have. Every key is in one of the tables below; whatever is not is an
 * error, and so is what cannot be done.
 */
#include "config_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "designated.h"
#include "duration.h"
#include "external_plan.h"
#include "toml.h"

enum { RECORDS_MAX = 1 << 24, READ_WAIT_MS = 5000, ELEMENTS_MAX = 256 /* of arrays that cost more with each */ };

/* The five sets of ports that [defaults], an interface and an external can have. */
struct port_sets {
	struct port_set *tcp, *udp, *icmp_all, *icmp_in, *icmp_out;
};

struct defaults {
	uint32_t local_rule_pref[CONFIG_FAMILIES];
	uint32_t hairpin_rule_pref[CONFIG_FAMILIES];
	uint32_t hairpin_table_id[CONFIG_FAMILIES];
	struct port_set tcp, udp, icmp_all, icmp_in, icmp_out;
};

struct reader {
	struct config *config;
	const struct toml_document *document;
	const char *file;
	char *error;
	size_t size;
	char context[64]; /* "[defaults]: ", `[[interfaces]] "wan": ` */
	struct defaults defaults;
	struct interface_config *interface; /* that is being read */
	enum config_family family;	    /* of the hairpin table that is being read */
};

/* A key that may be in a table, and who takes it: into the field at `offset` of what the table describes. */
struct key {
	const char *name;
	int (*take)(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field);
	size_t offset;
	uint32_t min, max;
	const char *newer;  /* it is a deprecated name of this one, which wins */
	bool has_no_effect; /* and that is said */
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct reader *reader, unsigned int line, const char *format, ...)
{
	va_list args;
	int n;

	n = snprintf(reader->error, reader->size, "%s:%u: %s", reader->file, line, reader->context);
	if (n < 0 || (size_t)n >= reader->size)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(reader->error + n, reader->size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

static int refuse_memory(struct reader *reader)
{
	snprintf(reader->error, reader->size, "%s: out of memory", reader->file);
	return -ENOMEM;
}

static int refuse_type(struct reader *reader, const char *name, const struct toml_value *value, const char *wanted)
{
	return refuse(reader, value->line, "%s: %s, where %s belongs", name,
		      toml_type_name((enum toml_type)value->type), wanted);
}

static int note(struct reader *reader, unsigned int line, const char *text)
{
	char line_text[256];

	snprintf(line_text, sizeof(line_text), "%s:%u: %s%s", reader->file, line, reader->context, text);
	return config_add_note(reader->config, line_text) ? refuse_memory(reader) : 0;
}

/* A string that is not cut short by a NUL in it; NULL: refused. */
static const char *string_get(struct reader *reader, const char *name, const struct toml_value *value,
			      const char *wanted)
{
	if (value->type != TOML_STRING) {
		refuse_type(reader, name, value, wanted);
		return NULL;
	}
	if (strlen(value->string.text) != value->string.length) {
		refuse(reader, value->line, "%s: a NUL in a string", name);
		return NULL;
	}
	return value->string.text;
}

/* Values of one kind each */

static int take_bool(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	if (entry->value.type != TOML_BOOLEAN)
		return refuse_type(reader, key->name, &entry->value, "true or false");
	*(bool *)field = entry->value.boolean;
	return 0;
}

static int take_number(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	int64_t number = entry->value.integer;

	if (entry->value.type != TOML_INTEGER)
		return refuse_type(reader, key->name, &entry->value, "an integer");
	if (number < key->min || number > key->max)
		return refuse(reader, entry->value.line, "%s: %" PRId64 ": must be from %u to %u", key->name, number,
			      key->min, key->max);
	*(uint32_t *)field = (uint32_t)number;
	return 0;
}

static int take_table_id(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	int err = take_number(reader, key, entry, field);

	if (!err && *(uint32_t *)field >= 253 && *(uint32_t *)field <= 255)
		return refuse(reader, entry->value.line, "%s: %u: is one of the kernel's own tables", key->name,
			      *(uint32_t *)field);
	return err;
}

static int take_duration(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text, *why;
	char seconds[24];

	if (entry->value.type == TOML_INTEGER) {
		snprintf(seconds, sizeof(seconds), "%" PRId64, entry->value.integer);
		text = seconds;
	} else {
		text = string_get(reader, key->name, &entry->value, "a time such as \"2s\"");
	}
	if (!text)
		return -EINVAL;
	if (duration_parse(text, field, &why))
		return refuse(reader, entry->value.line, "%s: \"%s\": %s", key->name, text, why);
	return 0;
}

static int take_ports(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const struct toml_value *element;
	struct port_set *ports = field;
	const char *word, *why;

	port_set_free(ports);
	if (entry->value.type != TOML_ARRAY)
		return refuse_type(reader, key->name, &entry->value, "an array of ranges");
	for (element = entry->value.array.first; element; element = element->next) {
		word = string_get(reader, key->name, element, "a range such as \"20000-29999\"");
		if (!word)
			return -EINVAL;
		if (port_set_parse(ports, word, &why))
			return refuse(reader, element->line, "%s: \"%s\": %s", key->name, word, why);
		if (key->min && port_set_contains(ports, 0))
			return refuse(reader, element->line, "%s: \"%s\": port 0 cannot be used", key->name, word);
	}
	return 0;
}

static int take_networks(struct reader *reader, const struct key *key, const struct toml_entry *entry,
			 int (*add)(struct interface_config *interface, const char *text, const char **why))
{
	const struct toml_value *element;
	const char *word, *why;

	if (entry->value.type != TOML_ARRAY)
		return refuse_type(reader, key->name, &entry->value, "an array of networks");
	for (element = entry->value.array.first; element; element = element->next) {
		word = string_get(reader, key->name, element, "a network such as \"192.168.1.0/24\"");
		if (!word)
			return -EINVAL;
		if (add(reader->interface, word, &why))
			return refuse(reader, element->line, "%s: \"%s\": %s", key->name, word, why);
	}
	return 0;
}

static int take_internals(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	return take_networks(reader, key, entry, interface_config_add_internal);
}

static int take_exempt(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	return take_networks(reader, key, entry, interface_config_add_exempt);
}

static int take_choice(struct reader *reader, const struct key *key, const struct toml_entry *entry,
		       const char *const *choices, uint32_t count, uint32_t *field)
{
	const char *word = string_get(reader, key->name, &entry->value, "a string");
	char known[96] = "";
	uint32_t i;

	if (!word)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (!strcmp(word, choices[i])) {
			*field = i;
			return 0;
		}
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "", choices[i]);
	}
	return refuse(reader, entry->value.line, "%s: \"%.64s\": is none of %s", key->name, word, known);
}

static int take_filtering(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	return take_choice(reader, key, entry, config_filterings, 3, field);
}

static int take_pooling(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	return take_choice(reader, key, entry, config_poolings, 2, field);
}

static int take_name(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	return string_get(reader, key->name, &entry->value, "a string") ? 0 : -EINVAL;
}

/* What false asks for is how it always is. */
static int take_inbound_icmpx(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	bool is_allowed = false;
	int err = take_bool(reader, key, entry, &is_allowed);

	(void)field;
	return err || !is_allowed
		       ? err
		       : note(reader, entry->line,
			      "allow_inbound_icmpx: has no effect here: nothing from outside makes a mapping");
}

/* What has its own order: if_name is read before the others, the externals behind them. */
static int take_elsewhere(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)reader, (void)key, (void)entry, (void)field;
	return 0;
}

/* Takes all entries of a table. */
static int keys_take(struct reader *reader, const struct key *keys, size_t count, const struct toml_value *table,
		     void *to)
{
	const struct toml_entry *entry;
	char text[80];
	size_t i;
	int err;

	for (entry = table->table.first; entry; entry = entry->next) {
		for (i = 0; i < count && (strlen(keys[i].name) != entry->key.length ||
					  memcmp(keys[i].name, entry->key.text, entry->key.length) != 0);
		     i++)
			;
		if (i == count)
			return refuse(reader, entry->line, "%.64s: unknown key", entry->key.text);
		if (keys[i].newer && toml_get(reader->document, table, keys[i].newer))
			continue;
		err = keys[i].take(reader, &keys[i], entry, (char *)to + keys[i].offset);
		if (err)
			return err;
		snprintf(text, sizeof(text), "%s: has no effect here", keys[i].name);
		if (keys[i].has_no_effect && note(reader, entry->line, text))
			return -ENOMEM;
	}
	return 0;
}

#define KEYS(keys) (keys), sizeof(keys) / sizeof(*(keys))

/* The line of a key, or the table's own. */
static unsigned int line_of(const struct reader *reader, const struct toml_value *table, const char *key)
{
	const struct toml_value *value = toml_get(reader->document, table, key);

	return value ? value->line : table->line;
}

static int icmp_part_check(struct reader *reader, const struct toml_value *table, const struct port_set *all,
			   struct port_set *part, const char *key)
{
	const struct toml_value *value = toml_get(reader->document, table, key);

	if (!value && !all->count) /* ICMP is off, and the default of this one does not count: icmp_settle() */
		return 0;
	if (port_set_contains_set(all, part))
		return 0;
	if (value)
		return refuse(reader, value->line, "%s: not all of them are in icmp_ranges", key);
	return refuse(reader, line_of(reader, table, "icmp_ranges"), "icmp_ranges: must contain %s, which is not given",
		      key);
}

/* The identifiers for either direction are among all. */
static int icmp_check(struct reader *reader, const struct toml_value *table, const struct port_set *all,
		      struct port_set *in, struct port_set *out)
{
	return icmp_part_check(reader, table, all, in, "icmp_in_ranges")
		       ?: icmp_part_check(reader, table, all, out, "icmp_out_ranges");
}

/* Behind all that may inherit them: where ICMP is off, neither direction has identifiers. */
static void icmp_settle(struct interface_config *interface)
{
	struct external_rule *external;

	if (!interface->icmp_all.count) {
		port_set_free(&interface->icmp_in);
		port_set_free(&interface->ports[NAT_ICMP]);
	}
	for (external = interface->externals; external < interface->externals + interface->externals_count; external++)
		if (!external->icmp_all.count) {
			port_set_free(&external->icmp_in);
			port_set_free(&external->ports[NAT_ICMP]);
		}
}

/* [[interfaces.externals]] */

static int take_address(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "an address such as \"192.0.2.7\"");
	struct external_rule *external = field;

	if (!text)
		return -EINVAL;
	external->form = EXTERNAL_ADDRESS;
	if (address_parse(text, &external->family, external->first))
		return refuse(reader, entry->value.line, "%s: \"%s\": not an address such as 192.0.2.7", key->name,
			      text);
	external->length = external->family == AF_INET ? 32 : 128;
	return 0;
}

static int take_network(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "a network such as \"192.0.2.5/24\""), *why;
	struct external_rule *external = field;
	struct ip_prefix prefix;

	if (!text)
		return -EINVAL;
	external->form = EXTERNAL_NETWORK;
	if (network_parse(text, &external->family, &prefix, &why))
		return refuse(reader, entry->value.line, "%s: \"%s\": %s", key->name, text, why);
	memcpy(external->first, prefix.addr, sizeof(external->first));
	external->length = prefix.length;
	return 0;
}

/* A network as the range of its addresses. */
static int match_network(struct reader *reader, const struct toml_value *value, struct external_rule *external)
{
	const char *text = string_get(reader, "match_address", value, "a network such as \"192.0.2.0/24\""), *why;
	struct ip_prefix prefix, ones;
	size_t i;

	if (!text)
		return -EINVAL;
	if (network_parse(text, &external->family, &prefix, &why))
		return refuse(reader, value->line, "match_address: \"%s\": %s", text, why);
	memset(ones.addr, 0xff, sizeof(ones.addr));
	ones.length = prefix.length;
	ip_prefix_mask(&ones);
	for (i = 0; i < 4; i++) {
		external->first[i] = prefix.addr[i] & ones.addr[i];
		external->last[i] = external->family == AF_INET6 || i == 0 ? external->first[i] | ~ones.addr[i] : 0;
	}
	return 0;
}

static int match_range(struct reader *reader, const struct toml_value *table, struct external_rule *external)
{
	const struct toml_value *start = toml_get(reader->document, table, "start");
	const struct toml_value *end = toml_get(reader->document, table, "end");
	const char *first, *last;
	int family;

	if (!start || !end)
		return refuse(reader, table->line, "match_address: needs network, or start and end");
	first = string_get(reader, "match_address: start", start, "an address");
	last = first ? string_get(reader, "match_address: end", end, "an address") : NULL;
	if (!last)
		return -EINVAL;
	if (address_parse(first, &external->family, external->first))
		return refuse(reader, start->line, "match_address: start: \"%s\": not an address", first);
	if (address_parse(last, &family, external->last))
		return refuse(reader, end->line, "match_address: end: \"%s\": not an address", last);
	if (family != external->family)
		return refuse(reader, end->line, "match_address: start and end are not of one family");
	if (memcmp(external->first, external->last, sizeof(external->first)) > 0)
		return refuse(reader, start->line, "match_address: start is above end");
	return 0;
}

static int take_match(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	static const struct key match_keys[] = {
		{ .name = "network", .take = take_elsewhere },
		{ .name = "start", .take = take_elsewhere },
		{ .name = "end", .take = take_elsewhere },
	};
	const struct toml_value *network;
	struct external_rule *external = field;

	external->form = EXTERNAL_MATCH;
	if (entry->value.type != TOML_TABLE) {
		if (entry->value.type != TOML_STRING)
			return refuse_type(reader, key->name, &entry->value, "a network, or a table");
		return match_network(reader, &entry->value, external);
	}
	if (keys_take(reader, KEYS(match_keys), &entry->value, NULL))
		return -EINVAL;
	network = toml_get(reader->document, &entry->value, "network");
	if (!network)
		return match_range(reader, &entry->value, external);
	if (toml_get(reader->document, &entry->value, "start") || toml_get(reader->document, &entry->value, "end"))
		return refuse(reader, network->line, "match_address: network, or start and end, not both");
	return match_network(reader, network, external);
}

#define EXTERNAL_FIELD(field) offsetof(struct external_rule, field)

static const struct key external_keys[] = {
	{ .name = "address", .take = take_address },
	{ .name = "network", .take = take_network },
	{ .name = "match_address", .take = take_match },
	{ .name = "is_internal", .take = take_bool, .offset = EXTERNAL_FIELD(is_internal) },
	{ .name = "no_snat", .take = take_bool, .offset = EXTERNAL_FIELD(no_snat) },
	{ .name = "no_hairpin", .take = take_bool, .offset = EXTERNAL_FIELD(no_hairpin) },
	{ .name = "tcp_ranges", .take = take_ports, .offset = EXTERNAL_FIELD(ports[NAT_TCP]), .min = 1 },
	{ .name = "udp_ranges", .take = take_ports, .offset = EXTERNAL_FIELD(ports[NAT_UDP]), .min = 1 },
	{ .name = "icmp_ranges", .take = take_ports, .offset = EXTERNAL_FIELD(icmp_all) },
	{ .name = "icmp_in_ranges", .take = take_ports, .offset = EXTERNAL_FIELD(icmp_in) },
	{ .name = "icmp_out_ranges", .take = take_ports, .offset = EXTERNAL_FIELD(ports[NAT_ICMP]) },
};

/* An address, or the first one of a network, that internal hosts get. */
static int source_check(struct reader *reader, const struct toml_value *table, const struct external_rule *external)
{
	const char *key = external->form == EXTERNAL_ADDRESS ? "address" : "network", *trouble;

	if (external->form == EXTERNAL_MATCH || external->is_internal || external->no_snat)
		return 0;
	trouble = address_trouble(external->family, external->first);
	return trouble ? refuse(reader, line_of(reader, table, key), "externals: %s: %s", key, trouble) : 0;
}

static int external_check(struct reader *reader, const struct toml_value *table, const struct external_rule *external)
{
	int forms = !!toml_get(reader->document, table, "address") + !!toml_get(reader->document, table, "network") +
		    !!toml_get(reader->document, table, "match_address");

	if (forms != 1)
		return refuse(reader, table->line, "externals: needs one of address, network and match_address");
	if (external->is_internal && external->form == EXTERNAL_MATCH)
		return refuse(reader, line_of(reader, table, "is_internal"),
			      "externals: is_internal: only with address or network");
	return source_check(reader, table, external);
}

static int external_read(struct reader *reader, const struct toml_value *table)
{
	struct interface_config *interface = reader->interface;
	struct external_rule *external = interface_config_add_external(interface);
	int protocol, err = 0;

	if (!external)
		return refuse_memory(reader);
	for (protocol = 0; protocol < NAT_PROTOCOLS; protocol++)
		err = err ?: port_set_copy(&external->ports[protocol], &interface->ports[protocol]);
	err = err ?: port_set_copy(&external->icmp_all, &interface->icmp_all);
	err = err ?: port_set_copy(&external->icmp_in, &interface->icmp_in);
	if (err)
		return refuse_memory(reader);
	if (keys_take(reader, KEYS(external_keys), table, external) || external_check(reader, table, external))
		return -EINVAL;
	return icmp_check(reader, table, &external->icmp_all, &external->icmp_in, &external->ports[NAT_ICMP]);
}

static int externals_read(struct reader *reader, const struct toml_value *table)
{
	const struct toml_value *externals = toml_get(reader->document, table, "externals"), *element;
	int err = 0;

	if (!externals)
		return 0;
	if (externals->type != TOML_ARRAY)
		return refuse_type(reader, "externals", externals, "an array of tables");
	if (externals->array.count > ELEMENTS_MAX)
		return refuse(reader, externals->line, "externals: more than %d", ELEMENTS_MAX);
	for (element = externals->array.first; element && !err; element = element->next)
		err = element->type == TOML_TABLE ? external_read(reader, element)
						  : refuse_type(reader, "externals", element, "a table");
	return err;
}

/* [[interfaces.forwards]] */

struct forward_read {
	struct forward *forward;
	struct port_range internal; /* 0-0: not given */
};

static int take_forward_protocol(struct reader *reader, const struct key *key, const struct toml_value *value,
				 struct forward *forward)
{
	const char *word = string_get(reader, key->name, value, "\"tcp\" or \"udp\"");
	int protocol;

	if (!word)
		return -EINVAL;
	protocol = !strcmp(word, "tcp") ? NAT_TCP : NAT_UDP;
	if (protocol == NAT_UDP && strcmp(word, "udp") != 0)
		return refuse(reader, value->line, "%s: \"%s\": is none of tcp, udp", key->name, word);
	forward->protocols[protocol] = true;
	return 0;
}

static int take_forward_protocols(struct reader *reader, const struct key *key, const struct toml_entry *entry,
				  void *field)
{
	struct forward *forward = ((struct forward_read *)field)->forward;
	const struct toml_value *element;
	int err = 0;

	if (entry->value.type != TOML_ARRAY)
		return take_forward_protocol(reader, key, &entry->value, forward);
	for (element = entry->value.array.first; element && !err; element = element->next)
		err = take_forward_protocol(reader, key, element, forward);
	return err;
}

/* 8000 or "8000-8010". */
static int take_port_range(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	struct port_range *ports = field;
	const char *word, *why;

	if (entry->value.type == TOML_INTEGER) {
		if (entry->value.integer < 1 || entry->value.integer > UINT16_MAX)
			return refuse(reader, entry->value.line, "%s: %" PRId64 ": must be from 1 to 65535", key->name,
				      entry->value.integer);
		ports->first = ports->last = (uint16_t)entry->value.integer;
		return 0;
	}
	word = string_get(reader, key->name, &entry->value, "a port or a range such as \"8000-8010\"");
	if (!word)
		return -EINVAL;
	if (forward_parse_ports(ports, word, &why))
		return refuse(reader, entry->value.line, "%s: \"%s\": %s", key->name, word, why);
	if (!ports->first)
		return refuse(reader, entry->value.line, "%s: \"%s\": port 0 cannot be used", key->name, word);
	return 0;
}

static int take_external_ports(struct reader *reader, const struct key *key, const struct toml_entry *entry,
			       void *field)
{
	return take_port_range(reader, key, entry, &((struct forward_read *)field)->forward->external);
}

static int take_internal_ports(struct reader *reader, const struct key *key, const struct toml_entry *entry,
			       void *field)
{
	return take_port_range(reader, key, entry, &((struct forward_read *)field)->internal);
}

static int take_internal_address(struct reader *reader, const struct key *key, const struct toml_entry *entry,
				 void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "an address such as \"192.168.1.2\"");
	struct forward *forward = ((struct forward_read *)field)->forward;

	if (!text)
		return -EINVAL;
	if (address_parse(text, &forward->family, forward->internal_addr))
		return refuse(reader, entry->value.line, "%s: \"%s\": not an address such as 192.168.1.2", key->name,
			      text);
	return 0;
}

static int remote_add(struct reader *reader, const struct key *key, const struct toml_value *value,
		      struct forward *forward)
{
	const char *word = string_get(reader, key->name, value, "a network such as \"198.51.100.0/24\""), *why;
	struct ip_prefix prefix, *grown;
	int family;

	if (!word)
		return -EINVAL;
	if (network_parse(word, &family, &prefix, &why))
		return refuse(reader, value->line, "%s: \"%s\": %s", key->name, word, why);
	if (family != forward->family)
		return refuse(reader, value->line, "%s: \"%s\": is not of the internal address's family", key->name,
			      word);
	ip_prefix_mask(&prefix);
	grown = realloc(forward->remotes, (forward->remotes_count + 1) * sizeof(*grown));
	if (!grown)
		return refuse_memory(reader);
	forward->remotes = grown;
	grown[forward->remotes_count++] = prefix;
	return 0;
}

/* Behind the others: the internal address says which family. */
static int remotes_read(struct reader *reader, const struct toml_value *table, struct forward *forward)
{
	static const struct key key = { .name = "remotes" };
	const struct toml_value *remotes = toml_get(reader->document, table, "remotes"), *element;
	int err = 0;

	if (!remotes)
		return 0;
	if (remotes->type != TOML_ARRAY)
		return refuse_type(reader, "remotes", remotes, "an array of networks");
	for (element = remotes->array.first; element && !err; element = element->next)
		err = remote_add(reader, &key, element, forward);
	return err;
}

/* Behind the others, too. The external's address must be one that is known without the interface: that is what it goes by. */
static int external_address_read(struct reader *reader, const struct toml_value *table, struct forward *forward)
{
	const struct toml_value *value = toml_get(reader->document, table, "external_address");
	const char *text = value ? string_get(reader, "external_address", value, "an address such as \"203.0.113.2\"")
				 : NULL;
	const struct external_rule *rule;
	struct external_plan plan;
	int family;

	if (!value)
		return 0;
	if (!text)
		return -EINVAL;
	if (address_parse(text, &family, forward->external_addr) || family != forward->family)
		return refuse(reader, value->line,
			      "external_address: \"%s\": not an address of the internal one's family", text);
	if (external_plan_init(&plan, reader->interface, family) == -E2BIG)
		return 0; /* said elsewhere */
	for (; forward->external_number < plan.count; forward->external_number++) {
		rule = plan.rules[forward->external_number];
		if (rule && !memcmp(rule->first, forward->external_addr, sizeof(rule->first)) &&
		    (rule->form != EXTERNAL_MATCH || !memcmp(rule->last, rule->first, sizeof(rule->last))))
			return 0;
	}
	return refuse(
		reader, value->line,
		"external_address: \"%s\": is not the address of one of the externals that internal hosts can have",
		text);
}

static const struct key forward_keys[] = {
	{ .name = "protocol", .take = take_forward_protocols },
	{ .name = "external_port", .take = take_external_ports },
	{ .name = "internal_address", .take = take_internal_address },
	{ .name = "internal_port", .take = take_internal_ports },
	{ .name = "external_address", .take = take_elsewhere },
	{ .name = "remotes", .take = take_elsewhere },
};

static int forward_finish(struct reader *reader, const struct toml_value *table, const struct forward_read *read)
{
	static const char *const needed[] = { "protocol", "external_port", "internal_address" };
	const struct port_range *external = &read->forward->external, *internal = &read->internal;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!toml_get(reader->document, table, needed[i]))
			return refuse(reader, table->line, "forwards: %s: is missing", needed[i]);
	read->forward->internal_port = internal->first ? internal->first : external->first;
	if (internal->first != internal->last && internal->last - internal->first != external->last - external->first)
		return refuse(reader, line_of(reader, table, "internal_port"),
			      "forwards: internal_port: is not as long a range as external_port");
	why = forward_check(read->forward);
	return why ? refuse(reader, table->line, "forwards: %s", why) : 0;
}

/* "tcp:8000=192.168.1.2:80", as --forward has it. */
static int forward_read_word(struct reader *reader, const struct toml_value *value, struct forward *forward)
{
	const char *word = string_get(reader, "forwards", value, "a string"), *why;

	if (!word)
		return -EINVAL;
	return forward_parse(forward, word, &why) ? refuse(reader, value->line, "forwards: \"%s\": %s", word, why) : 0;
}

static int forward_read_table(struct reader *reader, const struct toml_value *table, struct forward *forward)
{
	struct forward_read read = { .forward = forward };

	if (keys_take(reader, KEYS(forward_keys), table, &read) || forward_finish(reader, table, &read))
		return -EINVAL;
	return external_address_read(reader, table, forward) ?: remotes_read(reader, table, forward);
}

static int forward_read(struct reader *reader, const struct toml_value *value)
{
	struct interface_config *interface = reader->interface;
	struct forward *forward = interface_config_add_forward(interface);
	char what[FORWARD_TEXT], words[FORWARD_TEXT], others[FORWARD_TEXT];
	const struct forward *other;
	int err;

	if (!forward && interface->forwards_count == FORWARDS_MAX)
		return refuse(reader, value->line, "forwards: more than %d", FORWARDS_MAX);
	if (!forward)
		return refuse_memory(reader);
	if (value->type == TOML_STRING)
		err = forward_read_word(reader, value, forward);
	else if (value->type == TOML_TABLE)
		err = forward_read_table(reader, value, forward);
	else
		err = refuse_type(reader, "forwards", value, "a table or a string");
	if (err)
		return err;
	forward->line = value->line;
	other = interface_config_forward_conflict(interface, what, sizeof(what));
	if (!other)
		return 0;
	if (other->line != value->line)
		return refuse(reader, value->line, "forwards: its %s is that of %s:%u, too", what, reader->file,
			      other->line);
	forward_format(forward, words, sizeof(words));
	forward_format(other, others, sizeof(others));
	return refuse(reader, value->line, "forwards: %s: its %s is that of %s, too", words, what, others);
}

static int forwards_read(struct reader *reader, const struct toml_value *table)
{
	const struct toml_value *forwards = toml_get(reader->document, table, "forwards"), *element;
	int err = 0;

	if (!forwards)
		return 0;
	if (forwards->type != TOML_ARRAY)
		return refuse_type(reader, "forwards", forwards, "an array of tables");
	for (element = forwards->array.first; element && !err; element = element->next)
		err = forward_read(reader, element);
	return err;
}

/* [interfaces.ipv4_hairpin_route], [interfaces.ipv6_hairpin_route] */

struct hairpin_read {
	struct hairpin_config *config;
	bool enable;
};

static int take_internal_ifs(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	struct hairpin_config *hairpin = &reader->interface->hairpin[reader->family];
	const struct toml_value *element;
	const char *word, *why;

	(void)field;
	if (entry->value.type != TOML_ARRAY)
		return refuse_type(reader, key->name, &entry->value, "an array of interface names");
	if (entry->value.array.count > ELEMENTS_MAX)
		return refuse(reader, entry->value.line, "%s: more than %d", key->name, ELEMENTS_MAX);
	for (element = entry->value.array.first; element; element = element->next) {
		word = string_get(reader, key->name, element, "an interface name");
		if (!word)
			return -EINVAL;
		if (!strcmp(word, reader->interface->name))
			return refuse(reader, element->line, "%s: \"%s\": is the external interface", key->name, word);
		if (hairpin_config_add_interface(hairpin, word, &why))
			return refuse(reader, element->line, "%s: \"%s\": %s", key->name, word, why);
	}
	return 0;
}

static int take_ip_protocols(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	static const char *const names[NAT_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp", [NAT_ICMP] = "icmp" };
	const uint8_t numbers[NAT_PROTOCOLS] = {
		[NAT_TCP] = IPPROTO_TCP,
		[NAT_UDP] = IPPROTO_UDP,
		[NAT_ICMP] = reader->family == CONFIG_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
	};
	struct hairpin_config *hairpin = &reader->interface->hairpin[reader->family];
	const struct toml_value *element;
	bool wanted[NAT_PROTOCOLS] = { false };
	const char *word;
	int i, count = 0;

	(void)field;
	if (entry->value.type != TOML_ARRAY)
		return refuse_type(reader, key->name, &entry->value, "an array of protocols");
	for (element = entry->value.array.first; element; element = element->next) {
		word = string_get(reader, key->name, element, "a protocol");
		if (!word)
			return -EINVAL;
		for (i = 0; i < NAT_PROTOCOLS && strcmp(word, names[i]) != 0; i++)
			;
		if (i == NAT_PROTOCOLS)
			return refuse(reader, element->line, "%s: \"%s\": is none of tcp, udp, icmp", key->name, word);
		wanted[i] = true;
	}
	memset(hairpin->ip_protocols, 0, sizeof(hairpin->ip_protocols));
	for (i = 0; i < NAT_PROTOCOLS; i++)
		if (wanted[i])
			hairpin->ip_protocols[count++] = numbers[i];
	return 0;
}

static int take_rule_pref(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	return take_number(reader, key, entry, &reader->interface->hairpin[reader->family].rule_pref);
}

static int take_hairpin_table(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	return take_table_id(reader, key, entry, &reader->interface->hairpin[reader->family].table_id);
}

static const struct key hairpin_keys[] = {
	{ .name = "enable", .take = take_bool, .offset = offsetof(struct hairpin_read, enable) },
	{ .name = "internal_if_names", .take = take_internal_ifs },
	{ .name = "ip_protocols", .take = take_ip_protocols },
	{ .name = "ip_rule_pref", .take = take_rule_pref, .max = UINT32_MAX },
	{ .name = "table_id", .take = take_hairpin_table, .min = 1, .max = UINT32_MAX },
};

static int hairpin_read(struct reader *reader, const struct key *key, const struct toml_entry *entry)
{
	struct hairpin_config *hairpin = &reader->interface->hairpin[reader->family];
	struct hairpin_read read = { hairpin, true };
	size_t length = strlen(reader->context);
	const struct toml_value *enable;
	int err;

	if (entry->value.type != TOML_TABLE)
		return refuse_type(reader, key->name, &entry->value, "a table");
	snprintf(reader->context + length, sizeof(reader->context) - length, "%s: ", key->name);
	err = keys_take(reader, KEYS(hairpin_keys), &entry->value, &read);
	enable = toml_get(reader->document, &entry->value, "enable");
	if (!err && enable && read.enable && !hairpin->internal_ifs_count)
		err = refuse(reader, enable->line, "enable: there are no internal_if_names");
	if (!read.enable)
		hairpin->internal_ifs_count = 0;
	reader->context[length] = '\0';
	return err;
}

static int take_hairpin4(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	reader->family = CONFIG_IPV4;
	return hairpin_read(reader, key, entry);
}

static int take_hairpin6(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	(void)field;
	reader->family = CONFIG_IPV6;
	return hairpin_read(reader, key, entry);
}

/* [interfaces.designated_server] */

static int take_designated_name(struct reader *reader, const struct key *key, const struct toml_entry *entry,
				void *field)
{
	const char *name = string_get(reader, key->name, &entry->value, "an interface name");

	if (!name)
		return -EINVAL;
	if (!interface_name_is_valid(name))
		return refuse(reader, entry->value.line, "%s: \"%.64s\": not an interface name", key->name, name);
	if (!strcmp(name, reader->interface->name))
		return refuse(reader, entry->value.line, "%s: \"%s\": is the external interface", key->name, name);
	if (!strcmp(name, "lo"))
		return refuse(reader, entry->value.line, "%s: \"lo\": no server is behind it", key->name);
	snprintf(field, IFNAMSIZ, "%s", name);
	return 0;
}

#define DESIGNATED(key_name, kind, field_name) \
	.name = (key_name), .take = take_##kind, .offset = offsetof(struct designated_config, field_name)

/* There are two tables, and several preferences. */
static const struct key designated_keys[] = {
	{ DESIGNATED("if_name", designated_name, name) },
	{ DESIGNATED("mark", number, mark), .min = 1, .max = UINT32_MAX },
	{ DESIGNATED("ip_rule_pref", number, rule_pref), .max = UINT32_MAX - (DESIGNATED_RULES - 1) },
	{ DESIGNATED("table_id", table_id, table_id), .min = 1, .max = UINT32_MAX - 1 },
};

static int take_designated(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	struct designated_config *designated = field;
	size_t length = strlen(reader->context);

	if (entry->value.type != TOML_TABLE)
		return refuse_type(reader, key->name, &entry->value, "a table");
	snprintf(reader->context + length, sizeof(reader->context) - length, "%s: ", key->name);
	if (keys_take(reader, KEYS(designated_keys), &entry->value, designated))
		return -EINVAL;
	if (!designated->name[0])
		return refuse(reader, entry->value.line, "if_name: is missing");
	if (designated->table_id == 252)
		return refuse(reader, line_of(reader, &entry->value, "table_id"),
			      "table_id: 252: the next one, which is used too, is one of the kernel's own tables");
	reader->context[length] = '\0';
	return 0;
}

/* [[interfaces]] */

#define FIELD(field)			  offsetof(struct interface_config, field)
#define NAMED(key_name, kind, field_name) .name = (key_name), .take = take_##kind, .offset = FIELD(field_name)
#define TIME(key_name, which)		  NAMED("timeout_" key_name, duration, timeout_ms[NAT_TIMEOUT_##which])

static const struct key interface_keys[] = {
	{ .name = "if_name", .take = take_elsewhere },
	{ .name = "externals", .take = take_elsewhere },
	{ .name = "forwards", .take = take_elsewhere },
	{ .name = "bpf_loader", .take = take_name, .has_no_effect = true },
	{ .name = "no_snat_dests", .take = take_exempt },
	{ .name = "snat_internals", .take = take_internals },
	{ .name = "ipv4_hairpin_route", .take = take_hairpin4 },
	{ .name = "ipv6_hairpin_route", .take = take_hairpin6 },
	{ NAMED("designated_server", designated, designated) },
	{ NAMED("nat44", bool, nat44) },
	{ NAMED("nat66", bool, nat66) },
	{ NAMED("bpf_log_level", number, bpf_log_level), .max = 5 },
	{ NAMED("bpf_fib_lookup_external", bool, bpf_fib_lookup_external) },
	{ .name = "allow_inbound_icmpx", .take = take_inbound_icmpx },
	{ NAMED("prefer_tcx", bool, prefer_tcx) },
	{ NAMED("default_externals", bool, default_externals) },
	{ NAMED("tcp_ranges", ports, ports[NAT_TCP]), .min = 1 },
	{ NAMED("udp_ranges", ports, ports[NAT_UDP]), .min = 1 },
	{ NAMED("icmp_ranges", ports, icmp_all) },
	{ NAMED("icmp_in_ranges", ports, icmp_in) },
	{ NAMED("icmp_out_ranges", ports, ports[NAT_ICMP]) },
	{ TIME("fragment", FRAGMENT) },
	{ TIME("icmp_default", ICMP) },
	{ TIME("udp_min", UDP) },
	{ TIME("udp_default", UDP_CONFIRMED) },
	{ TIME("tcp_trans", TCP_TRANSITORY) },
	{ TIME("tcp_est", TCP_ESTABLISHED) },
	{ TIME("pkt_min", UDP), .newer = "timeout_udp_min" },
	{ TIME("pkt_default", UDP_CONFIRMED), .newer = "timeout_udp_default" },
	{ TIME("port_hold", HOLD) },
	{ NAMED("frag_track_max_records", number, max_fragments), .min = 1, .max = RECORDS_MAX },
	{ NAMED("binding_max_records", number, binding_max_records), .min = 1, .max = RECORDS_MAX / 2 },
	{ NAMED("ct_max_records", number, max_sessions), .min = 1, .max = RECORDS_MAX },
	{ NAMED("filtering", filtering, filtering) },
	{ NAMED("pooling", pooling, pooling) },
	{ NAMED("refresh_inbound", bool, refresh_inbound) },
	{ NAMED("inbound_mark", number, inbound_mark), .max = UINT32_MAX },
	{ NAMED("tcp_mss_clamp", number, mss_clamp), .max = UINT16_MAX },
	{ NAMED("host_limit_tcp", number, host_limit[NAT_TCP]), .max = UINT32_MAX },
	{ NAMED("host_limit_udp", number, host_limit[NAT_UDP]), .max = UINT32_MAX },
	{ NAMED("host_limit_icmp", number, host_limit[NAT_ICMP]), .max = UINT32_MAX },
	{ NAMED("host_rate", number, host_rate), .max = UINT32_MAX },
	{ NAMED("host_max_records", number, max_hosts), .min = 1, .max = RECORDS_MAX },
	{ NAMED("remote_max_records", number, max_remotes), .min = 1, .max = RECORDS_MAX },
	{ NAMED("persist", bool, persist) },
	{ NAMED("take_over_masquerade", bool, take_over_masquerade) },
};

static int name_read(struct reader *reader, const struct toml_value *table)
{
	const struct toml_value *value = toml_get(reader->document, table, "if_name");
	const struct config *config = reader->config;
	const char *name;
	size_t i;

	snprintf(reader->context, sizeof(reader->context), "[[interfaces]]: ");
	if (!value)
		return refuse(reader, table->line, "if_name: is missing");
	name = string_get(reader, "if_name", value, "an interface name");
	if (!name)
		return -EINVAL;
	if (!interface_name_is_valid(name))
		return refuse(reader, value->line, "if_name: \"%.64s\": not an interface name", name);
	for (i = 0; i < config->interfaces_count; i++)
		if (!strcmp(config->interfaces[i].name, name))
			return refuse(reader, value->line, "if_name: \"%s\": is there already", name);
	reader->interface = config_add_interface(reader->config);
	if (!reader->interface)
		return refuse_memory(reader);
	snprintf(reader->interface->name, sizeof(reader->interface->name), "%s", name);
	snprintf(reader->context, sizeof(reader->context), "[[interfaces]] \"%s\": ", name);
	return 0;
}

static int defaults_apply(struct reader *reader)
{
	struct interface_config *interface = reader->interface;
	const struct defaults *defaults = &reader->defaults;
	int family, err;

	err = port_set_copy(&interface->ports[NAT_TCP], &defaults->tcp);
	err = err ?: port_set_copy(&interface->ports[NAT_UDP], &defaults->udp);
	err = err ?: port_set_copy(&interface->ports[NAT_ICMP], &defaults->icmp_out);
	err = err ?: port_set_copy(&interface->icmp_all, &defaults->icmp_all);
	err = err ?: port_set_copy(&interface->icmp_in, &defaults->icmp_in);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		interface->hairpin[family].rule_pref = defaults->hairpin_rule_pref[family];
		interface->hairpin[family].table_id = defaults->hairpin_table_id[family];
	}
	return err ? refuse_memory(reader) : 0;
}

/* Somebody has to be the source, and not too many. */
static int sources_check(struct reader *reader, const struct toml_value *table, enum config_family family)
{
	const struct interface_config *interface = reader->interface;
	struct external_plan plan;
	int err = 0;

	if (family == CONFIG_IPV4 ? interface->nat44 : interface->nat66)
		err = external_plan_init(&plan, interface, family == CONFIG_IPV4 ? AF_INET : AF_INET6);
	if (err == -E2BIG)
		return refuse(reader, line_of(reader, table, "externals"), "externals: more than %d of one family",
			      NAT_EXTERNALS_MAX - interface->default_externals);
	return err ? refuse(reader, line_of(reader, table, "default_externals"),
			    "default_externals: false, and no IPv%c external is a source",
			    family == CONFIG_IPV4 ? '4' : '6')
		   : 0;
}

/* What can be said only of the whole of an interface. */
static int interface_check(struct reader *reader, const struct toml_value *table)
{
	const struct interface_config *interface = reader->interface;
	bool is_ipv4;
	size_t i;

	for (i = 0; i < interface->internals_count; i++) {
		is_ipv4 = interface->internals[i].family == AF_INET;
		if (is_ipv4 ? !interface->nat44 : !interface->nat66)
			return refuse(reader, line_of(reader, table, "snat_internals"),
				      "snat_internals: an IPv%c network, but nat%s is not on", is_ipv4 ? '4' : '6',
				      is_ipv4 ? "44" : "66");
	}
	for (i = 0; i < interface->forwards_count; i++) {
		is_ipv4 = interface->forwards[i].family == AF_INET;
		if (is_ipv4 ? !interface->nat44 : !interface->nat66)
			return refuse(reader, interface->forwards[i].line,
				      "forwards: an IPv%c address, but nat%s is not on", is_ipv4 ? '4' : '6',
				      is_ipv4 ? "44" : "66");
	}
	if (sources_check(reader, table, CONFIG_IPV4) || sources_check(reader, table, CONFIG_IPV6))
		return -EINVAL;
	if (interface->designated.name[0] && interface->hairpin[CONFIG_IPV4].internal_ifs_count &&
	    interface->designated.table_id == interface->hairpin[CONFIG_IPV4].table_id)
		return refuse(reader, line_of(reader, table, "designated_server"),
			      "designated_server: table_id: %u is the table of ipv4_hairpin_route, too",
			      interface->designated.table_id);
	if (interface->designated.name[0] && !interface->nat44)
		return refuse(reader, line_of(reader, table, "designated_server"),
			      "designated_server: is for IPv4, but nat44 is not on");
	if (!interface->nat44 && !interface->nat66)
		return note(reader, table->line, "neither nat44 nor nat66 is on: nothing is translated");
	return 0;
}

/*
 * The router's own pings often have small identifiers. Beside a designated server they must be managed: an answer without a
 * mapping is the server's.
 */
static int designated_apply(struct reader *reader, const struct toml_value *table)
{
	const struct toml_value *root = toml_root(reader->document);
	const struct toml_value *defaults = toml_get(reader->document, root, "defaults");
	struct interface_config *interface = reader->interface;

	if (!interface->designated.name[0] || toml_get(reader->document, table, "icmp_out_ranges") ||
	    (defaults && toml_get(reader->document, defaults, "icmp_out_ranges")))
		return 0;
	port_set_free(&interface->ports[NAT_ICMP]);
	return port_set_copy(&interface->ports[NAT_ICMP], &interface->icmp_all) ? refuse_memory(reader) : 0;
}

static int interface_read(struct reader *reader, const struct toml_value *table)
{
	struct interface_config *interface;
	int err;

	if (table->type != TOML_TABLE)
		return refuse_type(reader, "interfaces", table, "a table");
	err = name_read(reader, table);
	err = err ?: defaults_apply(reader);
	if (err)
		return err;
	interface = reader->interface;
	err = keys_take(reader, KEYS(interface_keys), table, interface);
	err = err ?: designated_apply(reader, table);
	err = err ?: icmp_check(reader, table, &interface->icmp_all, &interface->icmp_in, &interface->ports[NAT_ICMP]);
	err = err ?: externals_read(reader, table);
	if (!err)
		icmp_settle(interface);
	err = err ?: forwards_read(reader, table);
	if (!err && interface->binding_max_records && !toml_get(reader->document, table, "ct_max_records"))
		interface->max_sessions = 2 * interface->binding_max_records;
	err = err ?: interface_check(reader, table);
	reader->context[0] = '\0';
	return err;
}

/* The whole */

#define DEFAULT(key_name, kind, field_name) \
	.name = (key_name), .take = take_##kind, .offset = offsetof(struct defaults, field_name)

static const struct key defaults_keys[] = {
	{ DEFAULT("ipv4_local_rule_pref", number, local_rule_pref[CONFIG_IPV4]), .max = UINT32_MAX },
	{ DEFAULT("ipv6_local_rule_pref", number, local_rule_pref[CONFIG_IPV6]), .max = UINT32_MAX },
	{ DEFAULT("ipv4_hairpin_rule_pref", number, hairpin_rule_pref[CONFIG_IPV4]), .max = UINT32_MAX },
	{ DEFAULT("ipv6_hairpin_rule_pref", number, hairpin_rule_pref[CONFIG_IPV6]), .max = UINT32_MAX },
	{ DEFAULT("ipv4_hairpin_table_id", table_id, hairpin_table_id[CONFIG_IPV4]), .min = 1, .max = UINT32_MAX },
	{ DEFAULT("ipv6_hairpin_table_id", table_id, hairpin_table_id[CONFIG_IPV6]), .min = 1, .max = UINT32_MAX },
	{ DEFAULT("tcp_ranges", ports, tcp), .min = 1 },
	{ DEFAULT("udp_ranges", ports, udp), .min = 1 },
	{ DEFAULT("icmp_ranges", ports, icmp_all) },
	{ DEFAULT("icmp_in_ranges", ports, icmp_in) },
	{ DEFAULT("icmp_out_ranges", ports, icmp_out) },
};

static int defaults_init(struct reader *reader)
{
	struct defaults *defaults = &reader->defaults;
	int family, err;

	err = port_set_add(&defaults->tcp, 20000, 29999);
	err = err ?: port_set_add(&defaults->udp, 20000, 29999);
	err = err ?: port_set_add(&defaults->icmp_all, 0, UINT16_MAX);
	err = err ?: port_set_add(&defaults->icmp_in, 0, 9999);
	err = err ?: port_set_add(&defaults->icmp_out, 1000, UINT16_MAX);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		defaults->local_rule_pref[family] = 200;
		defaults->hairpin_rule_pref[family] = 100;
		defaults->hairpin_table_id[family] = 4787;
	}
	return err ? refuse_memory(reader) : 0;
}

static void defaults_free(struct defaults *defaults)
{
	port_set_free(&defaults->tcp);
	port_set_free(&defaults->udp);
	port_set_free(&defaults->icmp_all);
	port_set_free(&defaults->icmp_in);
	port_set_free(&defaults->icmp_out);
}

static int take_version(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	uint32_t version;

	(void)field;
	return take_number(reader, key, entry, &version);
}

static int take_defaults(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	struct defaults *defaults = &reader->defaults;
	int err;

	(void)field;
	if (entry->value.type != TOML_TABLE)
		return refuse_type(reader, key->name, &entry->value, "a table");
	snprintf(reader->context, sizeof(reader->context), "[defaults]: ");
	err = keys_take(reader, KEYS(defaults_keys), &entry->value, defaults);
	err = err ?: icmp_check(reader, &entry->value, &defaults->icmp_all, &defaults->icmp_in, &defaults->icmp_out);
	reader->context[0] = '\0';
	memcpy(reader->config->local_rule_pref, defaults->local_rule_pref, sizeof(defaults->local_rule_pref));
	return err;
}

/* [control] */

static int take_name_of_group(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *name = string_get(reader, key->name, &entry->value, "a group");
	struct control_config *control = field;

	if (!name)
		return -EINVAL;
	if (!*name || strlen(name) >= sizeof(control->group) || strpbrk(name, ":, \n"))
		return refuse(reader, entry->value.line, "group: \"%.64s\": not the name or the number of a group",
			      name);
	snprintf(control->group, sizeof(control->group), "%s", name);
	return 0;
}

static int take_mode(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "a mode such as \"0660\"");
	unsigned long mode;
	char *end;

	if (!text)
		return -EINVAL;
	mode = strtoul(text, &end, 8);
	if (*text < '0' || *text > '7' || *end || mode & ~0666ul)
		return refuse(reader, entry->value.line, "mode: \"%.64s\": not a mode such as 0660", text);
	((struct control_config *)field)->mode = (uint32_t)mode;
	return 0;
}

static int take_listen(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "an address and a port");
	struct control_config *control = field;
	__be32 addr[4];
	uint16_t port;
	int family;

	if (!text)
		return -EINVAL;
	if (strlen(text) >= sizeof(control->metrics_listen) || address_port_parse(text, &family, addr, &port))
		return refuse(reader, entry->value.line,
			      "metrics_listen: \"%.64s\": not an address and a port such as 127.0.0.1:9586", text);
	snprintf(control->metrics_listen, sizeof(control->metrics_listen), "%s", text);
	return 0;
}

static const struct key control_keys[] = {
	{ .name = "group", .take = take_name_of_group },
	{ .name = "mode", .take = take_mode },
	{ .name = "metrics_listen", .take = take_listen },
};

static int take_control(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	int err;

	(void)field;
	if (entry->value.type != TOML_TABLE)
		return refuse_type(reader, key->name, &entry->value, "a table");
	snprintf(reader->context, sizeof(reader->context), "[control]: ");
	err = keys_take(reader, KEYS(control_keys), &entry->value, &reader->config->control);
	reader->context[0] = '\0';
	return err;
}

/* [log] */

static int take_to(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "a string");

	if (!text)
		return -EINVAL;
	if (strcmp(text, "stderr") != 0 && strcmp(text, "syslog") != 0)
		return refuse(reader, entry->value.line, "to: \"%.64s\": neither stderr nor syslog", text);
	*(bool *)field = !strcmp(text, "syslog");
	return 0;
}

static int take_level(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "a string");
	uint32_t level;

	if (!text)
		return -EINVAL;
	for (level = LOG_ERROR; level <= LOG_INFO; level++)
		if (!strcmp(text, config_log_levels[level])) {
			*(uint32_t *)field = level;
			return 0;
		}
	return refuse(reader, entry->value.line, "level: \"%.64s\": not error, warning or info", text);
}

static int take_socket(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	const char *text = string_get(reader, key->name, &entry->value, "a path");

	if (!text)
		return -EINVAL;
	if (*text != '/' || strlen(text) >= sizeof(reader->config->log.socket))
		return refuse(reader, entry->value.line,
			      "socket: \"%.104s\": not an absolute path of at most %zu bytes", text,
			      sizeof(reader->config->log.socket) - 1);
	snprintf(field, sizeof(reader->config->log.socket), "%s", text);
	return 0;
}

#define LOG(key_name, kind, field_name) \
	.name = (key_name), .take = take_##kind, .offset = offsetof(struct log_config, field_name)

static const struct key log_keys[] = {
	{ LOG("to", to, to_syslog) },
	{ LOG("level", level, level) },
	{ LOG("socket", socket, socket) },
	{ LOG("assignments", bool, assignments) },
	{ LOG("assignments_rate", number, assignments_rate), .min = 1, .max = UINT32_MAX },
};

static int take_log(struct reader *reader, const struct key *key, const struct toml_entry *entry, void *field)
{
	int err;

	(void)field;
	if (entry->value.type != TOML_TABLE)
		return refuse_type(reader, key->name, &entry->value, "a table");
	snprintf(reader->context, sizeof(reader->context), "[log]: ");
	err = keys_take(reader, KEYS(log_keys), &entry->value, &reader->config->log);
	reader->context[0] = '\0';
	return err;
}

static int document_read(struct reader *reader)
{
	static const struct key first_keys[] = {
		{ .name = "version", .take = take_version, .max = INT32_MAX },
		{ .name = "defaults", .take = take_defaults },
		{ .name = "control", .take = take_control },
		{ .name = "log", .take = take_log },
		{ .name = "interfaces", .take = take_elsewhere },
	};
	const struct toml_value *root = toml_root(reader->document), *interfaces, *element;
	int err;

	err = defaults_init(reader);
	err = err ?: keys_take(reader, KEYS(first_keys), root, NULL);
	if (err)
		return err;
	interfaces = toml_get(reader->document, root, "interfaces");
	if (!interfaces)
		return refuse(reader, 1, "no [[interfaces]]: there is nothing to translate");
	if (interfaces->type != TOML_ARRAY)
		return refuse_type(reader, "interfaces", interfaces, "an array of tables: [[interfaces]]");
	if (!interfaces->array.count)
		return refuse(reader, interfaces->line, "no [[interfaces]]: there is nothing to translate");
	if (interfaces->array.count > ELEMENTS_MAX)
		return refuse(reader, interfaces->line, "interfaces: more than %d", ELEMENTS_MAX);
	for (element = interfaces->array.first; element && !err; element = element->next)
		err = interface_read(reader, element);
	return err;
}

int config_file_parse(struct config *config, const char *name, const char *text, size_t length, char *error,
		      size_t size)
{
	struct reader reader = { .config = config, .file = name, .error = error, .size = size };
	struct toml_document *document;
	struct toml_error wrong;
	int err;

	config_init(config);
	error[0] = '\0';
	err = toml_parse(&document, text, length, &wrong);
	if (err) {
		snprintf(error, size, "%s:%u:%u: %s", name, wrong.line, wrong.column, wrong.text);
		return err;
	}
	reader.document = document;
	err = document_read(&reader);
	defaults_free(&reader.defaults);
	toml_free(document);
	if (err)
		config_free(config);
	return err;
}

/* A pipe may have a writer that says nothing, and the daemon has more to do than to wait for it. */
static ssize_t read_soon(int fd, char *text, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (!poll(&ready, 1, READ_WAIT_MS)) {
		errno = ETIMEDOUT;
		return -1;
	}
	return read(fd, text, size);
}

int config_file_load(struct config *config, const char *path, char *error, size_t size)
{
	size_t length = 0;
	ssize_t n = 0;
	char *text;
	int fd, err;

	memset(config, 0, sizeof(*config));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO without a writer is opened, too */
	text = fd < 0 ? NULL : malloc(TOML_SIZE_MAX + 1);	       /* its pages are taken up as they are read */
	while (text && length <= TOML_SIZE_MAX && (n = read_soon(fd, text + length, TOML_SIZE_MAX + 1 - length)) > 0)
		length += (size_t)n;
	if (!text || n < 0) {
		err = -errno;
		snprintf(error, size, "%s: %s", path, strerror(errno));
	} else {
		err = config_file_parse(config, path, text, length, error, size);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return err;
}
