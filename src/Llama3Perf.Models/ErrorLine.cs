namespace Llama3Perf.Models;

/// <summary>The form of every message to a user, whatever names and texts of others went into it: one line that can be read at
/// once.</summary>
public static class ErrorLine
{
    private const int Beginning = 550;
    private const int End = 240;

    /// <summary>The message without line ends and control characters, its middle left out where it is long: the thing stands first, the way
    /// out last.</summary>
    public static string Of(string message)
    {
        string line = message.Length <= Beginning + End ? message : $"{message[..Beginning]} ... {message[^End..]}";
        return string.Create(
            line.Length,
            line,
            (target, source) =>
            {
                for (int i = 0; i < target.Length; i++)
                {
                    target[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? ' ' : source[i];
                }
            }
        );
    }
}
