// SPDX-License-Identifier: GPL-2.0-or-later
/* See attachment.h. */
#include "attachment.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "pins.h"
#include "qdisc.h"

/* Where our filters stand in clsact: in front of whatever shapes or redirects. */
enum { FILTER_PRIORITY = 1, HANDLE_OWNS_QDISC = 0x10000, REMOVE_TRIES = 3 };

static const struct {
	enum bpf_tc_attach_point point;
	const char *name;
	const char *filter_name; /* libbpf's: the program's name and its number */
	enum bpf_attach_type tcx;
	const char *pin;
} directions[NAT_DIRECTIONS] = {
	[NAT_EGRESS] = { BPF_TC_EGRESS, "egress", "nat_egress:[", BPF_TCX_EGRESS, "link_egress" },
	[NAT_INGRESS] = { BPF_TC_INGRESS, "ingress", "nat_ingress:[", BPF_TCX_INGRESS, "link_ingress" },
};

/* Inwards first: no packet leaves translated whose answer could not come in. */
static const enum nat_direction attach_order[NAT_DIRECTIONS] = { NAT_INGRESS, NAT_EGRESS };

static uint32_t family_handle(int family)
{
	return family == AF_INET ? 0xe1a4 : 0xe1a6;
}

/* What hangs on the clsact qdisc. */
struct filters {
	int family;
	int count;
	bool have_ours;			     /* with HANDLE_OWNS_QDISC, of either family */
	uint32_t handles[NAT_DIRECTIONS][2]; /* the family's, without and with HANDLE_OWNS_QDISC; 0: not there */
};

static void filter_seen(const struct qdisc_filter *filter, void *arg)
{
	const enum nat_direction direction = filter->is_egress ? NAT_EGRESS : NAT_INGRESS;
	const char *name = directions[direction].filter_name;
	const uint32_t handle = filter->handle & ~(uint32_t)HANDLE_OWNS_QDISC;
	const bool owns = filter->handle != handle;
	struct filters *filters = arg;

	filters->count++;
	if (filter->priority != FILTER_PRIORITY || strncmp(filter->bpf_name, name, strlen(name)) != 0)
		return;
	if (handle != family_handle(AF_INET) && handle != family_handle(AF_INET6))
		return;
	filters->have_ours = filters->have_ours || owns;
	if (handle == family_handle(filters->family))
		filters->handles[direction][owns] = filter->handle;
}

static int filters_find(struct filters *filters, int ifindex, int family)
{
	*filters = (struct filters){ .family = family };
	return qdisc_list_filters(ifindex, filter_seen, filters);
}

/* 0, too, if it is gone already: the filter, its qdisc (EINVAL) or the interface. */
static int filter_delete(int ifindex, enum nat_direction direction, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = directions[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = FILTER_PRIORITY);
	int err = handle ? bpf_tc_detach(&hook, &opts) : 0;

	return err == -ENOENT || err == -EINVAL || err == -ENODEV ? 0 : err;
}

/* Removes our clsact qdisc if nothing hangs on it any more. */
static int qdisc_remove(int ifindex, int family)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct filters filters;
	int err = filters_find(&filters, ifindex, family);

	if (!err && !filters.count)
		err = bpf_tc_hook_destroy(&hook);
	return err == -ENOENT || err == -EINVAL || err == -ENODEV ? 0 : err;
}

int attachment_clean(int ifindex, int family, unsigned int *removed)
{
	struct filters filters;
	int err, i, owns, gone = 0;
	uint32_t handle;

	err = filters_find(&filters, ifindex, family);
	for (i = NAT_DIRECTIONS - 1; !err && i >= 0; i--) {
		for (owns = 0; !err && owns < 2; owns++) {
			handle = filters.handles[attach_order[i]][owns];
			err = filter_delete(ifindex, attach_order[i], handle);
			gone += !err && handle;
		}
	}
	if (removed)
		*removed += (unsigned int)gone;
	return !err && gone && filters.have_ours ? qdisc_remove(ifindex, family) : err;
}

/* The link that an earlier daemon has pinned, if it hangs on this very device; else NULL, and no pin is left. */
static struct bpf_link *link_find(const struct attachment *attachment, enum nat_direction direction)
{
	int fd = attachment->pins ? pins_get(attachment->pins, directions[direction].pin) : -ENOENT;
	struct bpf_link_info info = { 0 };
	struct bpf_link *link = NULL;
	__u32 size = sizeof(info);
	char path[PINS_PATH];

	if (fd < 0)
		return NULL;
	if (!bpf_link_get_info_by_fd(fd, &info, &size) && info.type == BPF_LINK_TYPE_TCX &&
	    (int)info.tcx.ifindex == attachment->ifindex && info.tcx.attach_type == directions[direction].tcx &&
	    pins_path(path, attachment->pins, directions[direction].pin) == 0)
		link = bpf_link__open(path);
	close(fd);
	if (link && bpf_link__update_program(link, attachment->programs[direction])) {
		bpf_link__destroy(link);
		link = NULL;
	}
	if (!link)
		pins_drop(attachment->pins, directions[direction].pin);
	return link;
}

