using Llama3Perf.Fuzz.Mutations;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Converting;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Fuzz;

// Model folders and checkpoints.
internal static partial class FuzzTargets
{
    private static FuzzTarget Config(string folder)
    {
        string file = Path.Combine(folder, "config.json");
        byte[][] seeds = [.. LlamaShape.Names.Select(name => LlamaConfigText.Config(LlamaShape.Load(name), "bf16")).Select(Bytes)];
        File.WriteAllBytes(file, seeds[0]);
        return OnFile("config.json", file, JsonMutation.Apply, _ => LlamaShape.Load(file), OfModels) with { Seeds = seeds };
    }

    private static FuzzTarget GenAiConfig(string folder)
    {
        string model = Tiny(folder);
        return OnFile(
            "genai_config.json",
            Path.Combine(model, "genai_config.json"),
            JsonMutation.Apply,
            _ => ModelFolderReader.Open(model),
            OfModels
        );
    }

    private static FuzzTarget Onnx(string folder)
    {
        string model = Tiny(folder);
        string file = Path.Combine(model, "model.onnx");
        return OnFile("onnx", file, ProtobufMutation.Apply, _ => FolderInspection.Of(model), OfModels);
    }

    private static FuzzTarget Gguf(string folder)
    {
        var source = ModelFolderReader.Open(Tiny(folder));
        string whole = GgufConverter.Convert(source, Path.Combine(folder, "gguf")).GraphPath;
        long weights = GgufFile.Open(whole).Tensors[0].Offset;
        byte[] header = File.ReadAllBytes(whole)[..(int)weights];
        string file = Path.Combine(folder, "fuzz.gguf");

        // What is behind the header is never looked at here, and its length is what counts.
        return new FuzzTarget(
            "gguf",
            [header],
            ByteMutation.Apply,
            input =>
            {
                using (FileStream stream = new(file, FileMode.Create))
                {
                    stream.Write(input);
                    stream.SetLength(input.Length + (new FileInfo(whole).Length - weights));
                }

                _ = ModelFolderReader.Open(file);
            },
            OfModels
        );
    }

    private static FuzzTarget Safetensors(string folder)
    {
        string checkpoint = TinyCheckpoint(folder, shardBytes: long.MaxValue);
        string file = Path.Combine(checkpoint, "model.safetensors");
        byte[] whole = File.ReadAllBytes(file);
        int header = (int)BitConverter.ToInt64(whole);

        // The header is JSON behind its length; the data behind it is never looked at here, and its length is what counts.
        return new FuzzTarget(
            "safetensors",
            [whole[8..(8 + header)]],
            (input, random) => random.Next(3) == 0 ? ByteMutation.Apply(input, random) : JsonMutation.Apply(input, random),
            input =>
            {
                using (FileStream stream = new(file, FileMode.Create))
                {
                    stream.Write(BitConverter.GetBytes((long)input.Length));
                    stream.Write(input);
                    stream.SetLength(8 + input.Length + (whole.Length - 8 - header));
                }

                _ = CheckpointInspection.Of(checkpoint);
            },
            OfModels
        );
    }

    private static FuzzTarget SafetensorsIndex(string folder)
    {
        string checkpoint = TinyCheckpoint(folder, shardBytes: 1_000_000);
        return OnFile(
            "safetensors-index",
            Path.Combine(checkpoint, "model.safetensors.index.json"),
            JsonMutation.Apply,
            _ => Checkpoint.Open(checkpoint),
            OfModels
        );
    }

    /// <summary>Builds the smallest model.</summary>
    internal static string Tiny(string folder) =>
        ModelBuilder.Build(new ModelBuildOptions { Model = "llama-tiny" }, Path.Combine(folder, "model")).Path;

    private static string TinyCheckpoint(string folder, long shardBytes)
    {
        string checkpoint = Path.Combine(folder, "checkpoint");
        SyntheticCheckpoint.Write(LlamaShape.Load("llama-tiny"), checkpoint, CheckpointType.BFloat16, shardBytes, 1, 1);
        return checkpoint;
    }
}
