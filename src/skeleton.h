/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF objects are compressed in the binary (bpf/skeleton); the skeletons call this when they are opened. */
#ifndef SKELETON_H
#define SKELETON_H

#include <stddef.h>

/*
 * packed is a deflate stream of packed_size bytes that holds size bytes (RFC 1951, without gzip's header and checksum, whose
 * tables would take 8 KB). Returns those, aligned for any type, valid until the next call; NULL if they are not as many
 * or memory is short, which libbpf then reports as an object it cannot open.
 */
const void *skeleton_unpack(const void *packed, size_t packed_size, size_t size);

#endif
