# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of riscv64: plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := riscv64-linux-gnu
TOOLCHAIN_PACKAGES := gcc-riscv64-linux-gnu linux-libc-dev-riscv64-cross
MUSL_ARCH := riscv64
ARCH_CFLAGS :=
ARCH_LDFLAGS :=

# the machine it is tested on
DEBIAN_ARCH := riscv64
DEBIAN_SUITE := trixie
KERNEL_PACKAGE := linux-image-riscv64
QEMU := qemu-system-riscv64
QEMU_PACKAGE := qemu-system-misc
QEMU_MACHINE := virt
QEMU_CPU := rv64
CONSOLE := ttyS0
# does its kernel compile our BPF programs?
JIT := yes
# of the test matrix; qemu-tests/kernels finds them
KERNELS := 6.12
