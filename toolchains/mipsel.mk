# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of mipsel, 32-bit little-endian MIPS (r2): plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := mipsel-linux-gnu
TOOLCHAIN_PACKAGES := gcc-mipsel-linux-gnu linux-libc-dev-mipsel-cross
MUSL_ARCH := mips
ARCH_CFLAGS :=
# no MIPS kernel of a router has pages of 64 KB, and padding to them costs 49 KB
ARCH_LDFLAGS := -Wl,-z,max-page-size=16384

# the machine it is tested on; Debian's kernel for it has no BTF
DEBIAN_ARCH := mipsel
DEBIAN_SUITE := bookworm
KERNEL_PACKAGE := linux-image-4kc-malta
QEMU := qemu-system-mipsel
QEMU_PACKAGE := qemu-system-mips
QEMU_MACHINE := malta
QEMU_CPU := 24Kf
# routers' CPUs have no floating point unit
QEMU_USER := qemu-mipsel-static
QEMU_USER_CPU := -cpu 24Kc
CONSOLE := ttyS0
BOOT_WORDS :=
# does its kernel compile BPF programs unless told otherwise?
JIT := no
# qemu-tests/kernels finds them. make test-kernels: with all scenarios, and with the router alone
KERNELS_TEST :=
KERNELS :=
KERNELS_ALONE := 6.1 6.1+jit
