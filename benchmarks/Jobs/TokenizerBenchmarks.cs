using System.Text;
using BenchmarkDotNet.Attributes;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>Encode and decode of a fixed English text; tokens/s and bytes/s are columns.</summary>
[ShortRunJob]
public class TokenizerBenchmarks
{
    private const string Paragraph =
        "OpenVINO is a toolkit for deploying models; DirectML is another. In 2024 an article timed Llama-3-8B on an integrated GPU: "
        + "it counted 15 prompt tokens and 128 new ones, and reported the sum over the time. Tokens per second mean little unless one "
        + "says which tokens, which second, and whether the clock ran while the model was still loading.\n\n";

    private ModelTokenizer _tokenizer = null!;
    private int[] _tokens = [];
    private string _text = "";

    [ParamsSource(nameof(Models))]
    public string Model { get; set; } = "";

    [Params(1_000, 100_000)]
    public int Characters { get; set; }

    public static IEnumerable<string> Models => SuitePlan.Current.Models.DefaultIfEmpty("");

    [GlobalSetup]
    public void Setup()
    {
        _tokenizer = ModelTokenizer.Open(Model);
        _text = string.Concat(Enumerable.Repeat(Paragraph, (Characters / Paragraph.Length) + 1))[..Characters];
        _tokens = [.. _tokenizer.Encode(_text)];
        LaunchRecorder.Current.Handles("tokens", _tokens.Length);
        LaunchRecorder.Current.Handles("bytes", Encoding.UTF8.GetByteCount(_text));
    }

    [Benchmark]
    public object Encode() => _tokenizer.Encode(_text);

    [Benchmark]
    public string Decode() => _tokenizer.Decode(_tokens);
}
