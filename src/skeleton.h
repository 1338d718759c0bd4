/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF objects are compressed in the binary (bpf/skeleton); the skeletons call this when they are opened. */
#ifndef SKELETON_H
#define SKELETON_H

#include <stddef.h>

/*
 * packed is a gzip file of packed_size bytes that holds size bytes. Returns those, aligned for any type, valid until
 * the next call; NULL if they are damaged or memory is short, which libbpf then reports as an object it cannot open.
 */
const void *skeleton_unpack(const void *packed, size_t packed_size, size_t size);

#endif
