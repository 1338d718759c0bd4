# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of armhf, 32-bit ARM v7 with VFP: plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := arm-linux-gnueabihf
TOOLCHAIN_PACKAGES := gcc-arm-linux-gnueabihf linux-libc-dev-armhf-cross
MUSL_ARCH := arm
ARCH_CFLAGS :=
ARCH_LDFLAGS :=

# the machine it is tested on; Debian's kernels for it have no BTF
DEBIAN_ARCH := armhf
DEBIAN_SUITE := bookworm
KERNEL_PACKAGE := linux-image-armmp
QEMU := qemu-system-arm
QEMU_PACKAGE := qemu-system-arm
# highmem=off: without LPAE the kernel does not see the PCI host's registers above 4 GB
QEMU_MACHINE := virt,highmem=off
QEMU_CPU := cortex-a15
QEMU_USER := qemu-arm-static
CONSOLE := ttyAMA0
BOOT_WORDS :=
# does its kernel compile BPF programs unless told otherwise?
JIT := no
# qemu-tests/kernels finds them. make test-kernels: with all scenarios, and with the router alone
KERNELS_TEST :=
KERNELS :=
KERNELS_ALONE := 6.1 6.1+jit 5.10 6.12
