using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>The <c>model_sha256</c> of results: equal for folders that compute the same.</summary>
public static class ModelFingerprint
{
    private const int BufferBytes = 1 << 20;

    /// <summary>
    /// For a folder that the suite built: SHA-256 over graph and manifest, because its weights are a function of those (they are not
    /// read, so damaged weights go unnoticed); the manifest of a converted checkpoint names its contents. For any other folder: over graph,
    /// configuration and all external data; for any other GGUF file over that.
    /// </summary>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    /// <exception cref="ModelException">A file cannot be read.</exception>
    public static string Compute(
        ModelFolder folder,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            string[] files = Files(folder);
            var counter = new ByteCounter(files.Sum(file => new FileInfo(file).Length), progress);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[BufferBytes];
            foreach (string file in files)
            {
                Append(hash, file, buffer, counter, cancellationToken);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"The model folder '{folder.Path}' cannot be read: {e.Message}", e);
        }
    }

    private static string[] Files(ModelFolder folder) =>
        (folder.Format, File.Exists(ManifestPath(folder))) switch
        {
            (ModelFormat.Gguf, true) => [ManifestPath(folder)],
            (ModelFormat.Gguf, false) => [folder.GraphPath],
            (_, true) => [folder.GraphPath, ManifestPath(folder)],
            _ => [folder.GraphPath, .. OtherFiles(folder)],
        };

    private static string ManifestPath(ModelFolder folder) => Path.Combine(folder.Path, BuildManifest.FileName);

    private static IEnumerable<string> OtherFiles(ModelFolder folder)
    {
        string graphFolder = Path.GetDirectoryName(folder.GraphPath)!;
        return OnnxFile
            .ExternalFiles(folder.GraphPath, OnnxFile.Read(folder.GraphPath))
            .Keys.Order(StringComparer.Ordinal)
            .Select(location => Path.Combine(graphFolder, location))
            .Prepend(Path.Combine(folder.Path, "genai_config.json"));
    }

    private static void Append(IncrementalHash hash, string file, byte[] buffer, ByteCounter counter, CancellationToken cancellationToken)
    {
        // Name and length first, so that moving bytes from one file to the next is a change.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        hash.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)}\0{stream.Length}\0"));
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
            counter.Add(read);
        }
    }
}
