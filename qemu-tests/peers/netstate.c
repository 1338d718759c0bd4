// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints what a NAT daemon might leave behind: one sorted line for each policy
 * rule, route, permanent neighbour, qdisc, tc filter, TCX program and nftables
 * table of this network namespace, and for each sysctl given as an argument. Two runs on an
 * unchanged machine give the same bytes, so ages, counters, identifiers of
 * programs and handles of the kernel's choice are left out. An attribute that
 * this program does not know is printed as bytes: it may be the difference.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_SIZE     4096
#define DUMP_ATTEMPTS 10
#define TCX_PROGRAMS  64

enum { EXIT_OK, EXIT_NO };

struct line {
	char text[LINE_SIZE];
	size_t size;
};

struct lines {
	char **items;
	size_t count, room;
};

/* A qdisc to which filters may be attached. */
struct filter_parent {
	int ifindex;
	uint32_t parent;
};

struct netstate {
	struct mnl_socket *socket;
	struct lines lines;
	int family; /* of the dump that is running */
	int *links;
	size_t links_count;
	struct filter_parent *parents;
	size_t parents_count;
};

enum format { SKIP, NUMBER, TEXT, INTERFACE, ADDRESS, BYTES };

struct field {
	uint16_t type;
	enum format format;
	const char *name;
};

static const struct field rule_fields[] = {
	{ FRA_DST, ADDRESS, "to" },
	{ FRA_SRC, ADDRESS, "from" },
	{ FRA_IIFNAME, TEXT, "iif" },
	{ FRA_OIFNAME, TEXT, "oif" },
	{ FRA_PRIORITY, NUMBER, "priority" },
	{ FRA_TABLE, NUMBER, "table" },
	{ FRA_FWMARK, NUMBER, "fwmark" },
	{ FRA_FWMASK, NUMBER, "fwmask" },
	{ FRA_GOTO, NUMBER, "goto" },
	{ FRA_PROTOCOL, NUMBER, "protocol" },
	{ FRA_IP_PROTO, NUMBER, "ipproto" },
	{ FRA_SUPPRESS_PREFIXLEN, NUMBER, "suppress_prefixlength" },
	{ 0 },
};

static const struct field route_fields[] = {
	{ RTA_DST, ADDRESS, "to" },	      { RTA_SRC, ADDRESS, "from" },
	{ RTA_OIF, INTERFACE, "dev" },	      { RTA_IIF, INTERFACE, "iif" },
	{ RTA_GATEWAY, ADDRESS, "via" },      { RTA_PREFSRC, ADDRESS, "src" },
	{ RTA_PRIORITY, NUMBER, "metric" },   { RTA_TABLE, NUMBER, "table" },
	{ RTA_PREF, NUMBER, "pref" },	      { RTA_METRICS, BYTES, "metrics" },
	{ RTA_MULTIPATH, BYTES, "nexthops" }, { RTA_CACHEINFO, SKIP, NULL },
	{ RTA_EXPIRES, SKIP, NULL },	      { 0 },
};

static const struct field neighbour_fields[] = {
	{ NDA_DST, ADDRESS, "to" },
	{ NDA_LLADDR, BYTES, "lladdr" },
	{ NDA_CACHEINFO, SKIP, NULL },
	{ NDA_PROBES, SKIP, NULL },
	{ 0 },
};

static const struct field qdisc_fields[] = {
	{ TCA_KIND, TEXT, "kind" },	{ TCA_OPTIONS, BYTES, "options" },
	{ TCA_STATS, SKIP, NULL },	{ TCA_STATS2, SKIP, NULL },
	{ TCA_XSTATS, SKIP, NULL },	{ TCA_STAB, BYTES, "stab" },
	{ TCA_HW_OFFLOAD, SKIP, NULL }, { 0 },
};

/* Options differ from kind to kind and may hold counters: only BPF's are printed. */
static const struct field filter_fields[] = {
	{ TCA_KIND, TEXT, "kind" },
	{ TCA_CHAIN, NUMBER, "chain" },
	{ TCA_OPTIONS, SKIP, NULL },
	{ TCA_STATS, SKIP, NULL },
	{ TCA_STATS2, SKIP, NULL },
	{ TCA_XSTATS, SKIP, NULL },
	{ 0 },
};

static const struct field bpf_filter_fields[] = {
	{ TCA_BPF_NAME, TEXT, "name" }, { TCA_BPF_TAG, BYTES, "tag" },	    { TCA_BPF_OPS_LEN, NUMBER, "instructions" },
	{ TCA_BPF_OPS, BYTES, "code" }, { TCA_BPF_FLAGS, NUMBER, "flags" }, { TCA_BPF_FLAGS_GEN, NUMBER, "flags_gen" },
	{ TCA_BPF_ID, SKIP, NULL },	{ TCA_BPF_ACT, SKIP, NULL },	    { 0 },
};