static int attach_tcx(struct attachment *attachment, enum nat_direction direction)
{
	struct bpf_link *link = link_find(attachment, direction);
	int err = 0;

	if (!link) {
		link = bpf_program__attach_tcx(attachment->programs[direction], attachment->ifindex, NULL);
		err = link ? 0 : -errno;
		if (link && attachment->keep)
			err = pins_put(attachment->pins, directions[direction].pin, bpf_link__fd(link));
	}
	attachment->links[direction] = link;
	return err;
}

/* Without the pins, links of ours go with this process, and those of an earlier one at once. */
static void links_unpin(const struct attachment *attachment)
{
	for (int i = 0; attachment->pins && i < NAT_DIRECTIONS; i++)
		pins_drop(attachment->pins, directions[i].pin);
}

/* -EBUSY: an `ingress` qdisc is in the way; -EEXIST: a filter that has our handle is not ours. */
static int attach_clsact(struct attachment *attachment, enum nat_direction direction)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = attachment->ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = family_handle(attachment->family), .priority = FILTER_PRIORITY,
		    .prog_fd = bpf_program__fd(attachment->programs[direction]));
	struct filters filters;
	int err;

	err = bpf_tc_hook_create(&hook);
	if (!err)
		attachment->owns_qdisc = true;
	else if (err != -EEXIST)
		return err;
	else if (qdisc_is_ingress_only(attachment->ifindex) > 0)
		return -EBUSY;
	err = filters_find(&filters, attachment->ifindex, attachment->family);
	if (err)
		return err;
	attachment->owns_qdisc = attachment->owns_qdisc || filters.have_ours;
	if (attachment->owns_qdisc)
		opts.handle |= HANDLE_OWNS_QDISC;
	if (filters.handles[direction][attachment->owns_qdisc])
		opts.flags = BPF_TC_F_REPLACE;
	hook.attach_point = directions[direction].point;
	err = bpf_tc_attach(&hook, &opts);
	if (err)
		return err;
	attachment->handles[direction] = opts.handle;
	return filter_delete(attachment->ifindex, direction, filters.handles[direction][!attachment->owns_qdisc]);
}

static void attach_failed(const struct attachment *attachment, enum nat_direction direction, int err)
{
	const char *ifname = attachment->ifname, *name = directions[direction].name;

	if (err == -ENODEV)
		return;
	if (err == -EPERM)
		log_error("%s: attach %s: no permission (CAP_NET_ADMIN is needed)", ifname, name);
	else if (err == -EBUSY)
		log_error("%s: attach %s: an `ingress` qdisc is in the way: tc qdisc replace dev %s clsact, first",
			  ifname, name, ifname);
	else if (err == -EEXIST)
		log_error("%s: attach %s: a filter that is not ours is in the way: tc filter show dev %s %s", ifname,
			  name, ifname, name);
	else if (err == -ENOENT || err == -EOPNOTSUPP)
		log_error(
			"%s: attach %s: this kernel lacks the clsact qdisc or the bpf classifier (on OpenWrt: kmod-sched-core, kmod-sched-bpf)",
			ifname, name);
	else
		log_error("%s: attach %s: %s", ifname, name, strerror(-err));
}

static int attach_both(struct attachment *attachment,
		       int (*attach)(struct attachment *attachment, enum nat_direction direction),
		       enum nat_direction *failed)
{
	int err = 0, i;

	for (i = 0; !err && i < NAT_DIRECTIONS; i++) {
		*failed = attach_order[i];
		err = attach(attachment, *failed);
	}
	return err;
}

int attachment_make(struct attachment *attachment, bool prefer_tcx)
{
	enum nat_direction failed;
	int err;

	err = prefer_tcx ? attach_both(attachment, attach_tcx, &failed) : -EINVAL;
	attachment->by_tcx = !err;
	if (err == -EINVAL || err == -EOPNOTSUPP) /* no TCX before 6.6 */
		err = attach_both(attachment, attach_clsact, &failed);
	else if (!err) /* after a kernel without TCX, or a daemon that was told not to use it */
		err = attachment_clean(attachment->ifindex, attachment->family, NULL);
	if (!err && (!attachment->keep || !attachment->links[NAT_EGRESS]))
		links_unpin(attachment);
	if (!err)
		return 0;
	attach_failed(attachment, failed, err);
	attachment_remove(attachment);
	return err;
}

/* Does the link hang on the device still? One that was deleted, or detached by force, leaves it on none. */
static bool link_hangs(const struct attachment *attachment, enum nat_direction direction)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);

	return attachment->links[direction] &&
	       (bpf_link_get_info_by_fd(bpf_link__fd(attachment->links[direction]), &info, &size) ||
		(int)info.tcx.ifindex == attachment->ifindex);
}

