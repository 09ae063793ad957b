namespace Llama3Perf.Benchmarks.Planning;

/// <summary>
/// The model folders that benchmarks other than the main job run on: those of the plan, handed to child processes in a variable
/// because their classes take them as a parameter.
/// </summary>
internal static class SubjectModels
{
    private const string Variable = "LLAMA3PERF_MODELS";

    public static IReadOnlyList<string> Paths =>
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } paths ? paths : [""];

    public static void Publish(IEnumerable<string> paths) => Environment.SetEnvironmentVariable(Variable, string.Join(Path.PathSeparator, paths));
}