static const struct field table_fields[] = {
	{ NFTA_TABLE_NAME, TEXT, "name" }, { NFTA_TABLE_FLAGS, NUMBER, "flags" }, { NFTA_TABLE_USE, SKIP, NULL },
	{ NFTA_TABLE_HANDLE, SKIP, NULL }, { NFTA_TABLE_OWNER, SKIP, NULL },	  { 0 },
};

static void *grow(void *items, size_t count, size_t size)
{
	items = realloc(items, count * size);
	if (!items)
		abort();
	return items;
}

static void lines_add(struct lines *lines, const char *text)
{
	if (lines->count == lines->room) {
		lines->room = lines->room ? 2 * lines->room : 64;
		lines->items = grow(lines->items, lines->room, sizeof(*lines->items));
	}
	lines->items[lines->count] = strdup(text);
	if (!lines->items[lines->count++])
		abort();
}

static void lines_cut(struct lines *lines, size_t count)
{
	while (lines->count > count)
		free(lines->items[--lines->count]);
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static __attribute__((format(printf, 2, 3))) void line_add(struct line *line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line->size += vsnprintf(line->text + line->size, LINE_SIZE - line->size, format, arguments);
	va_end(arguments);
	if (line->size >= LINE_SIZE) {
		/* A difference could be in what would be cut off. */
		fprintf(stderr, "netstate: a line is too long: %.60s...\n", line->text);
		exit(EXIT_NO);
	}
}

static void line_add_bytes(struct line *line, const uint8_t *bytes, size_t size)
{
	line_add(line, " ");
	for (size_t i = 0; i < size; i++)
		line_add(line, "%02x", bytes[i]);
}

static void line_add_number(struct line *line, const void *bytes, size_t size)
{
	uint64_t wide;
	uint32_t word;
	uint16_t half;

	switch (size) {
	case 1:
		line_add(line, " %u", *(const uint8_t *)bytes);
		break;
	case 2:
		memcpy(&half, bytes, size);
		line_add(line, " %u", half);
		break;
	case 4:
		memcpy(&word, bytes, size);
		line_add(line, " %u", word);
		break;
	case 8:
		memcpy(&wide, bytes, size);
		line_add(line, " %llu", (unsigned long long)wide);
		break;
	default:
		line_add_bytes(line, bytes, size);
	}
}

static void line_add_interface(struct line *line, int ifindex)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(ifindex, name))
		line_add(line, " %s", name);
	else
		line_add(line, " #%d", ifindex);
}

static void line_add_address(struct line *line, const void *bytes, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (size != 4 && size != 16)
		line_add_bytes(line, bytes, size);
	else
		line_add(line, " %s", inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)));
}

static const struct field *field_find(const struct field *fields, uint16_t type)
{
	for (; fields->type; fields++) {
		if (fields->type == type)
			return fields;
	}
	return NULL;
}

static void line_add_attribute(struct line *line, const struct nlattr *attr, const struct field *fields)
{
	const void *payload = mnl_attr_get_payload(attr);
	const size_t size = mnl_attr_get_payload_len(attr);
	const uint16_t type = mnl_attr_get_type(attr);
	const struct field *field = field_find(fields, type);
	const enum format format = field ? field->format : BYTES;

	if (format == SKIP)
		return;
	if (field)
		line_add(line, " %s", field->name);
	else
		line_add(line, " attribute%u", type);
	if (format == NUMBER)
		line_add_number(line, payload, size);
	else if (format == TEXT)
		line_add(line, " %.*s", (int)strnlen(payload, size), (const char *)payload);
	else if (format == INTERFACE && size == 4)
		line_add_interface(line, mnl_attr_get_u32(attr));
	else if (format == ADDRESS)
		line_add_address(line, payload, size);
	else
		line_add_bytes(line, payload, size);
}

static void line_add_attributes(struct line *line, const struct nlmsghdr *message, size_t header,
				const struct field *fields)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, message, header)
		line_add_attribute(line, attr, fields);
}

static const char *family_name(int family)
{
	return family == AF_INET6 ? "inet6" : "inet";
}

