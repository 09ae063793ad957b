namespace Llama3Perf.Inference.Tests.Machine;

/// <summary>
/// What machines print and hold in their files. The H200's lines were printed by such a machine; the others are put together
/// from the forms that their tools and kernels document, shortened to what matters here.
/// </summary>
internal static class CapturedFiles
{
    public static string Folder(string machine) =>
        Path.Combine(Fixtures.Root, "tests", "Llama3Perf.Inference.Tests", "Machine", "Captured", machine);

    public static string Text(string machine, string file) => File.ReadAllText(Path.Combine(Folder(machine), file));
}
