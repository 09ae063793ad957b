using System.Runtime.InteropServices;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>
/// The loop that stays on the device. The CPU runs the same graph over the same buffers, so that all of it but the capture is tested
/// on every machine.
/// </summary>
public sealed class DeviceLoopTests(ModelFolders folders) : IClassFixture<ModelFolders>
{
    private static readonly int[] s_prompt = [700, 3, 14, 159, 26, 535];

    [Theory]
    [InlineData(Precision.Fp32, GraphTarget.Cpu, true)]
    [InlineData(Precision.Fp16, GraphTarget.Cpu, true)]
    [InlineData(Precision.Int8, GraphTarget.Cpu, true)]
    [InlineData(Precision.Int4, GraphTarget.Cuda, true)]
    [InlineData(Precision.Int4, GraphTarget.WebGpu, true)]
    [InlineData(Precision.Fp32, GraphTarget.DirectML, true)]
    [InlineData(Precision.Fp32, GraphTarget.Cpu, false)]
    public void Gives_the_tokens_and_logits_of_the_hosts_loop(Precision precision, GraphTarget target, bool pruneLmHead) =>
        AssertAlike(
            folders.Get(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = precision,
                    Target = target,
                    PruneLmHead = pruneLmHead,
                }
            )
        );

    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu")]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu")]
    public void Gives_the_hosts_tokens_on_the_official_builders_folders(string fixture, string name) =>
        AssertAlike(ModelFolderReader.Open(Fixtures.Shared(fixture, name)));

    [Fact]
    public void Other_lengths_and_prompts_leave_nothing_behind()
    {
        using IEngine engine = Load(Tiny(), DecodeLoop.Device);
        int[] expected = TimedGeneration.Run(engine, s_prompt, 40).NewTokens;
        TimedGeneration.Run(engine, [1, 2, 3], 60);
        TimedGeneration.Run(engine, [9, 8, 7, 6, 5, 4, 3, 2], 40);

        Assert.Equal(expected, TimedGeneration.Run(engine, s_prompt, 40).NewTokens);
        Assert.Equal(expected[..10], TimedGeneration.Run(engine, s_prompt, s_prompt.Length + 10).NewTokens);
    }

    [Fact]
    public void Leaves_the_eos_tokens_out_of_its_choice()
    {
        ModelFolder folder = Tiny();
        using IEngine free = Load(folder, DecodeLoop.Device);
        int first = TimedGeneration.Run(free, s_prompt, 20).NewTokens[0];

        using IEngine engine = Load(folder with { EosTokenIds = [first] }, DecodeLoop.Device);
        using IEngine host = Load(folder with { EosTokenIds = [first] }, DecodeLoop.Host);

        int[] tokens = TimedGeneration.Run(engine, s_prompt, 60).NewTokens;
        Assert.DoesNotContain(first, tokens);
        Assert.Equal(TimedGeneration.Run(host, s_prompt, 60).NewTokens, tokens);
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        using IEngine engine = Load(Tiny(), DecodeLoop.Device);
        engine.Reset(120);
        engine.Prefill(s_prompt);
        engine.NextToken();
        engine.NextToken();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            engine.NextToken();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Garbage_is_an_error_and_no_token()
    {
        ModelFolder folder = folders.Own(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 });
        string data = Path.Combine(folder.Path, "model.onnx.data");
        byte[] notNumbers = new byte[new FileInfo(data).Length];
        notNumbers.AsSpan().Fill(0xFF);
        File.WriteAllBytes(data, notNumbers);
        using IEngine engine = Load(folder, DecodeLoop.Device);
        engine.Reset(8);
        engine.Prefill([1, 2, 3]);

        Assert.Contains("NaN", Assert.Throws<EngineException>(() => engine.NextToken()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TensorElementType.Float)]
    [InlineData(TensorElementType.Float16)]
    [InlineData(TensorElementType.Int64)]
    public void Memory_of_a_device_is_cleared_and_copied_whatever_it_held(TensorElementType type)
    {
        using DeviceCopy copy = new(graph => OrtSession.OpenSmall(graph, new EngineOptions()));
        using OrtValue dirty = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [1, 2, 3, 4]);
        using OrtValue other = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [1, 2, 3, 4]);
        dirty.GetTensorMutableRawData().Fill(0xFF);
        other.GetTensorMutableRawData().Fill(0x11);

        copy.Clear(dirty);

        Assert.True(dirty.GetTensorMutableRawData().IndexOfAnyExcept((byte)0) < 0);
        copy.Copy(other, dirty);
        Assert.True(dirty.GetTensorMutableRawData().IndexOfAnyExcept((byte)0x11) < 0);
    }

    [Fact]
    public void The_cache_in_a_devices_memory_begins_with_zeros()
    {
        // The CPU in the part of a device: its allocator hands out freed memory as it was left.
        ModelFolder folder = Tiny();
        using InferenceSession session = OrtSession.Open(folder, new EngineOptions(), threads: 1, profilePrefix: null);
        using DeviceCopy copy = new(graph => OrtSession.OpenSmall(graph, new EngineOptions()));
        using DecoderGraph graph = new(folder, session, OrtDevice.OfCpu(session), copy);
        Poison(graph);

        using KeyValueCache cache = new(graph, maxLength: 24);

        Assert.All(cache.Buffers, buffer => Assert.True(buffer.GetTensorMutableRawData().IndexOfAnyExcept((byte)0) < 0));
    }

    [Fact]
    public void Steps_that_may_not_write_what_they_read_take_turns()
    {
        ModelFolder folder = Tiny();
        using IEngine engine = Load(folder, DecodeLoop.Device);
        int[] expected = TimedGeneration.Run(engine, s_prompt, 24).NewTokens;
        byte[] looped = DeviceLoopGraph.Create(folder, [.. folder.EosTokenIds.Where(id => id < folder.VocabularySize)]);
        using InferenceSession session = OrtSession.Open(folder, new EngineOptions(), threads: 1, profilePrefix: null, looped);
        using DeviceCopy copy = new(graph => OrtSession.OpenSmall(graph, new EngineOptions()));
        using DecoderGraph graph = new(folder, session, OrtDevice.OfCpu(session, updatesInPlace: false), copy);
        using DeviceLoop loop = new(graph, copy, maxLength: 24, nextGraphId: null);

        foreach (int _ in (int[])[1, 2])
        {
            loop.Restart();
            loop.Prefill(s_prompt);
            int[] tokens = new int[expected.Length];
            for (int i = 0; i < tokens.Length; i++)
            {
                tokens[i] = loop.Choose(isLast: i + 1 == tokens.Length);
                if (i + 1 < tokens.Length)
                {
                    loop.Decode(s_prompt.Length + i);
                }
            }

            Assert.Equal(expected, tokens);
        }
    }

    private static void Poison(DecoderGraph graph)
    {
        using KeyValueCache before = new(graph, maxLength: 24);
        foreach (OrtValue buffer in before.Buffers)
        {
            buffer.GetTensorMutableRawData().Fill(0xFF);
        }
    }

    private static void AssertAlike(ModelFolder folder)
    {
        int[] prompt = [.. s_prompt.Select(id => id % folder.VocabularySize)];
        using IEngine host = Load(folder, DecodeLoop.Host);
        using IEngine device = Load(folder, DecodeLoop.Device);
        foreach (int maxLength in (int[])[24, 41])
        {
            Assert.Equal(TimedGeneration.Run(host, prompt, maxLength).NewTokens, TimedGeneration.Run(device, prompt, maxLength).NewTokens);
            Assert.Equal(Bits(Unmasked(host.LastLogits(), folder)), Bits(Unmasked(device.LastLogits(), folder)));
        }
    }

    // The host's loop strikes the EOS tokens out in place.
    private static float[] Unmasked(float[] logits, ModelFolder folder)
    {
        foreach (int id in folder.EosTokenIds.Where(id => id < logits.Length))
        {
            logits[id] = 0;
        }

        return logits;
    }

    private static int[] Bits(float[] numbers) => MemoryMarshal.Cast<float, int>(numbers).ToArray();

    private ModelFolder Tiny() => folders.Get(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 });

    private static IEngine Load(ModelFolder folder, DecodeLoop loop) =>
        EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, Loop = loop });
}
