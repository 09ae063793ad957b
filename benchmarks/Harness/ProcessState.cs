namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Environment variables and the current directory as a measurement needs them; when it ends they are what they were.</summary>
internal sealed class ProcessState : IDisposable
{
    private readonly string _directory = Environment.CurrentDirectory;
    private readonly Dictionary<string, string?> _variables = [];

    /// <summary>Sets a variable for this process and the children that it starts.</summary>
    public void Set(string variable, string value)
    {
        _variables.TryAdd(variable, Environment.GetEnvironmentVariable(variable));
        Environment.SetEnvironmentVariable(variable, value);
    }

    public void Dispose()
    {
        foreach ((string variable, string? value) in _variables)
        {
            Environment.SetEnvironmentVariable(variable, value);
        }

        Environment.CurrentDirectory = _directory;
    }
}