static int add_rule(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct netstate *state = data;
	struct line line = { .size = 0 };

	/* Without IPv6 the kernel answers with the rules of every family. */
	if (rule->family != state->family)
		return MNL_CB_OK;
	line_add(&line, "rule %s to/%u from/%u tos %u action %u flags 0x%x", family_name(rule->family), rule->dst_len,
		 rule->src_len, rule->tos, rule->action, rule->flags);
	line_add_attributes(&line, message, sizeof(*rule), rule_fields);
	lines_add(&state->lines, line.text);
	return MNL_CB_OK;
}

static int add_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct netstate *state = data;
	struct line line = { .size = 0 };

	/* Cloned ones are a cache. */
	if (route->rtm_family != state->family || route->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	line_add(&line, "route %s to/%u from/%u tos %u protocol %u scope %u type %u flags 0x%x",
		 family_name(route->rtm_family), route->rtm_dst_len, route->rtm_src_len, route->rtm_tos,
		 route->rtm_protocol, route->rtm_scope, route->rtm_type, route->rtm_flags);
	line_add_attributes(&line, message, sizeof(*route), route_fields);
	lines_add(&state->lines, line.text);
	return MNL_CB_OK;
}

static int add_neighbour(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *neighbour = mnl_nlmsg_get_payload(message);
	const bool is_proxy = neighbour->ndm_flags & NTF_PROXY;
	struct netstate *state = data;
	struct line line = { .size = 0 };

	/* The others come and go with traffic. */
	if (neighbour->ndm_family != state->family || !(is_proxy || neighbour->ndm_state & NUD_PERMANENT))
		return MNL_CB_OK;
	line_add(&line, "neighbour %s dev", family_name(neighbour->ndm_family));
	line_add_interface(&line, neighbour->ndm_ifindex);
	line_add(&line, " state 0x%x flags 0x%x type %u", is_proxy ? 0 : neighbour->ndm_state, neighbour->ndm_flags,
		 neighbour->ndm_type);
	line_add_attributes(&line, message, sizeof(*neighbour), neighbour_fields);
	lines_add(&state->lines, line.text);
	return MNL_CB_OK;
}

static void parents_add(struct netstate *state, int ifindex, uint32_t parent)
{
	state->parents = grow(state->parents, state->parents_count + 1, sizeof(*state->parents));
	state->parents[state->parents_count++] = (struct filter_parent){ .ifindex = ifindex, .parent = parent };
}

/* Handles that the kernel chooses are from this one up, clsact's aside. */
static bool handle_is_chosen(uint32_t handle)
{
	return handle >= 0x80000000 && TC_H_MAJ(handle) != TC_H_MAJ(TC_H_CLSACT);
}

static int add_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *qdisc = mnl_nlmsg_get_payload(message);
	const uint32_t major = TC_H_MAJ(qdisc->tcm_handle);
	struct netstate *state = data;
	struct line line = { .size = 0 };

	line_add(&line, "qdisc dev");
	line_add_interface(&line, qdisc->tcm_ifindex);
	if (!handle_is_chosen(qdisc->tcm_handle))
		line_add(&line, " handle 0x%x", qdisc->tcm_handle);
	line_add(&line, " parent 0x%x", qdisc->tcm_parent);
	line_add_attributes(&line, message, sizeof(*qdisc), qdisc_fields);
	lines_add(&state->lines, line.text);

	if (major == TC_H_MAJ(TC_H_CLSACT)) {
		parents_add(state, qdisc->tcm_ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
		parents_add(state, qdisc->tcm_ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	} else if (major) {
		parents_add(state, qdisc->tcm_ifindex, qdisc->tcm_handle);
	}
	return MNL_CB_OK;
}

static void line_add_bpf_filter(struct line *line, const struct nlmsghdr *message)
{
	struct nlattr *attr, *kind = NULL, *options = NULL, *option;

	mnl_attr_for_each(attr, message, sizeof(struct tcmsg)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			kind = attr;
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
			options = attr;
	}
	if (!kind || !options || strcmp(mnl_attr_get_str(kind), "bpf"))
		return;
	mnl_attr_for_each_nested(option, options)
		line_add_attribute(line, option, bpf_filter_fields);
}

static int add_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *filter = mnl_nlmsg_get_payload(message);
	struct netstate *state = data;
	struct line line = { .size = 0 };

	line_add(&line, "filter dev");
	line_add_interface(&line, filter->tcm_ifindex);
	if (!handle_is_chosen(filter->tcm_parent))
		line_add(&line, " parent 0x%x", filter->tcm_parent);
	line_add(&line, " priority %u protocol 0x%04x handle 0x%x", TC_H_MAJ(filter->tcm_info) >> 16,
		 ntohs(TC_H_MIN(filter->tcm_info)), filter->tcm_handle);
	line_add_attributes(&line, message, sizeof(*filter), filter_fields);
	line_add_bpf_filter(&line, message);
	lines_add(&state->lines, line.text);
	return MNL_CB_OK;
}

