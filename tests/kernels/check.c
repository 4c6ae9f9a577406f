/* SPDX-License-Identifier: MIT
 *
 * check.c — Failures, and memory between pages that must not be touched. */
#include "check.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(1);
}

int one_in(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 1;
    check(n > 0 && n % 2 && n % 7);
    return n;
}

bool fails(void (*test)(void *ctx), void *ctx)
{
    fflush(NULL);
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &none);
        test(ctx);
        _exit(0);
    }
    int status;
    check(waitpid(child, &status, 0) == child);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t whole_pages(size_t n)
{
    return (n + page_bytes() - 1) / page_bytes() * page_bytes();
}

void *take_at_begin(size_t n)
{
    size_t page = page_bytes(), bytes = whole_pages(n);
    char *p = mmap(NULL, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(n > 0 && p != MAP_FAILED && mprotect(p + page, bytes, PROT_READ | PROT_WRITE) == 0);
    return p + page;
}

void *take_at_end(size_t n)
{
    return (char *)take_at_begin(n) + whole_pages(n) - n;
}

void give(void *p, size_t n)
{
    char *first = (char *)p - (uintptr_t)p % page_bytes();
    munmap(first - page_bytes(), whole_pages(n) + 2 * page_bytes());
}
