using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>An engine could not load or run a model. The message is one line that names the thing and the way out.</summary>
public sealed class EngineException(string message, Exception? innerException = null) : Exception(ErrorLine.Of(message), innerException);