static int add_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct netstate *state = data;

	state->links = grow(state->links, state->links_count + 1, sizeof(*state->links));
	state->links[state->links_count++] = link->ifi_index;
	return MNL_CB_OK;
}

/* Sends one request and hands every answer to callback. 0 or -errno. */
static int dump_once(struct netstate *state, uint16_t type, const void *header, size_t size, mnl_cb_t callback)
{
	static unsigned int sequence;
	const unsigned int port = mnl_socket_get_portid(state->socket);
	_Alignas(struct nlmsghdr) char buffer[32768];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int result = MNL_CB_OK;
	ssize_t n;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++sequence;
	memcpy(mnl_nlmsg_put_extra_header(request, size), header, size);
	if (mnl_socket_sendto(state->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result == MNL_CB_OK) {
		n = mnl_socket_recvfrom(state->socket, buffer, sizeof(buffer));
		if (n < 0)
			return -errno;
		result = mnl_cb_run(buffer, n, sequence, port, callback, state);
	}
	return result < 0 ? -errno : 0;
}

/*
 * A dump that a change interrupted is thrown away and done again. Nothing to
 * tell is what a kernel without the feature has (EOPNOTSUPP).
 */
static int dump(struct netstate *state, uint16_t type, const void *header, size_t size, mnl_cb_t callback)
{
	const size_t lines = state->lines.count, links = state->links_count;
	const size_t parents = state->parents_count;
	int err = -EINTR;

	for (int i = 0; i < DUMP_ATTEMPTS && err == -EINTR; i++) {
		lines_cut(&state->lines, lines);
		state->links_count = links;
		state->parents_count = parents;
		err = dump_once(state, type, header, size, callback);
	}
	if (err == -EOPNOTSUPP)
		return 0;
	if (err)
		fprintf(stderr, "netstate: netlink request %u: %s\n", type, strerror(-err));
	return err;
}

static int dump_family(struct netstate *state, int family)
{
	const struct fib_rule_hdr rule = { .family = family };
	const struct rtmsg route = { .rtm_family = family };
	const struct ndmsg neighbour = { .ndm_family = family };
	const struct ndmsg proxy = { .ndm_family = family, .ndm_flags = NTF_PROXY };

	state->family = family;
	if (dump(state, RTM_GETRULE, &rule, sizeof(rule), add_rule) ||
	    dump(state, RTM_GETROUTE, &route, sizeof(route), add_route) ||
	    dump(state, RTM_GETNEIGH, &neighbour, sizeof(neighbour), add_neighbour) ||
	    dump(state, RTM_GETNEIGH, &proxy, sizeof(proxy), add_neighbour))
		return EXIT_NO;
	return EXIT_OK;
}

static int dump_traffic_control(struct netstate *state)
{
	const struct tcmsg every = { .tcm_family = AF_UNSPEC };
	struct tcmsg parent = { .tcm_family = AF_UNSPEC };

	if (dump(state, RTM_GETQDISC, &every, sizeof(every), add_qdisc))
		return EXIT_NO;
	for (size_t i = 0; i < state->parents_count; i++) {
		parent.tcm_ifindex = state->parents[i].ifindex;
		parent.tcm_parent = state->parents[i].parent;
		if (dump(state, RTM_GETTFILTER, &parent, sizeof(parent), add_filter))
			return EXIT_NO;
	}
	return EXIT_OK;
}

static int add_table(const struct nlmsghdr *message, void *data)
{
	const struct nfgenmsg *table = mnl_nlmsg_get_payload(message);
	struct netstate *state = data;
	struct line line = { .size = 0 };

	line_add(&line, "nftables family %u", table->nfgen_family);
	line_add_attributes(&line, message, sizeof(*table), table_fields);
	lines_add(&state->lines, line.text);
	return MNL_CB_OK;
}

/* A kernel without nftables has no tables. */
static int dump_tables(struct netstate *state)
{
	const struct nfgenmsg every = { .nfgen_family = AF_UNSPEC };
	struct mnl_socket *route = state->socket;
	const size_t lines = state->lines.count;
	int err = -EINTR;

	state->socket = mnl_socket_open(NETLINK_NETFILTER);
	if (state->socket) {
		if (mnl_socket_bind(state->socket, 0, MNL_SOCKET_AUTOPID))
			err = -errno;
		for (int i = 0; i < DUMP_ATTEMPTS && err == -EINTR; i++) {
			lines_cut(&state->lines, lines);
			err = dump_once(state, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, &every, sizeof(every),
					add_table);
		}
		mnl_socket_close(state->socket);
	} else {
		err = -errno;
	}
	state->socket = route;
	if (!err || err == -EINVAL || err == -EPROTONOSUPPORT || err == -EOPNOTSUPP)
		return EXIT_OK;
	fprintf(stderr, "netstate: nftables: %s\n", strerror(-err));
	return EXIT_NO;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr)) < 0 ? -errno : 0;
}

