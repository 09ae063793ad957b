using Google.Protobuf;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Converting;

/// <summary>Makes a folder of the same weights whose KV cache has 8 or 4 bits, of a folder of ours or of the official builder.</summary>
internal static class QuantizedCacheFolder
{
    private const int BufferBytes = 1 << 20;

    private static readonly string[] s_kinds = [".json", ".jinja", ".model", ".txt"];

    /// <summary>
    /// Makes the folder and opens it; one that is there already and made of the same is only opened. Whatever ends it early leaves nothing
    /// behind.
    /// </summary>
    /// <param name="source">The folder whose weights it takes, copied.</param>
    /// <param name="manifest">Equal for equal contents.</param>
    /// <param name="type"><see cref="KeyValueType.Int8"/> or <see cref="KeyValueType.Int4"/>.</param>
    /// <param name="calibrate">Finds the largest keys and values; not called for a folder that is there.</param>
    /// <param name="folder">Path of the folder; its parents are created.</param>
    /// <param name="progress">Told the bytes copied so far.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ModelException">A folder without a place for scales, a folder that holds something else, no space, no
    /// permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ModelFolder Convert(
        ModelFolder source,
        string manifest,
        KeyValueType type,
        Func<CacheScales> calibrate,
        string folder,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    ) =>
        new FolderBuild(
            () => manifest,
            source.WeightBytes,
            temporary => Write(source, QuantizedCacheGraph.Create(source, type, calibrate()), temporary, progress, cancellationToken)
        ).Make(folder, new BuildMachine(), cancellationToken);

    /// <summary>Why a folder's cache cannot be quantized, or null.</summary>
    public static string? Refusal(ModelFolder source) =>
        source.Format == ModelFormat.Gguf ? $"{source.Path} is a GGUF file: only llama.cpp decides how its keys and values are kept"
        : source.Arithmetic.CacheBits is not null ? $"{source.Path} has a KV cache of integers already; leave --kv-type out"
        : source.Family != GraphFamily.Standard
            ? $"{source.Path} has no attention that takes scales (GroupQueryAttention with the rotation inside): build it for cpu or cuda"
        : null;

    private static void Write(
        ModelFolder source,
        ModelProto graph,
        string folder,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        string home = Path.GetDirectoryName(source.GraphPath)!;
        string[] data = [.. OnnxFile.ExternalFiles(source.GraphPath, graph).Keys.Select(name => Path.Combine(home, name))];
        var counter = new ByteCounter(data.Sum(InputFile.Length), progress);
        foreach (string file in data.Concat(Directory.EnumerateFiles(source.Path).Where(IsOfModel)))
        {
            FileLinks.Check(source.Path, file);
            Copy(file, Place(file), counter, cancellationToken);
        }

        using FileStream stream = File.Create(Place(source.GraphPath));
        graph.WriteTo(stream);

        string Place(string file)
        {
            string place = Path.Combine(folder, Path.GetRelativePath(source.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            return place;
        }
    }

    // Configuration, tokenizer, chat template, what a conversion counted.
    private static bool IsOfModel(string file) =>
        s_kinds.Contains(Path.GetExtension(file)) && Path.GetFileName(file) != BuildManifest.FileName && InputFile.Length(file) > 0;

    private static void Copy(string file, string copy, ByteCounter counter, CancellationToken cancellationToken)
    {
        using FileStream from = InputFile.Open(file, long.MaxValue, "is no file of a model");
        using FileStream to = new(copy, FileMode.CreateNew);
        byte[] buffer = new byte[BufferBytes];
        for (int read; (read = from.Read(buffer)) > 0; )
        {
            cancellationToken.ThrowIfCancellationRequested();
            to.Write(buffer, 0, read);
            counter.Add(read);
        }
    }
}
