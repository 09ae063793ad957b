namespace Llama3Perf.Models;

/// <summary>A model, or the place where one should be, is not usable. The message is one line that names the thing and the way
/// out.</summary>
public sealed class ModelException(string message, Exception? innerException = null) : Exception(ErrorLine.Of(message), innerException);
