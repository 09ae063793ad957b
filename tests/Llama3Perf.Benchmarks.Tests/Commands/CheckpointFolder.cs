using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>Small checkpoints that tests hand to the program.</summary>
internal static class CheckpointFolder
{
    /// <summary>Random weights in the form of llama-tiny, marked as such.</summary>
    public static string Write(string folder)
    {
        SyntheticCheckpoint.Write(
            LlamaShape.Load("llama-tiny"),
            folder,
            CheckpointType.BFloat16,
            shardBytes: 400_000,
            seed: 3,
            threads: 2,
            cancellationToken: TestContext.Current.CancellationToken
        );
        return folder;
    }

    /// <summary>The same without the mark: as far as anybody can tell, somebody's weights.</summary>
    public static string WriteReal(string folder)
    {
        ChangeConfig(Write(folder), json => Assert.True(json.Remove("llama3perf_weights")));
        return folder;
    }

    /// <summary>Changes config.json.</summary>
    public static void ChangeConfig(string folder, Action<JsonObject> change)
    {
        string config = Path.Combine(folder, "config.json");
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        change(json);
        File.WriteAllText(config, json.ToJsonString());
    }
}
