using System.Text.Json.Nodes;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>Every engine generates the same greedy tokens from the same folder; with the real onnxruntime-genai.</summary>
[Collection(RealGenAiTests.Collection)]
public sealed class EngineAgreementTests
{
    private static readonly int[] s_prompt = [5, 6, 7, 300, 12];

    public EngineAgreementTests() => TestRuntime.SkipWithoutGenAi();

    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu")]
    [InlineData("llama3-gqa-bf16", "official-int4-dml")]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml")]
    public void On_official_folders(string fixture, string variant) =>
        AssertSame(ModelFolderReader.Open(Fixtures.Shared(fixture, variant)));

    /// <summary>Every form that we write, for the CPU and for DirectML, which the CPU computes as well.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void On_our_folders(Precision precision, bool isTied, GraphTarget target)
    {
        string place = TestRuntime.Scratch($"agreement-{precision}-{isTied}-{target}");
        AssertSame(
            ModelBuilder.Build(
                new ModelBuildOptions
                {
                    Model = ModelFolders.TinyConfig(place, isTied),
                    Precision = precision,
                    Target = target,
                },
                Path.Combine(place, "model"),
                cancellationToken: TestContext.Current.CancellationToken
            )
        );
    }

    /// <summary>A configuration that names no BOS, EOS or pad token, or says so by -1.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_a_folder_without_special_tokens(bool isSaid)
    {
        string place = TestRuntime.Scratch($"agreement-no-tokens-{isSaid}");
        string checkpoint = Path.Combine(place, "checkpoint");
        SyntheticCheckpoint.Write(
            LlamaShape.Load("llama-tiny"),
            checkpoint,
            CheckpointType.BFloat16,
            shardBytes: long.MaxValue,
            seed: 3,
            threads: 1,
            cancellationToken: TestContext.Current.CancellationToken
        );
        foreach (string name in (string[])["config.json", "generation_config.json"])
        {
            string path = Path.Combine(checkpoint, name);
            if (!File.Exists(path))
            {
                continue;
            }

            JsonObject json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
            foreach (string token in (string[])["bos_token_id", "eos_token_id", "pad_token_id"])
            {
                json.Remove(token);
                if (isSaid)
                {
                    json[token] = -1;
                }
            }

            File.WriteAllText(path, json.ToJsonString());
        }

        ModelFolder folder = ModelBuilder.Build(
            new ModelBuildOptions { Model = checkpoint, Precision = Precision.Int4 },
            Path.Combine(place, "model"),
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Equal((null, 0), (folder.BosTokenId, folder.EosTokenIds.Count));
        Assert.DoesNotContain("null", File.ReadAllText(Path.Combine(folder.Path, "genai_config.json")), StringComparison.Ordinal);
        AssertSame(folder);
    }

    public static TheoryData<Precision, bool, GraphTarget> Forms =>
        new(
            from precision in (Precision[])[Precision.Fp32, Precision.Fp16, Precision.Int8, Precision.Int4]
            from isTied in (bool[])[true, false]
            from target in (GraphTarget[])[GraphTarget.Cpu, GraphTarget.DirectML]
            select (precision, isTied, target)
        );

    [Theory]
    [InlineData("llama3-gqa-bf16", Precision.Int4)]
    [InlineData("llama3-gqa-bf16", Precision.Int8)]
    [InlineData("llama3-gqa-bf16", Precision.Fp16)]
    [InlineData("llama3-gqa-bf16", Precision.Fp32)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int4)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int8)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Fp16)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Fp32)]
    public void On_converted_checkpoints(string fixture, Precision precision)
    {
        ModelFolder folder = ModelBuilder.Build(
            new ModelBuildOptions { Model = Fixtures.Shared(fixture, "hf"), Precision = precision },
            Path.Combine(TestRuntime.Scratch("agreement"), $"{fixture}-{precision}"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        foreach (ReferenceCase prompt in Reference.Read(Fixtures.Shared(fixture, "reference.json")).Cases)
        {
            int[][] tokens =
            [
                .. EngineCatalog
                    .All.Where(kind => kind.Format == ModelFormat.Onnx)
                    .Select(kind => Generate(kind, folder, prompt.InputIds, newTokens: 64)),
            ];

            Assert.Equal(64, tokens[0].Length);
            Assert.All(tokens, list => Assert.Equal(tokens[0], list));
        }
    }

    // The same tokens, and the same logits after the prompt and after each of the first tokens.
    private static void AssertSame(ModelFolder folder)
    {
        int[] prompt = [folder.BosTokenId ?? 1, .. s_prompt];
        (int[] Tokens, float[][] Logits)[] engines =
        [
            .. EngineCatalog.All.Where(kind => kind.Format == ModelFormat.Onnx).Select(kind => Run(kind, folder, prompt)),
        ];

        // onnxruntime-genai keeps EOS out until max_length; other engines take it as a token like any other.
        int length = engines.Min(run =>
            Array.FindIndex(run.Tokens, folder.EosTokenIds.Contains) is >= 0 and var eos ? eos : run.Tokens.Length
        );
        Assert.True(length > 8, $"EOS came after {length} tokens: too few to compare");
        Assert.All(engines, run => Assert.Equal(engines[0].Tokens[..length], run.Tokens[..length]));
        for (int step = 0; step < engines[0].Logits.Length; step++)
        {
            float[] expected = engines[0].Logits[step];
            float[] actual = engines[1].Logits[step];
            float spread = expected.Where(float.IsFinite).Max() - expected.Where(float.IsFinite).Min();
            Assert.All(
                expected.Zip(actual).Where(pair => float.IsFinite(pair.First) && float.IsFinite(pair.Second)),
                pair => Assert.InRange(pair.Second, pair.First - (1e-3 * spread), pair.First + (1e-3 * spread))
            );
        }
    }

    private static (int[] Tokens, float[][] Logits) Run(EngineKind kind, ModelFolder folder, int[] prompt)
    {
        const int Steps = 3;
        using IEngine engine = kind.Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
        engine.Reset(64);
        engine.Prefill(prompt);
        List<float[]> logits = [engine.LastLogits()];
        for (int i = 0; i < Steps; i++)
        {
            _ = engine.NextToken();
            logits.Add(engine.LastLogits());
        }

        return (Generate(kind, folder, prompt, 64 - prompt.Length), [.. logits]);
    }

    private static int[] Generate(EngineKind kind, ModelFolder folder, int[] prompt, int newTokens)
    {
        using IEngine engine = kind.Load(folder, new EngineOptions { Threads = 1 });
        return TimedGeneration.Run(engine, prompt, prompt.Length + newTokens).NewTokens;
    }
}