static int program_info(uint32_t id, struct bpf_prog_info *info)
{
	union bpf_attr attr;
	long fd;
	int err;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uintptr_t)info;
	err = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	close(fd);
	return err;
}

static int add_tcx_program(struct netstate *state, int ifindex, const char *direction, unsigned int position,
			   uint32_t id)
{
	struct bpf_prog_info info;
	struct line line = { .size = 0 };
	int err = program_info(id, &info);

	if (err)
		return err;
	line_add(&line, "tcx dev");
	line_add_interface(&line, ifindex);
	line_add(&line, " %s position %u name %s tag", direction, position, info.name);
	line_add_bytes(&line, info.tag, sizeof(info.tag));
	lines_add(&state->lines, line.text);
	return 0;
}

static int query_tcx(struct netstate *state, int ifindex, uint32_t type, const char *direction)
{
	uint32_t ids[TCX_PROGRAMS];
	union bpf_attr attr;
	int err;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_ifindex = ifindex;
	attr.query.attach_type = type;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = TCX_PROGRAMS;
	err = bpf(BPF_PROG_QUERY, &attr);
	/* Kernels before 6.6 do not know the attach type, some nothing of BPF. */
	if (err == -EINVAL || err == -ENOSYS)
		return 0;
	for (unsigned int i = 0; !err && i < attr.query.prog_cnt; i++)
		err = add_tcx_program(state, ifindex, direction, i, ids[i]);
	if (err)
		fprintf(stderr, "netstate: TCX %s: %s\n", direction, strerror(-err));
	return err;
}

static int query_links(struct netstate *state)
{
	const struct ifinfomsg every = { .ifi_family = AF_UNSPEC };

	if (dump(state, RTM_GETLINK, &every, sizeof(every), add_link))
		return EXIT_NO;
	for (size_t i = 0; i < state->links_count; i++) {
		if (query_tcx(state, state->links[i], BPF_TCX_INGRESS, "ingress") ||
		    query_tcx(state, state->links[i], BPF_TCX_EGRESS, "egress"))
			return EXIT_NO;
	}
	return EXIT_OK;
}

/* name is net.ipv4.ip_forward, net/ipv4/ip_forward or a path from the root. */
static int add_sysctl(struct netstate *state, const char *name)
{
	char path[256], value[256];
	struct line line = { .size = 0 };
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : "/proc/sys/", name);
	/* As sysctl(8): with a slash in it, a dot is an interface name's. */
	if (!strchr(name, '/')) {
		for (char *at = path; *at; at++)
			*at = *at == '.' ? '/' : *at;
	}
	file = fopen(path, "re");
	if (!file) {
		fprintf(stderr, "netstate: %s: %s\n", path, strerror(errno));
		return EXIT_NO;
	}
	size = fread(value, 1, sizeof(value) - 1, file);
	fclose(file);
	value[size] = '\0';
	value[strcspn(value, "\n")] = '\0';
	line_add(&line, "sysctl %s = %s", name, value);
	lines_add(&state->lines, line.text);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct netstate state;

	state.socket = mnl_socket_open(NETLINK_ROUTE);
	if (!state.socket || mnl_socket_bind(state.socket, 0, MNL_SOCKET_AUTOPID)) {
		perror("netstate: netlink");
		return EXIT_NO;
	}
	if (dump_family(&state, AF_INET) || dump_family(&state, AF_INET6) || dump_traffic_control(&state) ||
	    query_links(&state) || dump_tables(&state))
		return EXIT_NO;
	for (int i = 1; i < argc; i++) {
		if (add_sysctl(&state, argv[i]))
			return EXIT_NO;
	}
	qsort(state.lines.items, state.lines.count, sizeof(*state.lines.items), line_compare);
	for (size_t i = 0; i < state.lines.count; i++)
		puts(state.lines.items[i]);
	lines_cut(&state.lines, 0);
	free(state.lines.items);
	free(state.links);
	free(state.parents);
	mnl_socket_close(state.socket);
	return fflush(stdout) ? EXIT_NO : EXIT_OK;
}
