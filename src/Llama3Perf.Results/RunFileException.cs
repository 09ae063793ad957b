namespace Llama3Perf.Results;

/// <summary>A results file or folder is not usable. The message is one line that names file, row and column, and the way out.</summary>
public sealed class RunFileException(string message, Exception? innerException = null) : Exception(message, innerException);