/* Returns 0 where it hangs, 1 if it does again, or -errno. */
static int link_keep(struct attachment *attachment, enum nat_direction direction)
{
	int err;

	if (link_hangs(attachment, direction))
		return 0;
	if (attachment->keep)
		pins_drop(attachment->pins, directions[direction].pin);
	bpf_link__destroy(attachment->links[direction]);
	attachment->links[direction] = NULL;
	err = attach_tcx(attachment, direction);
	return err ? err : 1;
}

/* A clsact qdisc that somebody removed took our filters with it. The same result. */
static int filter_keep(struct attachment *attachment, enum nat_direction direction)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = attachment->ifindex, .attach_point = directions[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = attachment->handles[direction], .priority = FILTER_PRIORITY);
	int err = opts.handle ? bpf_tc_query(&hook, &opts) : 0;

	if (!err || err == -ENODEV)
		return err;
	attachment->owns_qdisc = false; /* until seen: this may be another than the one that we made */
	err = attach_clsact(attachment, direction);
	return err ? err : 1;
}

/* Without the programs internal addresses would leave. */
void attachment_keep(struct attachment *attachment)
{
	bool is_failing = false;
	int i, done;

	for (i = 0; i < NAT_DIRECTIONS; i++) {
		const enum nat_direction direction = attach_order[i];

		done = attachment->by_tcx ? link_keep(attachment, direction) : filter_keep(attachment, direction);
		if (done > 0)
			log_warning("%s: the %s program was gone: attached again", attachment->ifname,
				    directions[direction].name);
		if (done < 0 && done != -ENODEV) {
			if (!attachment->is_repairing && !is_failing)
				attach_failed(attachment, direction, done);
			is_failing = true;
		}
	}
	attachment->is_repairing = is_failing;
}

static int filters_remove(struct attachment *attachment)
{
	int i, err = 0;

	for (i = NAT_DIRECTIONS - 1; !err && i >= 0; i--) {
		err = filter_delete(attachment->ifindex, attach_order[i], attachment->handles[attach_order[i]]);
		if (!err)
			attachment->handles[attach_order[i]] = 0;
	}
	if (!err && attachment->owns_qdisc)
		err = qdisc_remove(attachment->ifindex, attachment->family);
	if (!err)
		attachment->owns_qdisc = false;
	return err;
}

void attachment_remove(struct attachment *attachment)
{
	int tries = 0, err, i;

	attachment->by_tcx = false;
	for (i = NAT_DIRECTIONS - 1; i >= 0; i--) {
		if (attachment->links[attach_order[i]] && attachment->keep)
			pins_drop(attachment->pins, directions[attach_order[i]].pin);
		bpf_link__destroy(attachment->links[attach_order[i]]);
		attachment->links[attach_order[i]] = NULL;
	}
	/* Whatever kept it from working may be over, and nobody will come after us. */
	while ((err = filters_remove(attachment)) && ++tries < REMOVE_TRIES)
		;
	if (err)
		log_error("%s: detach: %s", attachment->ifname, strerror(-err));
}

void attachment_leave(struct attachment *attachment)
{
	for (int i = 0; i < NAT_DIRECTIONS; i++) {
		bpf_link__destroy(attachment->links[i]); /* of a pinned one, it closes the descriptor */
		attachment->links[i] = NULL;
		attachment->handles[i] = 0;
	}
	attachment->owns_qdisc = attachment->by_tcx = false;
}

/* Puts one of heir's programs where one of ours is, or the other way round if the heir has it already. */
static int program_exchange(const struct attachment *attachment, struct bpf_program *program,
			    enum nat_direction direction)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = attachment->ifindex, .attach_point = directions[direction].point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = attachment->handles[direction], .priority = FILTER_PRIORITY,
		    .prog_fd = bpf_program__fd(program), .flags = BPF_TC_F_REPLACE);

	if (attachment->links[direction])
		return bpf_link__update_program(attachment->links[direction], program);
	return opts.handle ? bpf_tc_attach(&hook, &opts) : 0;
}

int attachment_bequeath(struct attachment *attachment, struct attachment *heir)
{
	int err = 0, i;

	for (i = 0; i < NAT_DIRECTIONS && !err; i++)
		err = program_exchange(attachment, heir->programs[attach_order[i]], attach_order[i]);
	if (err) { /* the last one is as it was */
		for (i -= 2; i >= 0; i--)
			program_exchange(attachment, attachment->programs[attach_order[i]], attach_order[i]);
		return err;
	}
	for (i = 0; i < NAT_DIRECTIONS; i++) {
		heir->links[i] = attachment->links[i];
		heir->handles[i] = attachment->handles[i];
		attachment->links[i] = NULL;
		attachment->handles[i] = 0;
	}
	heir->owns_qdisc = attachment->owns_qdisc;
	heir->by_tcx = attachment->by_tcx;
	attachment->owns_qdisc = false;
	return 0;
}

const char *attachment_hook(const struct attachment *attachment)
{
	return attachment->by_tcx ? "tcx" : "clsact";
}
