/*
 * Stands for onnxruntime-genai in tests: the entry points that the engine binds, with scripted answers.
 * It counts live objects, keeps a log of the calls, and notes every use that the real library would not survive.
 * Copied under ONNX Runtime's name it is an ONNX Runtime that offers no API version.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Objects are never freed, so that a use after their end is seen and not a crash. */
enum { ALIVE = 1, DEAD = 2 };

typedef struct Result { char text[512]; } Result;
typedef struct Config { int state; } Config;
typedef struct Model { int state; int children; } Model;
typedef struct Tokenizer { Model* model; } Tokenizer;
typedef struct Params { int state; Model* model; int children; int max_length; int min_length; } Params;
typedef struct Tensor { int state; int64_t dims[3]; float* data; } Tensor;
typedef struct Generator { int state; Model* model; Params* params; int length; int appends; int32_t last; } Generator;

static char log_text[1 << 16];
static size_t log_length;
static char misuse_text[4096];
static int live;
static char fail_call[64];
static int fail_after;
static char fail_text[512];
static char device_type[32] = "CPU";
static bool announce_shutdown;

static void append(char* target, size_t size, size_t* length, const char* format, va_list arguments) {
  int written = vsnprintf(target + *length, size - *length, format, arguments);
  if (written > 0 && *length + (size_t)written < size) *length += (size_t)written;
}

static void log_call(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  append(log_text, sizeof log_text, &log_length, format, arguments);
  va_end(arguments);
}

static void misuse(const char* format, ...) {
  size_t length = strlen(misuse_text);
  va_list arguments;
  va_start(arguments, format);
  append(misuse_text, sizeof misuse_text, &length, format, arguments);
  va_end(arguments);
}

static Result* fail(const char* text) {
  Result* result = calloc(1, sizeof *result);
  snprintf(result->text, sizeof result->text, "%s", text);
  live++;
  return result;
}

/* The scripted failure of a call, or null. */
static Result* scripted(const char* call) {
  if (strcmp(call, fail_call) != 0 || fail_after-- > 0) return NULL;
  fail_call[0] = 0;
  return fail(fail_text);
}

#define SCRIPTED() do { Result* r = scripted(__func__); if (r) return r; } while (0)

/* Control, for the tests only. */

EXPORT void fake_reset(void) {
  log_length = 0;
  log_text[0] = misuse_text[0] = fail_call[0] = 0;
  strcpy(device_type, "CPU");
}

EXPORT int fake_live(void) { return live; }
EXPORT const char* fake_log(void) { return log_text; }
EXPORT const char* fake_misuse(void) { return misuse_text; }
EXPORT void fake_device_type(const char* type) { snprintf(device_type, sizeof device_type, "%s", type); }
EXPORT void fake_announce_shutdown(void) { announce_shutdown = true; }

EXPORT void fake_fail(const char* call, int after, const char* text) {
  snprintf(fail_call, sizeof fail_call, "%s", call);
  snprintf(fail_text, sizeof fail_text, "%s", text);
  fail_after = after;
}

/* onnxruntime-genai. */

EXPORT void OgaShutdown(void) {
  log_call("OgaShutdown()\n");
  if (announce_shutdown) {
    printf("OgaShutdown with %d live\n", live);
    fflush(stdout);
  }
}

EXPORT const char* OgaResultGetError(const Result* result) { return result->text; }

EXPORT void OgaDestroyResult(Result* result) {
  live--;
  free(result);
}

EXPORT void OgaDestroyString(char* text) {
  live--;
  free(text);
}

EXPORT Result* OgaCreateConfig(const char* path, Config** out) {
  log_call("OgaCreateConfig(%s)\n", path);
  SCRIPTED();
  *out = calloc(1, sizeof **out);
  (*out)->state = ALIVE;
  live++;
  return NULL;
}

EXPORT void OgaDestroyConfig(Config* config) {
  log_call("OgaDestroyConfig()\n");
  if (config->state != ALIVE) misuse("config destroyed twice\n");
  config->state = DEAD;
  live--;
}

EXPORT Result* OgaConfigClearProviders(Config* config) {
  (void)config;
  log_call("OgaConfigClearProviders()\n");
  SCRIPTED();
  return NULL;
}

