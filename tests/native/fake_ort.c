/*
 * Stands for an ONNX Runtime that goes wrong: a library that has its entry point and does what LLAMA3PERF_FAULT says once it is asked
 * for its API, which the suite does in the measuring process as in its own. LLAMA3PERF_FAULT_AFTER lets that many processes go first:
 * each appends a byte to the file that LLAMA3PERF_FAULT_COUNT names. Otherwise the real library, LLAMA3PERF_FAULT_REAL, answers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Base { const void* (*get_api)(uint32_t); const char* (*get_version)(void); } Base;

static const Base* real(void) {
  void* library = dlopen(getenv("LLAMA3PERF_FAULT_REAL"), RTLD_NOW | RTLD_LOCAL);
  const Base* (*entry)(void) = library ? (const Base* (*)(void))dlsym(library, "OrtGetApiBase") : NULL;
  if (!entry) _exit(99);
  return entry();
}

/* BenchmarkDotNet starts measuring processes with the benchmark's name among their arguments. */
static int is_child(void) {
  char text[4096];
  int file = open("/proc/self/cmdline", O_RDONLY);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  close(file);
  for (ssize_t i = 0; i + 11 < length; i++)
    if (!memcmp(text + i, "--benchmark", 11)) return 1;
  return 0;
}

static int is_turn(void) {
  const char* after = getenv("LLAMA3PERF_FAULT_AFTER");
  const char* count = getenv("LLAMA3PERF_FAULT_COUNT");
  if (!after || !count) return 1;
  int file = open(count, O_RDWR | O_CREAT | O_APPEND, 0600);
  if (file < 0 || write(file, "x", 1) != 1) return 1;
  off_t before = lseek(file, 0, SEEK_END) - 1;
  close(file);
  return before == atoi(after);
}

static void fault(const char* name) {
  if (!strcmp(name, "hang")) for (;;) pause();
  if (!strcmp(name, "abort")) abort();
  if (!strcmp(name, "segfault")) raise(SIGSEGV);
  if (!strcmp(name, "exit0")) _exit(0);
  if (!strcmp(name, "kill")) raise(SIGKILL);
  if (!strcmp(name, "slow")) sleep(2);
  if (!strcmp(name, "noise")) {
    /* Where BenchmarkDotNet's child prints what the suite reads. */
    printf("// L3P {\"kind\":\"iter\n");
    fflush(stdout);
  }
  if (!strcmp(name, "memory")) {
    /* As the kernel does when there is none left. */
    for (int i = 0; i < 64; i++) (void)!mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    raise(SIGKILL);
  }
}

static const void* get_api(uint32_t version) {
  static int is_done;
  const char* name = getenv("LLAMA3PERF_FAULT");
  const char* everywhere = getenv("LLAMA3PERF_FAULT_EVERYWHERE");
  if (!is_done && name && (everywhere || is_child())) {
    is_done = 1;
    if (is_turn()) fault(name);
  }
  return real()->get_api(version);
}

static const char* get_version(void) { return real()->get_version(); }

__attribute__((visibility("default"))) const Base* OrtGetApiBase(void) {
  static const Base base = {get_api, get_version};
  return &base;
}
