using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>
/// The device path on every device provider that the loaded native library has. Without the provider, or without a device for it,
/// a test is skipped with ONNX Runtime's reason: it says nothing, and does not claim to.
/// </summary>
public sealed class DeviceProviderTests(ModelFolders folders) : IClassFixture<ModelFolders>
{
    public static TheoryData<ExecutionProvider> Devices { get; } =
    [ExecutionProvider.Dml, ExecutionProvider.Cuda, ExecutionProvider.WebGpu];

    [Theory]
    [MemberData(nameof(Devices))]
    public void Decodes_as_a_plain_forward_pass_does(ExecutionProvider provider)
    {
        using OrtEngine engine = LoadOrSkip(Build(provider), provider, out ModelFolder folder);

        // Devices add in another order than the CPU, some with fused operations.
        PlainPass.AssertFollowed(engine, folder, steps: 3, Math.Max(1e-3, PlainPass.Tolerance(folder.Precision)));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Placement_is_proven_and_generations_are_independent(ExecutionProvider provider)
    {
        using OrtEngine engine = LoadOrSkip(Build(provider), provider, out _);
        int[] first = TimedGeneration.Run(engine, [1, 2, 3, 4, 5], 16).NewTokens;
        TimedGeneration.Run(engine, [9, 8, 7], 12);

        Assert.Null(engine.Description.PlacementWarning);
        Assert.Equal(first, TimedGeneration.Run(engine, [1, 2, 3, 4, 5], 16).NewTokens);
    }

    [Theory]
    [InlineData(ExecutionProvider.Dml, "llama3-gqa-bf16", "official-int4-dml")]
    [InlineData(ExecutionProvider.Dml, "llama3-gqa-bf16", "official-fp16-dml")]
    [InlineData(ExecutionProvider.Dml, "llama32-tied-ropescaled-sharded", "official-int4-dml")]
    [InlineData(ExecutionProvider.WebGpu, "llama3-gqa-bf16", "official-int4-cpu")]
    public void Decodes_the_official_builders_folders(ExecutionProvider provider, string fixture, string name)
    {
        using OrtEngine engine = LoadOrSkip(ModelFolderReader.Open(Fixtures.Shared(fixture, name)), provider, out ModelFolder folder);

        PlainPass.AssertFollowed(engine, folder, steps: 3, PlainPass.Tolerance(folder.Precision));
    }

    private ModelFolder Build(ExecutionProvider provider) =>
        folders.Get(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                // CUDA's attention takes no float32.
                Precision = provider == ExecutionProvider.Cuda ? Precision.Fp16 : Precision.Fp32,
                Target = provider switch
                {
                    ExecutionProvider.Dml => GraphTarget.DirectML,
                    ExecutionProvider.Cuda => GraphTarget.Cuda,
                    _ => GraphTarget.WebGpu,
                },
            }
        );

    private static OrtEngine LoadOrSkip(ModelFolder built, ExecutionProvider provider, out ModelFolder folder)
    {
        folder = built;
        Availability availability = EngineCatalog.Get("ort").Availability(provider);
        Assert.SkipUnless(availability.IsAvailable, availability.Reason ?? "");
        try
        {
            return (OrtEngine)EngineCatalog.Get("ort").Load(built, new EngineOptions { Provider = provider, AllowEos = true });
        }
        catch (EngineException noDevice) when (noDevice.Message.Contains("cannot load", StringComparison.Ordinal))
        {
            Assert.Skip(noDevice.Message);
            throw;
        }
    }
}
