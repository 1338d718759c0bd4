// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink messages: see libmnl.h. Names and meaning are libmnl's, the code is not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

struct mnl_socket {
	int fd;
	struct sockaddr_nl addr;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *socket_ = calloc(1, sizeof(*socket_));

	if (!socket_)
		return NULL;
	socket_->fd = socket(AF_NETLINK, SOCK_RAW | flags, bus);
	if (socket_->fd < 0) {
		free(socket_);
		return NULL;
	}
	return socket_;
}

struct mnl_socket *mnl_socket_open(int bus)
{
	return mnl_socket_open2(bus, 0);
}

int mnl_socket_bind(struct mnl_socket *socket_, unsigned int groups, pid_t pid)
{
	socklen_t length = sizeof(socket_->addr);

	socket_->addr = (struct sockaddr_nl){
		.nl_family = AF_NETLINK,
		.nl_pid = (unsigned int)pid,
		.nl_groups = groups,
	};
	if (bind(socket_->fd, (struct sockaddr *)&socket_->addr, sizeof(socket_->addr)))
		return -1;
	return getsockname(socket_->fd, (struct sockaddr *)&socket_->addr, &length);
}

int mnl_socket_close(struct mnl_socket *socket_)
{
	int ret = close(socket_->fd);

	free(socket_);
	return ret;
}

int mnl_socket_get_fd(const struct mnl_socket *socket_)
{
	return socket_->fd;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *socket_)
{
	return socket_->addr.nl_pid;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket_, const void *message, size_t length)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(socket_->fd, message, length, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *socket_, void *buffer, size_t size)
{
	struct sockaddr_nl from;
	struct iovec part = { .iov_base = buffer, .iov_len = size };
	struct msghdr header = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t ret = recvmsg(socket_->fd, &header, 0);

	if (ret < 0)
		return ret;
	if (header.msg_flags & MSG_TRUNC) {
		errno = ENOSPC;
		return -1;
	}
	if (header.msg_namelen != sizeof(from) || from.nl_pid != 0) {
		errno = ESRCH;
		return -1;
	}
	return ret;
}

int mnl_socket_setsockopt(const struct mnl_socket *socket_, int type, void *value, socklen_t length)
{
	return setsockopt(socket_->fd, SOL_NETLINK, type, value, length);
}

size_t mnl_nlmsg_size(size_t payload)
{
	return MNL_NLMSG_HDRLEN + payload;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buffer)
{
	struct nlmsghdr *message = buffer;

	memset(message, 0, MNL_NLMSG_HDRLEN);
	message->nlmsg_len = MNL_NLMSG_HDRLEN;
	return message;
}

/* A zeroed stretch of size bytes at the message's end. */
static void *message_extend(struct nlmsghdr *message, size_t size)
{
	void *tail = mnl_nlmsg_get_payload_tail(message);

	memset(tail, 0, MNL_ALIGN(size));
	message->nlmsg_len = MNL_ALIGN(message->nlmsg_len) + MNL_ALIGN(size);
	return tail;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *message, size_t size)
{
	return message_extend(message, size);
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *message)
{
	return mnl_nlmsg_get_payload_offset(message, 0);
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *message)
{
	return message->nlmsg_len - MNL_NLMSG_HDRLEN;
}

void *mnl_nlmsg_get_payload_offset(const struct nlmsghdr *message, size_t offset)
{
	return (char *)(uintptr_t)message + MNL_NLMSG_HDRLEN + MNL_ALIGN(offset);
}

void *mnl_nlmsg_get_payload_tail(const struct nlmsghdr *message)
{
	return (char *)(uintptr_t)message + MNL_ALIGN(message->nlmsg_len);
}

bool mnl_nlmsg_ok(const struct nlmsghdr *message, int length)
{
	return length >= (int)sizeof(*message) && message->nlmsg_len >= sizeof(*message) &&
	       message->nlmsg_len <= (unsigned int)length;
}

struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *message, int *length)
{
	*length -= (int)MNL_ALIGN(message->nlmsg_len);
	return mnl_nlmsg_get_payload_tail(message);
}

void mnl_attr_put(struct nlmsghdr *message, uint16_t type, size_t length, const void *data)
{
	struct nlattr *attr = message_extend(message, MNL_ATTR_HDRLEN + length);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(MNL_ATTR_HDRLEN + length);
	if (length)
		memcpy(mnl_attr_get_payload(attr), data, length);
}

