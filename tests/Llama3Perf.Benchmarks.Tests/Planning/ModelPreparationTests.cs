using System.Security.Cryptography;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Model folders are made where they belong, once, and known by their contents.</summary>
[Collection(nameof(CliSession))]
public sealed class ModelPreparationTests : IDisposable
{
    private static readonly ModelBuildOptions s_tiny = new() { Model = "llama-tiny", Precision = Precision.Int4 };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-models-").FullName;
    private readonly ModelPreparation _models;

    public ModelPreparationTests() => _models = new ModelPreparation(At("store"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_is_made_in_the_store_or_where_the_user_wants_it()
    {
        Assert.Null(_models.Find(s_tiny));

        ModelFolder wanted = _models.Prepare(s_tiny, At("here"));
        Assert.Null(_models.Find(s_tiny));
        ModelFolder stored = _models.Prepare(s_tiny);

        Assert.Equal(At("here"), wanted.Path);
        Assert.Equal(At("store"), Path.GetDirectoryName(stored.Path));
        Assert.Equal(stored.Path, _models.Find(s_tiny)?.Path);
    }

    [Fact]
    public void A_folder_that_contradicts_itself_is_told_of_once()
    {
        using CaseFolder window = new("official-mistral-window-24-lost");
        ModelFolder folder = ModelFolderReader.Open(window.Path);

        IReadOnlyList<string> said = CliSession.Lines(() => _models.Given(_models.Given(folder)));

        Assert.EndsWith(
            "genai_config.json has a sliding window of 24 tokens, the graph's attention has none: beyond it the answers are another "
                + "model's.",
            Assert.Single(said),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_checkpoints_folder_is_not_looked_for()
    {
        ModelBuildOptions options = s_tiny with { Model = CheckpointFolder.Write(At("checkpoint")) };

        ModelFolder made = _models.Prepare(options);

        Assert.StartsWith(At("store"), made.Path, StringComparison.Ordinal);
        Assert.Null(_models.Find(options));
    }

    [Fact]
    public void What_is_not_followed_in_a_models_files_is_told_once()
    {
        string shape = At("odd.json");
        string known = File.ReadAllText(Path.Combine(Fixtures.Root, "src", "Llama3Perf.Models", "Shapes", "llama-tiny.json"));
        File.WriteAllText(shape, known.TrimEnd()[..^1] + """, "warp_factor": 9}""");
        ModelBuildOptions options = s_tiny with { Model = shape };

        IReadOnlyList<string> said = CliSession.Lines(() =>
        {
            _models.Prepare(options);
            _models.Prepare(options with { Precision = Precision.Fp32 });
        });

        Assert.Single(
            said,
            line => line.StartsWith($"{shape}: config.json has what is not known here and not used: ", StringComparison.Ordinal)
        );
        Assert.Single(said, line => line.Contains("warp_factor", StringComparison.Ordinal));
    }

    [Fact]
    public void Weights_that_could_not_be_stored_are_told()
    {
        ModelBuildOptions options = s_tiny with { Model = CheckpointFolder.Write(At("checkpoint")) };
        ModelFolder folder = _models.Prepare(options);
        string report = Path.Combine(folder.Path, "conversion.json");
        File.WriteAllText(
            report,
            File.ReadAllText(report).Replace("\"weights_beyond_float16\": 0", "\"weights_beyond_float16\": 7", StringComparison.Ordinal)
        );

        Assert.Contains(
            $"{folder.Name}: 7 weights are beyond float16's range and were stored as 65504 or -65504.",
            CliSession.Lines(() => _models.Prepare(options))
        );
    }

    [Fact]
    public void An_engine_is_given_a_folder_of_the_format_it_reads()
    {
        ModelFolder onnx = ScriptedFamily.TinyFolder;

        ModelFolder gguf = _models.For(EngineCatalog.Get("llama.cpp"), onnx);

        Assert.Equal((ModelFormat.Gguf, At("store")), (gguf.Format, Path.GetDirectoryName(gguf.Path)));
        Assert.Same(gguf, _models.For(EngineCatalog.Get("llama.cpp"), gguf));
        Assert.Same(onnx, _models.For(EngineCatalog.Get("ort"), onnx));
        Assert.Equal(At("wanted"), _models.ToGguf(onnx, At("wanted")).Path);
    }

    [Fact]
    public void The_GGUF_folder_of_a_finished_folder_is_made_of_it()
    {
        ModelFolder folder = ScriptedFamily.TinyFolder;
        ModelVariant finished = new("no-such-shape", Precision.Int4, 32, folder);
        ModelVariant shape = new("llama-tiny", Precision.Int4, 32, null);

        Assert.Equal(_models.ToGguf(folder).Path, _models.GgufOf(finished, ExecutionProvider.Cpu).Path);
        Assert.Equal(ModelFormat.Gguf, _models.GgufOf(shape, ExecutionProvider.Cpu).Format);
        Assert.NotNull(_models.Find(shape.BuildOptions(ExecutionProvider.Cpu)));
    }

    [Fact]
    public void A_folder_is_known_by_its_contents_which_are_read_once()
    {
        ModelFolder folder = _models.Prepare(s_tiny);
        string known = _models.Fingerprint(folder);
        Assert.Equal(64, known.Length);

        Change(Path.Combine(folder.Path, "llama3perf.json"));

        Assert.Equal(known, _models.Fingerprint(folder));
        Assert.NotEqual(known, new ModelPreparation(At("store")).Fingerprint(folder));
    }

    [Fact]
    public void A_file_is_known_by_the_hash_of_all_its_bytes_which_are_read_once()
    {
        // More than is read at a time.
        string file = At("large.gguf");
        File.WriteAllBytes(file, [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i % 251))]);
        string expected = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

        Assert.Equal(expected, _models.FingerprintFile(file));
        Change(file);

        Assert.Equal(expected, _models.FingerprintFile(file));
        Assert.NotEqual(expected, new ModelPreparation(At("store")).FingerprintFile(file));
    }

    [Fact]
    public void A_file_and_the_model_in_it_are_two_things_whichever_is_asked_for_first()
    {
        string file = At("alone.gguf");
        File.Copy(_models.ToGguf(ScriptedFamily.TinyFolder).GraphPath, file);
        ModelFolder model = ModelFolderReader.Open(file);
        Assert.Equal(file, model.Path);

        ModelPreparation other = new(At("store"));
        (string ofModel, string ofFile) = (_models.Fingerprint(model), _models.FingerprintFile(file));

        Assert.NotEqual(ofModel, ofFile);
        Assert.Equal(ofFile, other.FingerprintFile(file));
        Assert.Equal(ofModel, other.Fingerprint(model));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        string file = At("missing.gguf");

        Assert.StartsWith(
            $"{file} cannot be read: ",
            Assert.Throws<ModelException>(() => _models.FingerprintFile(file)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_weights_that_a_token_reads_are_known_of_a_graph_that_can_be_read()
    {
        ModelFolder folder = _models.Prepare(s_tiny);
        Assert.InRange(ModelPreparation.BytesPerToken(folder, null).Weights!.Value, 1, folder.WeightBytes);

        File.WriteAllText(Path.Combine(folder.Path, "model.onnx"), "no graph");

        Assert.Equal((null, null), ModelPreparation.BytesPerToken(folder, null));
    }

    private static void Change(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private string At(string name) => Path.Combine(_folder, name);
}
