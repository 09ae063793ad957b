using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>Perplexity and divergence of a text, against sums over the logits of an engine that computes it token by token.</summary>
public sealed class TextQualityTests : IDisposable
{
    private static readonly int[] s_text = [5, 300, 7, 41, 999, 12, 12, 640, 3, 77, 210];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-text-quality-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Is_what_the_definitions_say()
    {
        VerifiedSide exact = Side(Precision.Fp32);
        VerifiedSide quantized = Side(Precision.Int4);
        // Each window begins anew: two of them foretell one token less.
        int[][] windows = [s_text[..7], s_text[7..]];
        using MemoryStream logits = new();

        TextQuality reference = TextQuality.Of(exact, windows, logits, isReference: true);
        TextQuality other = TextQuality.Of(quantized, windows, logits, isReference: false);

        double[][] p = Distributions(exact, windows);
        double[][] q = Distributions(quantized, windows);
        int[] next = [.. windows.SelectMany(window => window.Skip(1))];
        Assert.Equal((9, null, null), (reference.Tokens, reference.Divergence, reference.TopPercent));
        Assert.Equal(Perplexity(p, next), reference.Perplexity, reference.Perplexity * 1e-4);
        Assert.Equal(Perplexity(q, next), other.Perplexity, other.Perplexity * 1e-3);
        double divergence = p.Zip(q, (a, b) => a.Zip(b, (x, y) => x * Math.Log(x / y)).Sum()).Average();
        Assert.Equal(divergence, other.Divergence!.Value, Math.Max(divergence * 0.05, 1e-6));
        Assert.Equal(100.0 * p.Zip(q).Count(pair => Best(pair.First) == Best(pair.Second)) / 9, other.TopPercent!.Value, 0.001);
    }

    private static double Perplexity(double[][] distributions, int[] next) =>
        Math.Exp(-distributions.Zip(next, (row, token) => Math.Log(row[token])).Average());

    private static int Best(double[] row) => Array.IndexOf(row, row.Max());

    // What the model foretells after each prefix of each window.
    private static double[][] Distributions(VerifiedSide side, int[][] windows)
    {
        using IEngine engine = EngineCatalog.Get("ort").Load(side.Folder, side.Options);
        return
        [
            .. from window in windows
            from length in Enumerable.Range(1, window.Length - 1)
            select Softmax(Logits(engine, window[..length])),
        ];
    }

    private static float[] Logits(IEngine engine, int[] prefix)
    {
        engine.Reset(prefix.Length + 1);
        engine.Prefill(prefix);
        return engine.LastLogits();
    }

    private static double[] Softmax(float[] logits)
    {
        double[] powers = [.. logits.Select(logit => Math.Exp(logit))];
        double sum = powers.Sum();
        return [.. powers.Select(power => power / sum)];
    }

    private VerifiedSide Side(Precision precision) =>
        new(
            ModelBuilder.Build(
                new ModelBuildOptions { Model = "llama-tiny", Precision = precision },
                Path.Combine(_folder, precision.ToString()),
                cancellationToken: TestContext.Current.CancellationToken
            ),
            "ort",
            new EngineOptions { Threads = 1, AllowEos = true }
        );
}