EXPORT Result* OgaConfigAppendProvider(Config* config, const char* provider) {
  (void)config;
  log_call("OgaConfigAppendProvider(%s)\n", provider);
  SCRIPTED();
  return NULL;
}

EXPORT Result* OgaConfigSetProviderOption(Config* config, const char* provider, const char* key, const char* value) {
  (void)config;
  log_call("OgaConfigSetProviderOption(%s, %s, %s)\n", provider, key, value);
  SCRIPTED();
  return NULL;
}

EXPORT Result* OgaConfigOverlay(Config* config, const char* json) {
  (void)config;
  log_call("OgaConfigOverlay(%s)\n", json);
  SCRIPTED();
  return NULL;
}

EXPORT Result* OgaCreateModelFromConfig(const Config* config, Model** out) {
  log_call("OgaCreateModelFromConfig()\n");
  if (config->state != ALIVE) misuse("model made from a dead config\n");
  SCRIPTED();
  *out = calloc(1, sizeof **out);
  (*out)->state = ALIVE;
  live++;
  return NULL;
}

EXPORT void OgaDestroyModel(Model* model) {
  log_call("OgaDestroyModel()\n");
  if (model->children != 0) misuse("model destroyed before %d of its children\n", model->children);
  model->state = DEAD;
  live--;
}

EXPORT Result* OgaCreateTokenizer(Model* model, Tokenizer** out) {
  log_call("OgaCreateTokenizer()\n");
  if (model->state != ALIVE) misuse("tokenizer made from a dead model\n");
  SCRIPTED();
  *out = calloc(1, sizeof **out);
  (*out)->model = model;
  model->children++;
  live++;
  return NULL;
}

EXPORT void OgaDestroyTokenizer(Tokenizer* tokenizer) {
  log_call("OgaDestroyTokenizer()\n");
  tokenizer->model->children--;
  live--;
  free(tokenizer);
}

/* The messages as they came stand for what a template makes of them. */
EXPORT Result* OgaTokenizerApplyChatTemplate(const Tokenizer* tokenizer, const char* jinja, const char* messages, const char* tools, bool prompt, char** out) {
  (void)tokenizer;
  log_call("OgaTokenizerApplyChatTemplate(%s, %s, %s)\n", jinja, tools ? tools : "null", prompt ? "true" : "false");
  SCRIPTED();
  *out = malloc(strlen(messages) + 1);
  strcpy(*out, messages);
  live++;
  return NULL;
}

EXPORT Result* OgaModelGetDeviceType(const Model* model, char** out) {
  (void)model;
  SCRIPTED();
  /* A process that no test can call into has it from its environment. */
  const char* told = getenv("LLAMA3PERF_FAKE_DEVICE_TYPE");
  *out = malloc(sizeof device_type);
  snprintf(*out, sizeof device_type, "%s", told ? told : device_type);
  live++;
  return NULL;
}

EXPORT Result* OgaCreateGeneratorParams(Model* model, Params** out) {
  SCRIPTED();
  *out = calloc(1, sizeof **out);
  (*out)->state = ALIVE;
  (*out)->model = model;
  model->children++;
  live++;
  return NULL;
}

EXPORT void OgaDestroyGeneratorParams(Params* params) {
  log_call("OgaDestroyGeneratorParams()\n");
  if (params->children != 0) misuse("params destroyed before their generator\n");
  params->model->children--;
  params->state = DEAD;
  live--;
}

EXPORT Result* OgaGeneratorParamsSetSearchNumber(Params* params, const char* name, double value) {
  log_call("%s=%g\n", name, value);
  SCRIPTED();
  if (strcmp(name, "max_length") == 0) params->max_length = (int)value;
  if (strcmp(name, "min_length") == 0) params->min_length = (int)value;
  return NULL;
}

EXPORT Result* OgaGeneratorParamsSetSearchBool(Params* params, const char* name, bool value) {
  (void)params;
  log_call("%s=%s\n", name, value ? "true" : "false");
  SCRIPTED();
  return NULL;
}

EXPORT Result* OgaCreateGenerator(Model* model, Params* params, Generator** out) {
  log_call("OgaCreateGenerator()\n");
  SCRIPTED();
  *out = calloc(1, sizeof **out);
  (*out)->state = ALIVE;
  (*out)->model = model;
  (*out)->params = params;
  model->children++;
  params->children++;
  live++;
  return NULL;
}

