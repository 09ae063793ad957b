using System.Security.Cryptography;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Weights;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Converting;

/// <summary>Makes a GGUF file of an ONNX folder that the suite built, with the same numbers, in a folder with the tokenizer's
/// files.</summary>
public static class GgufConverter
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "model.gguf";

    // What decides the tokens of prompts, and the files that are taken over.
    private static readonly string[] s_tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

    /// <summary>
    /// Makes the folder and opens it; one that is there already and made of the same is only opened. Whatever ends it early leaves nothing
    /// behind. Memory depends on the number of threads, not on the model.
    /// </summary>
    /// <param name="source">The ONNX folder.</param>
    /// <param name="folder">Path of the folder; its parents are created.</param>
    /// <param name="progress">Told the bytes of weights written so far.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ModelException">A folder of others, weights or a tokenizer that GGUF cannot hold, no space, no
    /// permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ModelFolder Convert(
        ModelFolder source,
        string folder,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        var plan = GgufPlan.Create(source);
        byte[] header = Header(plan);
        var machine = new BuildMachine();
        var build = new FolderBuild(
            () => Manifest(source),
            header.Length + plan.Length,
            temporary => Write(plan, header, temporary, machine, progress, cancellationToken)
        );
        return build.Make(folder, machine, cancellationToken);
    }

    /// <summary>Text that is equal for equal files; nothing is converted for it.</summary>
    /// <exception cref="ModelException">A folder that the suite has not built.</exception>
    internal static string Manifest(ModelFolder source)
    {
        // Refuses folders of others.
        _ = BuildManifest.ReadShape(source.Path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (
            string file in s_tokenizerFiles.Append("genai_config.json").Select(name => Path.Combine(source.Path, name)).Where(File.Exists)
        )
        {
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        }

        return BuildManifest.GgufText(source.Path, System.Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static byte[] Header(GgufPlan plan)
    {
        LlamaShape shape = plan.Shape;
        using var header = new GgufHeader();
        header.Add("general.architecture", "llama");
        header.Add("general.type", "model");
        header.Add("general.name", plan.Folder.Name);
        header.Add("general.file_type", FileType(plan.Type));
        header.Add("general.quantization_version", 2u);
        header.Add("llama.vocab_size", (uint)shape.VocabularySize);
        header.Add("llama.context_length", (uint)shape.ContextLength);
        header.Add("llama.embedding_length", (uint)shape.HiddenSize);
        header.Add("llama.block_count", (uint)shape.LayerCount);
        header.Add("llama.feed_forward_length", (uint)shape.IntermediateSize);
        header.Add("llama.attention.head_count", (uint)shape.HeadCount);
        header.Add("llama.attention.head_count_kv", (uint)shape.KeyValueHeadCount);
        header.Add("llama.attention.key_length", (uint)shape.HeadSize);
        header.Add("llama.attention.value_length", (uint)shape.HeadSize);
        header.Add("llama.attention.layer_norm_rms_epsilon", shape.RmsNormEpsilon);
        header.Add("llama.rope.dimension_count", (uint)shape.HeadSize);
        header.Add("llama.rope.freq_base", (float)shape.RopeTheta);
        header.Add(GgufFolder.WeightsKey, plan.Folder.IsSynthetic ? "synthetic" : "real");
        header.Add(GgufFolder.EosKey, string.Join(',', plan.Folder.EosTokenIds));
        if (plan.Folder.BlockSize is { } block)
        {
            header.Add(GgufFolder.BlockKey, (uint)block);
        }

        GgufTokenizer.Of(plan.Folder).AddTo(header, plan.Folder, ChatTemplateFile.Read(plan.Folder.Path));
        return header.ToArray(plan.Tensors);
    }

    // LLAMA_FTYPE_* of llama.h.
    private static uint FileType(GgufType type) =>
        type.Name switch
        {
            "f32" => 0,
            "f16" => 1,
            "q4_0" => 2,
            "q4_1" => 3,
            _ => 7,
        };

    private static void Write(
        GgufPlan plan,
        byte[] header,
        string folder,
        BuildMachine machine,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        string path = Path.Combine(folder, FileName);
        var counter = new ByteCounter(plan.Tensors.Sum(tensor => tensor.Length), progress);
        DataFile.Write(path, plan.Pieces(header.Length), header.Length + plan.Length, machine.Threads, counter.Add, cancellationToken);
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(file, header, 0);
        }

        plan.Counts.RequireHeld(plan.Folder.Path);
        ConversionReport report = ConversionReport.Read(plan.Folder.Path) ?? new ConversionReport(0, 0, 0);
        (report with { Scales = plan.Counts.All, RoundedScales = plan.Counts.Rounded }).Write(folder);
        foreach (string name in s_tokenizerFiles.Where(name => File.Exists(Path.Combine(plan.Folder.Path, name))))
        {
            InputFile.Copy(Path.Combine(plan.Folder.Path, name), Path.Combine(folder, name));
        }
    }
}
