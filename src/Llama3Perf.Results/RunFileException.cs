namespace Llama3Perf.Results;

/// <summary>A results file or folder is not usable. The message is one line that names file, row and column, and the way out.</summary>
public sealed class RunFileException(string message, Exception? innerException = null) : Exception(OneLine(message), innerException)
{
    private const int Beginning = 550;
    private const int End = 240;

    // Whatever names and cells of others went into it. The thing stands first, the way out last.
    private static string OneLine(string message)
    {
        string line = message.Length <= Beginning + End ? message : $"{message[..Beginning]} ... {message[^End..]}";
        return string.Concat(line.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
    }
}
