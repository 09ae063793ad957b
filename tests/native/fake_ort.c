/*
 * Stands for an ONNX Runtime that goes wrong: a library in front of the real one, LLAMA3PERF_FAULT_REAL, whose file has another name for
 * the suite refuses two ONNX Runtimes in one process. It answers until the runs of
 * a session have come to LLAMA3PERF_FAULT_AT (unset: until the API is asked for). Then it plays what LLAMA3PERF_FAULT says, in BenchmarkDotNet's
 * measuring processes; with LLAMA3PERF_FAULT_EVERYWHERE in any process. Of a list of faults (a,b,c) each process takes the next one: it
 * appends a byte to the file LLAMA3PERF_FAULT_COUNT, and what lies behind the list is well.
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
#include <sys/uio.h>
#include <unistd.h>

/* Places in OrtApi, which only grows at its end. */
enum { RUN = 9, RUN_WITH_BINDING = 133, SYNCHRONIZE_OUTPUTS = 203, MOST_FUNCTIONS = 1024 };

typedef struct Base { const void* (*get_api)(uint32_t); const char* (*get_version)(void); } Base;
typedef void* (*RunFunction)(void*, const void*, const char* const*, const void* const*, size_t, const char* const*, size_t, void**);
typedef void* (*RunWithBindingFunction)(void*, const void*, const void*);
typedef void* (*SynchronizeFunction)(void*);

/* Microseconds. */
enum { LATE = 20000 };

static void* s_functions[MOST_FUNCTIONS];
static RunFunction s_run;
static RunWithBindingFunction s_run_with_binding;
static SynchronizeFunction s_synchronize_outputs;
static char s_fault[32];

static const Base* real(void) {
  void* library = dlopen(getenv("LLAMA3PERF_FAULT_REAL"), RTLD_NOW | RTLD_LOCAL);
  const Base* (*entry)(void) = library ? (const Base* (*)(void))dlsym(library, "OrtGetApiBase") : NULL;
  if (!entry) _exit(99);
  return entry();
}

/* BenchmarkDotNet starts measuring processes with the pipe that they talk into among their arguments; -1 in any other. */
static int pipe_of_child(void) {
  char text[8192];
  int file = open("/proc/self/cmdline", O_RDONLY);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  close(file);
  text[length > 0 ? length : 0] = 0;
  for (ssize_t i = 0; i + 18 < length; i++)
    if (!strcmp(text + i, "--anonymousPipes")) return atoi(text + i + strlen(text + i) + 1);
  return -1;
}

static void choose(void) {
  const char* list = getenv("LLAMA3PERF_FAULT");
  const char* count = getenv("LLAMA3PERF_FAULT_COUNT");
  if (!list || (!getenv("LLAMA3PERF_FAULT_EVERYWHERE") && pipe_of_child() < 0)) return;
  int turn = 0;
  if (count) {
    int file = open(count, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (file < 0 || write(file, "x", 1) != 1) _exit(98);
    turn = (int)lseek(file, 0, SEEK_END) - 1;
    close(file);
  }
  for (; *list && turn > 0; list++) turn -= *list == ',';
  if (turn == 0) snprintf(s_fault, sizeof s_fault, "%.*s", (int)strcspn(list, ","), list);
}

static void say(const char* text) {
  if (write(pipe_of_child(), text, strlen(text)) < 0) _exit(97);
}

static void play(void) {
  if (!strcmp(s_fault, "hang")) for (;;) pause();
  if (!strcmp(s_fault, "abort")) abort();
  if (!strcmp(s_fault, "segfault")) *(volatile int*)getenv("no such variable") = 1;
  if (!strcmp(s_fault, "exit0")) _exit(0);
  if (!strcmp(s_fault, "cutline")) {
    say("// L3P {\"kind\":\"iteration\",\"IsWarmUp\":fal");
    raise(SIGKILL);
  }
  if (!strcmp(s_fault, "badline")) say("// L3P {\"kind\":\"iteration\",\"Result\":[1,2}\n");
  if (!strcmp(s_fault, "memory")) {
    /* As the kernel does when there is none left. */
    for (int i = 0; i < 64; i++) (void)!mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    raise(SIGKILL);
  }
}

static void step(void) {
  static int runs;
  const char* at = getenv("LLAMA3PERF_FAULT_AT");
  if (!strcmp(s_fault, "slow")) usleep(2000);
  if (++runs == (at ? atoi(at) : 0)) play();
}

static void* run(void* session, const void* options, const char* const* names, const void* const* inputs, size_t count,
                 const char* const* output_names, size_t output_count, void** outputs) {
  step();
  return s_run(session, options, names, inputs, count, output_names, output_count, outputs);
}

static void* run_with_binding(void* session, const void* options, const void* binding) {
  step();
  void* status = s_run_with_binding(session, options, binding);
  if (!strcmp(s_fault, "late-run")) usleep(LATE);
  return status;
}

/* As a device whose calls return before it has computed. */
static void* synchronize_outputs(void* binding) {
  void* status = s_synchronize_outputs(binding);
  if (!strcmp(s_fault, "late-wait")) usleep(LATE);
  return status;
}

static const void* get_api(uint32_t version) {
  const void* api = real()->get_api(version);
  if (!api || s_run) return api ? s_functions : NULL;
  choose();
  if (!getenv("LLAMA3PERF_FAULT_AT")) play();
  /* How many functions it has the reader knows; what lies behind them need not be readable. */
  for (size_t size = sizeof s_functions; size >= 4096; size -= 512) {
    struct iovec to = {s_functions, size}, from = {(void*)api, size};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)size) break;
  }
  s_run = (RunFunction)s_functions[RUN];
  s_run_with_binding = (RunWithBindingFunction)s_functions[RUN_WITH_BINDING];
  s_synchronize_outputs = (SynchronizeFunction)s_functions[SYNCHRONIZE_OUTPUTS];
  if (!s_run || !s_run_with_binding || !s_synchronize_outputs) _exit(96);
  s_functions[RUN] = (void*)run;
  s_functions[RUN_WITH_BINDING] = (void*)run_with_binding;
  s_functions[SYNCHRONIZE_OUTPUTS] = (void*)synchronize_outputs;
  return s_functions;
}

static const char* get_version(void) { return real()->get_version(); }

__attribute__((visibility("default"))) const Base* OrtGetApiBase(void) {
  static const Base base = {get_api, get_version};
  return &base;
}
