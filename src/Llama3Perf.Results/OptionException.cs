namespace Llama3Perf.Results;

/// <summary>Tells a caller that an option is unknown or out of range: a mistake on the command line, not in a file. One line that says what
/// is possible.</summary>
public sealed class OptionException(string message) : Exception(message);
