namespace Llama3Perf.Models.Folders;

/// <summary><c>llama3perf.json</c>: what a folder of synthetic weights was made from. Only such folders have one.</summary>
/// <param name="Name">The shape's name.</param>
internal sealed record BuildManifest(string Name)
{
    public const string FileName = "llama3perf.json";

    /// <summary>The folder's manifest, or null.</summary>
    public static BuildManifest? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        return File.Exists(file) ? new BuildManifest(JsonField.ReadFile(file)["name"].Text()) : null;
    }
}
