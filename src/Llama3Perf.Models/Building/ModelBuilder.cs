using Google.Protobuf;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Building;

/// <summary>Builds complete model folders, with random weights or with those of a checkpoint.</summary>
public static class ModelBuilder
{
    private const string GraphFile = "model.onnx";

    /// <summary>
    /// Builds a folder and opens it. If it is there already, made from the same options, it is only opened; another process
    /// that builds it at this moment is waited for. Whatever ends the build early leaves nothing behind.
    /// </summary>
    /// <param name="options">What to build.</param>
    /// <param name="folder">Path of the folder; its parents are created.</param>
    /// <param name="progress">Told the bytes of weights written so far.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="ModelException">Impossible options, a folder that holds something else, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ModelFolder Build(
        ModelBuildOptions options,
        string folder,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => Build(BuildPlan.Create(options), folder, new BuildMachine(), progress, cancellationToken);

    /// <summary>Bytes of weights that a build writes, known without building: about what a loaded model takes.</summary>
    /// <exception cref="ModelException">Options that cannot be built.</exception>
    public static long WeightBytes(ModelBuildOptions options) => BuildPlan.Create(options).Data.Length;

    /// <summary>Why no engine would compute what a build makes on the provider that it is for, in one sentence; null where one
    /// does.</summary>
    /// <exception cref="ModelException">Options that cannot be built.</exception>
    public static string? Refusal(ModelBuildOptions options)
    {
        var plan = BuildPlan.Create(options);
        var facts = new GraphFacts(GraphFile, plan.Model.Graph, LlamaGraph.Names(options.Target));
        return facts.Needs(sharesBuffers: true).FirstOrDefault(need => !need.IsMet(engine: null, options.Target)) is { } need
            ? $"{plan.Shape.Name} in {options.Precision.Name()} {need.Reason}"
            : null;
    }

    internal static ModelFolder Build(
        BuildPlan plan,
        string folder,
        BuildMachine machine,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var build = new FolderBuild(
            () => plan.Manifest,
            plan.Data.Length,
            temporary => WriteFiles(plan, temporary, machine, progress, cancellationToken)
        );
        return build.Make(folder, machine, cancellationToken);
    }

    private static void WriteFiles(
        BuildPlan plan,
        string folder,
        BuildMachine machine,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var counter = new ByteCounter(plan.Data.Length, progress);

        // A conversion also reads: while some pieces wait for the disk, others are computed.
        int threads = plan.Checkpoint is null ? machine.Threads : 2 * machine.Threads;
        DataFile.Write(
            Path.Combine(folder, BuildPlan.DataFileName),
            plan.Data.Pieces,
            plan.Data.Length,
            threads,
            counter.Add,
            cancellationToken
        );
        if (plan.Checkpoint is { } checkpoint)
        {
            if (!plan.Options.AllowNonFinite)
            {
                plan.Counts.RequireFinite(checkpoint.Path);
            }

            plan.Counts.Report().Write(folder);
        }

        File.WriteAllBytes(Path.Combine(folder, GraphFile), plan.Model.ToByteArray());
        SpecialTokens tokens = plan.WriteTokenizer(folder);
        File.WriteAllText(
            Path.Combine(folder, "genai_config.json"),
            GenAiConfigText.Text(plan.Shape, plan.Options.Target, GraphFile, tokens)
        );
    }
}