void mnl_attr_put_u8(struct nlmsghdr *message, uint16_t type, uint8_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_u16(struct nlmsghdr *message, uint16_t type, uint16_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_str(struct nlmsghdr *message, uint16_t type, const char *text)
{
	mnl_attr_put(message, type, strlen(text), text);
}

void mnl_attr_put_strz(struct nlmsghdr *message, uint16_t type, const char *text)
{
	mnl_attr_put(message, type, strlen(text) + 1, text);
}

struct nlattr *mnl_attr_nest_start(struct nlmsghdr *message, uint16_t type)
{
	struct nlattr *start = message_extend(message, MNL_ATTR_HDRLEN);

	start->nla_type = NLA_F_NESTED | type;
	return start;
}

void mnl_attr_nest_end(struct nlmsghdr *message, struct nlattr *start)
{
	start->nla_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(message) - (char *)start);
}

uint16_t mnl_attr_get_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_len(const struct nlattr *attr)
{
	return attr->nla_len;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attr)
{
	return (uint16_t)(attr->nla_len - MNL_ATTR_HDRLEN);
}

void *mnl_attr_get_payload(const struct nlattr *attr)
{
	return (char *)(uintptr_t)attr + MNL_ATTR_HDRLEN;
}

uint8_t mnl_attr_get_u8(const struct nlattr *attr)
{
	return *(const uint8_t *)mnl_attr_get_payload(attr);
}

uint16_t mnl_attr_get_u16(const struct nlattr *attr)
{
	return *(const uint16_t *)mnl_attr_get_payload(attr);
}

uint32_t mnl_attr_get_u32(const struct nlattr *attr)
{
	return *(const uint32_t *)mnl_attr_get_payload(attr);
}

uint64_t mnl_attr_get_u64(const struct nlattr *attr)
{
	uint64_t value; /* attributes are aligned to 4 bytes only */

	memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
	return value;
}

const char *mnl_attr_get_str(const struct nlattr *attr)
{
	return mnl_attr_get_payload(attr);
}

bool mnl_attr_ok(const struct nlattr *attr, int length)
{
	return length >= (int)MNL_ATTR_HDRLEN && attr->nla_len >= MNL_ATTR_HDRLEN && attr->nla_len <= length;
}

struct nlattr *mnl_attr_next(const struct nlattr *attr)
{
	return (struct nlattr *)((char *)(uintptr_t)attr + MNL_ALIGN(attr->nla_len));
}

int mnl_attr_type_valid(const struct nlattr *attr, uint16_t max)
{
	if (mnl_attr_get_type(attr) <= max)
		return 1;
	errno = EOPNOTSUPP;
	return -1;
}

int mnl_attr_validate(const struct nlattr *attr, enum mnl_attr_data_type type)
{
	static const uint8_t sizes[MNL_TYPE_MAX] = {
		[MNL_TYPE_U8] = 1, [MNL_TYPE_U16] = 2, [MNL_TYPE_U32] = 4, [MNL_TYPE_U64] = 8, [MNL_TYPE_MSECS] = 8,
	};
	const uint16_t length = mnl_attr_get_payload_len(attr);

	errno = 0;
	if (type >= MNL_TYPE_MAX)
		errno = EINVAL;
	else if (sizes[type] ? length != sizes[type] : type == MNL_TYPE_FLAG && length)
		errno = ERANGE;
	else if (type == MNL_TYPE_NUL_STRING && (!length || mnl_attr_get_str(attr)[length - 1]))
		errno = EINVAL;
	return errno ? -1 : 0;
}

int mnl_attr_parse(const struct nlmsghdr *message, unsigned int offset, mnl_attr_cb_t cb, void *data)
{
	const struct nlattr *attr;
	int ret = MNL_CB_OK;

	mnl_attr_for_each(attr, message, offset) {
		ret = cb(attr, data);
		if (ret <= MNL_CB_STOP)
			break;
	}
	return ret;
}

int mnl_attr_parse_nested(const struct nlattr *nest, mnl_attr_cb_t cb, void *data)
{
	const struct nlattr *attr;
	int ret = MNL_CB_OK;

	mnl_attr_for_each_nested(attr, nest) {
		ret = cb(attr, data);
		if (ret <= MNL_CB_STOP)
			break;
	}
	return ret;
}

/* NLMSG_ERROR: an error of 0 is the acknowledgement that the request asked for. */
static int message_error(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	errno = error->error < 0 ? -error->error : error->error;
	return errno ? MNL_CB_ERROR : MNL_CB_STOP;
}

static int message_dispatch(const struct nlmsghdr *message, mnl_cb_t cb, void *data, mnl_cb_t *control,
			    unsigned int controls)
{
	if (message->nlmsg_type < controls && control[message->nlmsg_type])
		return control[message->nlmsg_type](message, data);
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return MNL_CB_OK;
	case NLMSG_ERROR:
		return message_error(message);
	case NLMSG_DONE:
		return MNL_CB_STOP;
	case NLMSG_OVERRUN:
		errno = EOVERFLOW;
		return MNL_CB_ERROR;
	default:
		return cb ? cb(message, data) : MNL_CB_OK;
	}
}

int mnl_cb_run2(const void *buffer, size_t length, unsigned int seq, unsigned int portid, mnl_cb_t cb, void *data,
		mnl_cb_t *control, unsigned int controls)
{
	const struct nlmsghdr *message = buffer;
	int left = (int)length;
	int ret = MNL_CB_OK;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (portid && message->nlmsg_pid && message->nlmsg_pid != portid) {
			errno = ESRCH;
			return MNL_CB_ERROR;
		}
		if (seq && message->nlmsg_seq && message->nlmsg_seq != seq) {
			errno = EPROTO;
			return MNL_CB_ERROR;
		}
		if (message->nlmsg_flags & NLM_F_DUMP_INTR) {
			errno = EINTR;
			return MNL_CB_ERROR;
		}
		ret = message_dispatch(message, cb, data, control, controls);
		if (ret <= MNL_CB_STOP)
			return ret;
	}
	return ret;
}

int mnl_cb_run(const void *buffer, size_t length, unsigned int seq, unsigned int portid, mnl_cb_t cb, void *data)
{
	return mnl_cb_run2(buffer, length, seq, portid, cb, data, NULL, 0);
}