EXPORT void OgaDestroyGenerator(Generator* generator) {
  log_call("OgaDestroyGenerator()\n");
  if (generator->model->state != ALIVE || generator->params->state != ALIVE) misuse("generator outlived what it was made from\n");
  generator->model->children--;
  generator->params->children--;
  generator->state = DEAD;
  live--;
}

EXPORT Result* OgaGenerator_AppendTokens(Generator* generator, const int32_t* tokens, size_t count) {
  log_call("OgaGenerator_AppendTokens(%zu: %d..%d)\n", count, tokens[0], tokens[count - 1]);
  SCRIPTED();
  if (generator->appends++ > 0) misuse("AppendTokens twice\n");
  generator->length += (int)count;
  generator->last = tokens[count - 1];
  return NULL;
}

EXPORT Result* OgaGenerator_RewindTo(Generator* generator, size_t length) {
  log_call("OgaGenerator_RewindTo(%zu)\n", length);
  SCRIPTED();
  if (length != 0) misuse("RewindTo in the middle of a sequence\n");
  generator->length = 0;
  generator->appends = 0;
  return NULL;
}

EXPORT Result* OgaGenerator_GenerateNextToken(Generator* generator) {
  SCRIPTED();
  if (generator->length >= generator->params->max_length) misuse("GenerateNextToken at max_length\n");
  if (generator->appends == 0) misuse("GenerateNextToken without a prompt\n");
  generator->length++;
  generator->last = (generator->last * 31 + generator->length) % 1000;
  return NULL;
}

EXPORT Result* OgaGenerator_GetNextTokens(const Generator* generator, const int32_t** out, size_t* count) {
  SCRIPTED();
  *out = &generator->last;
  *count = 1;
  return NULL;
}

/* Logits of two positions: the first all -1, the second 0, 1, 2, ... of the fake's vocabulary of 1000. */
EXPORT Result* OgaGenerator_GetOutput(const Generator* generator, const char* name, Tensor** out) {
  log_call("OgaGenerator_GetOutput(%s)\n", name);
  SCRIPTED();
  if (generator->state != ALIVE || generator->appends == 0) misuse("GetOutput before anything was computed\n");
  *out = calloc(1, sizeof **out);
  (*out)->state = ALIVE;
  (*out)->dims[0] = 1;
  (*out)->dims[1] = 2;
  (*out)->dims[2] = 1000;
  (*out)->data = calloc(2000, sizeof(float));
  for (int i = 0; i < 2000; i++) (*out)->data[i] = i < 1000 ? -1.0f : (float)(i - 1000);
  live++;
  return NULL;
}

EXPORT void OgaDestroyTensor(Tensor* tensor) {
  if (tensor->state != ALIVE) misuse("tensor destroyed twice\n");
  tensor->state = DEAD;
  live--;
}

EXPORT Result* OgaTensorGetType(const Tensor* tensor, int* out) {
  (void)tensor;
  SCRIPTED();
  *out = 1;
  return NULL;
}

EXPORT Result* OgaTensorGetShapeRank(const Tensor* tensor, size_t* out) {
  (void)tensor;
  SCRIPTED();
  *out = 3;
  return NULL;
}

EXPORT Result* OgaTensorGetShape(const Tensor* tensor, int64_t* dims, size_t rank) {
  SCRIPTED();
  if (rank != 3) misuse("wrong rank\n");
  memcpy(dims, tensor->dims, sizeof tensor->dims);
  return NULL;
}

EXPORT Result* OgaTensorGetData(const Tensor* tensor, void** out) {
  SCRIPTED();
  if (tensor->state != ALIVE) misuse("data of a dead tensor\n");
  *out = tensor->data;
  return NULL;
}

/* ONNX Runtime, from long ago. */

typedef struct OrtApiBase {
  const void* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)(void);
} OrtApiBase;

static const void* no_api(uint32_t version) { (void)version; return NULL; }
static const char* old_version(void) { return "1.2.3"; }
static const OrtApiBase old_runtime = {no_api, old_version};

EXPORT const OrtApiBase* OrtGetApiBase(void) { return &old_runtime; }
