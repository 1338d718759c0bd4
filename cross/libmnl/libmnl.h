/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink messages: the part of libmnl's interface that this project calls, with libmnl's names and meaning, so that
 * the sources build against either. It stands in for libmnl because not every mirror that serves the other tarballs
 * has libmnl's.
 */
#ifndef LIBMNL_H
#define LIBMNL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define MNL_SOCKET_AUTOPID     0
#define MNL_SOCKET_BUFFER_SIZE 8192
#define MNL_SOCKET_DUMP_SIZE   32768
#define MNL_ALIGNTO	       4
#define MNL_ALIGN(len)	       (((len) + MNL_ALIGNTO - 1) & ~(MNL_ALIGNTO - 1))
#define MNL_NLMSG_HDRLEN       MNL_ALIGN(sizeof(struct nlmsghdr))
#define MNL_ATTR_HDRLEN	       MNL_ALIGN(sizeof(struct nlattr))

enum mnl_attr_data_type {
	MNL_TYPE_UNSPEC,
	MNL_TYPE_U8,
	MNL_TYPE_U16,
	MNL_TYPE_U32,
	MNL_TYPE_U64,
	MNL_TYPE_STRING,
	MNL_TYPE_FLAG,
	MNL_TYPE_MSECS,
	MNL_TYPE_NESTED,
	MNL_TYPE_NESTED_COMPAT,
	MNL_TYPE_NUL_STRING,
	MNL_TYPE_BINARY,
	MNL_TYPE_MAX,
};

#define MNL_CB_ERROR -1
#define MNL_CB_STOP  0
#define MNL_CB_OK    1

struct mnl_socket;

/* Sockets. Pointers are NULL and numbers -1 on failure, with errno set. */
struct mnl_socket *mnl_socket_open(int bus);
struct mnl_socket *mnl_socket_open2(int bus, int flags);
int mnl_socket_bind(struct mnl_socket *socket, unsigned int groups, pid_t pid);
int mnl_socket_close(struct mnl_socket *socket);
int mnl_socket_get_fd(const struct mnl_socket *socket);
unsigned int mnl_socket_get_portid(const struct mnl_socket *socket);
ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *message, size_t length);
/* What does not fit is an error (ENOSPC), and so is a sender other than the kernel (ESRCH). */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t size);
int mnl_socket_setsockopt(const struct mnl_socket *socket, int type, void *value, socklen_t length);

/* Messages. buffer has room for what is put into it; the length of the message grows with each put. */
size_t mnl_nlmsg_size(size_t payload);
struct nlmsghdr *mnl_nlmsg_put_header(void *buffer);
void *mnl_nlmsg_put_extra_header(struct nlmsghdr *message, size_t size);
void *mnl_nlmsg_get_payload(const struct nlmsghdr *message);
size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *message);
void *mnl_nlmsg_get_payload_offset(const struct nlmsghdr *message, size_t offset);
void *mnl_nlmsg_get_payload_tail(const struct nlmsghdr *message);
bool mnl_nlmsg_ok(const struct nlmsghdr *message, int length);
struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *message, int *length);

/* Attributes: put at the message's end, and looked at. */
void mnl_attr_put(struct nlmsghdr *message, uint16_t type, size_t length, const void *data);
void mnl_attr_put_u8(struct nlmsghdr *message, uint16_t type, uint8_t value);
void mnl_attr_put_u16(struct nlmsghdr *message, uint16_t type, uint16_t value);
void mnl_attr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value);
void mnl_attr_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t value);
void mnl_attr_put_str(struct nlmsghdr *message, uint16_t type, const char *text);
void mnl_attr_put_strz(struct nlmsghdr *message, uint16_t type, const char *text);
struct nlattr *mnl_attr_nest_start(struct nlmsghdr *message, uint16_t type);
void mnl_attr_nest_end(struct nlmsghdr *message, struct nlattr *start);

uint16_t mnl_attr_get_type(const struct nlattr *attr);
uint16_t mnl_attr_get_len(const struct nlattr *attr);
uint16_t mnl_attr_get_payload_len(const struct nlattr *attr);
void *mnl_attr_get_payload(const struct nlattr *attr);
uint8_t mnl_attr_get_u8(const struct nlattr *attr);
uint16_t mnl_attr_get_u16(const struct nlattr *attr);
uint32_t mnl_attr_get_u32(const struct nlattr *attr);
uint64_t mnl_attr_get_u64(const struct nlattr *attr);
const char *mnl_attr_get_str(const struct nlattr *attr);
bool mnl_attr_ok(const struct nlattr *attr, int length);
struct nlattr *mnl_attr_next(const struct nlattr *attr);
/* 1 if type is not above max, else -1 with errno EOPNOTSUPP. */
int mnl_attr_type_valid(const struct nlattr *attr, uint16_t max);
/* 0 if the payload has the length that a type asks for, and the NUL at its end; else -1 with errno ERANGE or EINVAL. */
int mnl_attr_validate(const struct nlattr *attr, enum mnl_attr_data_type type);

/* Ends where the message does, not at the next multiple of four as libmnl's: a message may be the last in its memory. */
#define mnl_attr_for_each(attr, message, offset)                                                                \
	for ((attr) = mnl_nlmsg_get_payload_offset((message), (offset));                                        \
	     mnl_attr_ok((attr), (int)((const char *)(message) + (message)->nlmsg_len - (const char *)(attr))); \
	     (attr) = mnl_attr_next(attr))

#define mnl_attr_for_each_nested(attr, nest)                                                                    \
	for ((attr) = mnl_attr_get_payload(nest);                                                               \
	     mnl_attr_ok((attr),                                                                                \
			 (char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest) - (char *)(attr)); \
	     (attr) = mnl_attr_next(attr))

typedef int (*mnl_attr_cb_t)(const struct nlattr *attr, void *data);
int mnl_attr_parse(const struct nlmsghdr *message, unsigned int offset, mnl_attr_cb_t cb, void *data);
int mnl_attr_parse_nested(const struct nlattr *nest, mnl_attr_cb_t cb, void *data);

typedef int (*mnl_cb_t)(const struct nlmsghdr *message, void *data);
/*
 * Calls cb for each message of the answer to request seq of port portid (0: of any). MNL_CB_OK: more may come,
 * MNL_CB_STOP: that was all, MNL_CB_ERROR: errno has the kernel's error, or that of an answer to another (ESRCH,
 * EPROTO) or of an interrupted dump (EINTR).
 */
int mnl_cb_run(const void *buffer, size_t length, unsigned int seq, unsigned int portid, mnl_cb_t cb, void *data);
/* The same with the caller's functions for NLMSG_ERROR and its like: control[type], NULL for what is done else. */
int mnl_cb_run2(const void *buffer, size_t length, unsigned int seq, unsigned int portid, mnl_cb_t cb, void *data,
		mnl_cb_t *control, unsigned int controls);

#endif
